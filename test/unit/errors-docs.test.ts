import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorCodes } from "../../src/errors.js";

interface Row {
  readonly code: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** The rows of the table: `| `ERR_…` | meaning | remedy |`. */
function rowsOf(markdown: string): Row[] {
  return markdown.split("\n").flatMap((line) => {
    // A bar inside a cell is written \|.
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const [, first = "", meaning = "", remedy = ""] = cells;
    const code = /^`(ERR_\w+)`$/.exec(first)?.[1];
    return code === undefined ? [] : [{ code, meaning, remedy }];
  });
}

const page = new URL("../../docs/errors.md", import.meta.url);
const rows = rowsOf(readFileSync(page, "utf8"));

describe("docs/errors.md", () => {
  it("lists exactly the codes of src/errors.ts, each once, in the same order", () => {
    expect(rows.map((row) => row.code)).toEqual(Object.keys(errorCodes));
  });

  it("gives each code the meaning that the source gives it", () => {
    const documented = Object.fromEntries(
      rows.map((row) => [row.code, row.meaning]),
    );
    expect(documented).toEqual(errorCodes);
  });

  it("says what to do about each", () => {
    const silent = rows.filter((row) => row.remedy.length < 20);
    expect(silent).toEqual([]);
  });
});

describe("the reading of the table", () => {
  it("takes rows of codes and nothing else", () => {
    const text = "| code | means |\n|---|---|\n| `ERR_A` | One. | Do x. |\n";
    expect(rowsOf(text)).toEqual([
      { code: "ERR_A", meaning: "One.", remedy: "Do x." },
    ]);
  });
});
