/** docs/manifest.md against the code: keys, options, what is live, the examples' validity. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fixtureBlocks } from "../fixture-blocks.js";
import { liveOptions } from "../../src/live-options.js";
import { runKeys } from "../../src/manifest/check-run.js";
import { serverFields } from "../../src/manifest/server-fields.js";
import {
  directoryKeys,
  fileKeys,
  parseConfig,
  projectKeys,
} from "../../src/manifest/validate.js";

const page = readFileSync(
  new URL("../../docs/manifest.md", import.meta.url),
  "utf8",
);

/** The rows of the first table below a heading: its cells. */
function table(heading: string): string[][] {
  const start = page.indexOf(`\n## ${heading}\n`);
  expect(start, heading).toBeGreaterThan(0);
  const lines = page.slice(start + 1).split("\n");
  const first = lines.findIndex((line) => line.startsWith("|"));
  const rest = lines.slice(first);
  const end = rest.findIndex((line) => !line.startsWith("|"));
  return rest
    .slice(2, end)
    .map((line) => line.split("|").map((cell) => cell.trim()));
}

/** The code in the first column of that table. */
const keys = (heading: string): string[] =>
  table(heading).map(([, cell = ""]) => cell.replaceAll("`", ""));

test("the keys of a project are those that it can have", () => {
  expect(new Set(keys("A project"))).toEqual(new Set(projectKeys));
});

test("the options of a source are those that it can have", () => {
  const options = new Set([...fileKeys, ...directoryKeys]);
  for (const key of ["file", "directory", "sources"]) options.delete(key);
  expect(new Set(keys("Sources"))).toEqual(options);
});

test("the keys of a step are those that it can have", () => {
  expect(keys("Code generation")).toEqual(runKeys);
});

test("the server's options are those that it can have, in the same order", () => {
  expect(keys("The server's options")).toEqual(Object.keys(serverFields));
});

test("what takes effect while the server runs is said to", () => {
  const live = table("The server's options").flatMap(
    ([, name = "", , when = ""]) =>
      when === "restart" ? [] : [name.replaceAll("`", "")],
  );
  expect(new Set(live)).toEqual(new Set(liveOptions));
});

const shown = fixtureBlocks(page);

test.each(shown)("the page shows $file as it is", ({ file, text }) => {
  const url = new URL(`../../${file}`, import.meta.url);
  expect(text).toBe(readFileSync(url, "utf8"));
});

test("every manifest that the page shows is a fixture's", () => {
  const manifests = shown.filter(({ file }) => file.includes("prefork.config"));
  const blocks = [...page.matchAll(/^```(?:ts|json)\n(.*?)^```$/gms)]
    .map(([, text = ""]) => text)
    .filter((text) => /defineProject\(|"\$schema"/.test(text));
  expect(blocks).toEqual(manifests.map(({ text }) => text));
});

test("the JSON example is a manifest", () => {
  const json = shown.find(({ file }) => file.endsWith("prefork.config.json"));
  const value: unknown = JSON.parse(json?.text ?? "");
  expect(parseConfig(value, "prefork.config.json")).toMatchObject({
    entry: "src/server.ts",
    server: { workers: 4, envFile: false },
  });
});
