import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, afterEach, expect, test } from "vitest";
import { RealPaths } from "../../src/real-paths.js";

let root = "";
beforeEach(() => {
  root = fs.mkdtempSync(path.join(tmpdir(), "real-paths-"));
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

const at = (name: string): string => path.join(root, name);

/** What it must say, the slow way. */
function realFile(file: string): string | undefined {
  try {
    return fs.statSync(file).isFile() ? fs.realpathSync(file) : undefined;
  } catch {
    return undefined;
  }
}

/** A directory of `count` files, and what isn't a plain file among them. */
function fill(directory: string, count: number): string[] {
  fs.mkdirSync(at(`${directory}/sub`), { recursive: true });
  const names = ["sub", "missing.ts", "link.ts", "broken.ts", "none/a.ts"];
  for (let index = 0; index < count; index++) {
    fs.writeFileSync(at(`${directory}/f${index}.ts`), "");
    names.push(`f${index}.ts`, `f${index}.ts/below.ts`);
  }
  fs.writeFileSync(at(`${directory}/sub/elsewhere.ts`), "");
  fs.symlinkSync("sub/elsewhere.ts", at(`${directory}/link.ts`));
  fs.symlinkSync("nowhere.ts", at(`${directory}/broken.ts`));
  return names.map((name) => at(`${directory}/${name}`));
}

// The second is large enough to be listed.
test.each([3, 40])(
  "files, links, directories and nothing, among %i files",
  (count) => {
    const files = fill("a", count);
    fs.symlinkSync("a", at("linked"), "dir");
    files.push(...files.map((file) => file.replace(at("a"), at("linked"))));
    files.push(at("no/such/directory.ts"));
    const expected = files.map(realFile);
    expect(new Set(expected).size).toBe(count + 2);
    for (const turn of [files, files.toReversed()]) {
      const paths = new RealPaths();
      const found = new Map(turn.map((file) => [file, paths.fileAt(file)]));
      expect(files.map((file) => found.get(file))).toEqual(expected);
      // Known by now.
      expect(files.map((file) => paths.fileAt(file))).toEqual(expected);
    }
  },
);

test("many files of a directory don't cost a look at each", () => {
  const files = fill("a", 40).filter((file) => /f\d+\.ts$/.test(file));
  const paths = new RealPaths();
  const [first = "", ...rest] = files;
  for (const file of rest) paths.fileAt(file);
  // What changes while it's used isn't seen: the directory was listed.
  fs.rmSync(first);
  expect(paths.fileAt(first)).toBe(path.join(fs.realpathSync(root), "a/f0.ts"));
});
