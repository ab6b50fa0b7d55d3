/** The examples in docs/loading.md: each script prints what the page says. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { repository } from "./helpers/app.js";
import { loadable, runFile } from "./helpers/loading.js";

const page = readFileSync(path.join(repository, "docs/loading.md"), "utf8");

interface Block {
  readonly language: string;
  /** From the comment in its first line. */
  readonly file: string | undefined;
  readonly text: string;
}

const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
  ([, language = "", text = ""]): Block => {
    const [line = "", file] = /^\/\/ (\S+)\n/.exec(text) ?? [];
    return { language, file, text: text.slice(line.length) };
  },
);

/** Each script with what is printed: the next block of text. */
const scripts = blocks.flatMap(({ language, file }, index) => {
  if (language !== "js" || file === undefined) return [];
  const output = blocks.slice(index).find((each) => each.language === "text");
  return [{ file, output: output?.text }];
});

const files = Object.fromEntries(
  blocks.flatMap(({ file, text }) =>
    file === undefined ? [] : [[file, text]],
  ),
);

test("the page has examples", () => {
  expect(scripts.map(({ file }) => file)).toEqual([
    "load.mjs",
    "retry.mjs",
    "watch.mjs",
    "list.mjs",
  ]);
});

test.each(scripts)("$file prints what the page says", async (script) => {
  const app = loadable(files);
  const { stdout, stderr } = await runFile(app, script.file);
  expect({ stdout, stderr }).toEqual({ stdout: script.output, stderr: "" });
});
