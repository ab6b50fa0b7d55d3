import { describe, expect, test } from "vitest";
import {
  diagnosticText,
  milliseconds,
  plural,
  portRange,
} from "../../../src/cli/format.js";

test("counts and times read as a person writes them", () => {
  expect([
    plural(0, "source"),
    plural(1, "source"),
    plural(2, "source"),
  ]).toEqual(["0 sources", "1 source", "2 sources"]);
  expect([milliseconds(3.4), milliseconds(999.4), milliseconds(1_449)]).toEqual(
    ["3 ms", "999 ms", "1.4 s"],
  );
});

test("ports are a range where they are one", () => {
  expect(portRange([3001])).toBe("port 3001");
  expect(portRange([3001, 3002, 3003])).toBe("ports 3001-3003");
  expect(portRange([3001, 40_123])).toBe("ports 3001, 40123");
});

describe("a diagnostic", () => {
  const stack = [
    "RangeError: no",
    "    at inner (/app/src/a.ts:2:7)",
    "    at node:internal/modules/run_main:1:1",
    "    at outer (/app/src/b.ts:1:1)",
  ].join("\n");

  test("shows message, place relative to the directory, frame, and the stack without Node's own frames", () => {
    const text = diagnosticText(
      {
        message: "RangeError: no",
        file: "/app/src/a.ts",
        line: 2,
        column: 7,
        frame: "> 2 | throw\n    |       ^",
        stack,
      },
      "/app",
    );
    expect(
      text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    ).toEqual([
      "RangeError: no",
      "src/a.ts:2:7",
      "> 2 | throw",
      "|       ^",
      "at inner (/app/src/a.ts:2:7)",
      "at outer (/app/src/b.ts:1:1)",
    ]);
  });

  test("a file elsewhere keeps its whole path; last words are shown when there is no stack", () => {
    const text = diagnosticText(
      { message: "exited", file: "/other/a.ts", stack: "giving up\nbye" },
      "/app",
    );
    expect(text).toContain("/other/a.ts");
    expect(text).toContain("giving up");
    expect(text).toContain("bye");
  });
});
