import { describe, expect, it } from "vitest";
import {
  fromTheEnd,
  partsOf,
  textAt,
  withoutElement,
} from "../../../src/inspect/field.js";
import { literalsOf, withoutLiteral } from "../../../src/inspect/literals.js";
import { fileReferences } from "../../../src/inspect/references.js";

const manifest = {
  sources: ["a", { directory: "d", sources: ["b", "c"], needs: ["x", "y"] }],
  changes: { 'odd "key"': ["z"] },
};

describe("a place in a manifest", () => {
  it.each([
    ["sources[0]", "a"],
    ["sources[1].sources[1]", "c"],
    ["sources[1].needs[0]", "x"],
    ['changes["odd \\"key\\""][0]', "z"],
    ["sources[1]", undefined],
    ["sources[7].needs[0]", undefined],
  ])("%s holds %s", (field, text) => {
    expect(textAt(manifest, field)).toBe(text);
  });

  it("can be left out, and all else stays", () => {
    expect(withoutElement(manifest, "sources[1].sources[0]")).toEqual({
      ...manifest,
      sources: ["a", { directory: "d", sources: ["c"], needs: ["x", "y"] }],
    });
    expect(withoutElement(manifest, "sources[0]").sources).toHaveLength(1);
    expect(partsOf("sources[10].needs[2]")).toEqual([
      ...["sources", 10, "needs", 2],
    ]);
  });

  it("comes before those that it is in, and after those behind it", () => {
    const fields = ["sources[2]", "sources[10]", "sources[2].needs[0]"];
    expect([...fields, "sources[2].needs[1]"].sort(fromTheEnd)).toEqual([
      ...["sources[10]", "sources[2].needs[1]", "sources[2].needs[0]"],
      "sources[2]",
    ]);
  });
});

describe("a literal", () => {
  it("is found in any quotes, but not in comments or other texts", () => {
    const text = `['a', "a", \`a\`, /* "a" */ "b'a'" // 'a'\n, "it's", 'a']`;
    expect(
      literalsOf(text, "a").map(({ start, end }) => text.slice(start, end)),
    ).toEqual(["'a'", '"a"', "`a`", "'a'"]);
  });

  it.each([
    ['[\n  "a",\n  "b",\n]', '[\n  "b",\n]'],
    ['["a", "b"]', '["b"]'],
    ['["b", "a"]', '["b"]'],
    ['["b", "a",]', '["b", ]'],
    ['["a"]', "[]"],
    ['[\n  "b",\n  "a"\n]', '[\n  "b"\n]'],
    ['[\r\n  "a",\r\n  "b"\r\n]', '[\r\n  "b"\r\n]'],
    ['[\n  "a", // why\n  "b"\n]', '[\n  // why\n  "b"\n]'],
  ])("is taken out of %j", (text, expected) => {
    const [literal = { start: 0, end: 0 }] = literalsOf(text, "a");
    expect(withoutLiteral(text, literal)).toBe(expected);
  });
});

describe("references to files", () => {
  it("are literal names that are read, each once", () => {
    const text = `
      await readFile("a.sql"); fs.readFileSync('b.txt', "utf8");
      createReadStream(\`c.csv\`); readFile("a.sql");
      new URL("../d.html", import.meta.url);
      readFile(name); readFileSync("x" + y); new URL("./e", base); notReadFile("f");
    `;
    expect(fileReferences(text)).toEqual([
      { text: "a.sql", from: "root", line: 2 },
      { text: "b.txt", from: "root", line: 2 },
      { text: "c.csv", from: "root", line: 3 },
      { text: "../d.html", from: "source", line: 4 },
    ]);
  });
});
