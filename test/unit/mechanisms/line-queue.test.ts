import fc from "fast-check";
import { expect, test } from "vitest";
import { LineQueue } from "../../../src/mechanisms/line-queue.js";

function drain(queue: LineQueue): { text: string; lines: number } {
  let text = "";
  let lines = 0;
  for (let chunk = queue.shift(); chunk; chunk = queue.shift()) {
    expect(chunk.text.split("\n").length - 1).toBe(chunk.lines);
    text += chunk.text;
    lines += chunk.lines;
  }
  return { text, lines };
}

test("gives back what it took, in order, in pieces of whole lines", () => {
  const line = fc.string().map((text) => text.replaceAll("\n", ""));
  const lines = fc.array(fc.oneof(line, fc.constant("x".repeat(9_000))));
  fc.assert(
    fc.property(lines, lines, (first, second) => {
      const queue = new LineQueue(Infinity);
      for (const it of first) queue.push(it);
      const head = queue.shift();
      for (const it of second) queue.push(it);
      const { text } = drain(queue);
      expect((head?.text ?? "") + text).toBe(
        [...first, ...second].map((it) => `${it}\n`).join(""),
      );
      expect(queue.isEmpty).toBe(true);
    }),
  );
});

test("takes no more than its bound, in bytes, and again as much once it was emptied", () => {
  const queue = new LineQueue(10);
  for (let round = 0; round < 2; round++) {
    expect(queue.push("ééé")).toBe(true); // 6 bytes and 1
    expect(queue.push("abc")).toBe(false);
    expect(queue.push("ab")).toBe(true);
    expect(queue.push("")).toBe(false);
    expect(drain(queue)).toEqual({ text: "ééé\nab\n", lines: 2 });
  }
});

test("says how many lines it forgets", () => {
  const queue = new LineQueue(100_000);
  for (const line of ["a", "b".repeat(20_000), "c"]) queue.push(line);
  expect(queue.clear()).toBe(3);
  expect(queue.isEmpty).toBe(true);
  expect(queue.shift()).toBeUndefined();
});
