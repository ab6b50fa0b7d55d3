import { expect, test } from "vitest";
import { codeFrame } from "../../src/diagnostic.js";

const text = "one\ntwo\n\tthree = ;\nfour\nfive\nsix";

test("a code frame marks the line and the column, with two lines around", () => {
  expect(codeFrame(text, 3, 10)).toBe(
    [
      "  1 | one",
      "  2 | two",
      "> 3 | \tthree = ;",
      "    | \t        ^",
      "  4 | four",
      "  5 | five",
    ].join("\n"),
  );
});

test("line numbers are aligned at the end of a long file", () => {
  const long = Array.from({ length: 100 }, (_, index) => `l${index + 1}`).join(
    "\n",
  );
  expect(codeFrame(long, 100, 1)?.split("\n")).toEqual([
    "   98 | l98",
    "   99 | l99",
    "> 100 | l100",
    "      | ^",
  ]);
});

test("a line that isn't there has no frame", () => {
  expect(codeFrame(text, 0, 1)).toBeUndefined();
  expect(codeFrame(text, 7, 1)).toBeUndefined();
});
