import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "../../../src/pool/output-lines.js";

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await finished(stream);
  return lines;
}

test("property: lines don't depend on where chunks are cut, not even within a character", async () => {
  const line = fc
    .string({ unit: "grapheme", maxLength: 12 })
    .map((text) => text.replace(/[\r\n]/g, "x"));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      async (lines, size) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size)
          chunks.push(bytes.subarray(at, at + size));
        expect(await linesOf(chunks)).toEqual(lines);
      },
    ),
  );
});

test("what stands after the last line break comes at the end; CRLF is one break", async () => {
  expect(await linesOf([Buffer.from("a\r\nb")])).toEqual(["a", "b"]);
});

test("a line without end is handed on in pieces instead of being kept", async () => {
  const pieces = await linesOf([
    Buffer.alloc(200_000, 0x61),
    Buffer.alloc(10, 0x62),
  ]);
  expect(pieces.join("")).toBe("a".repeat(200_000) + "b".repeat(10));
  expect(pieces.length).toBeGreaterThan(1);
});
