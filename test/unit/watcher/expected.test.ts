/** Files that nobody knows yet: told when they appear where they are expected, wherever that is by then. */
import fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Expected } from "../../../src/watcher/types.js";
import { harness } from "./harness.js";
import type { Harness } from "./harness.js";

vi.setConfig({ testTimeout: 60_000 });

let h: Harness | undefined;
afterEach(async () => {
  await h?.close();
  h = undefined;
});

/** `*.html` at any depth below `views`, and how often it was asked. */
function views(
  of: Harness,
  known: readonly string[] = [],
): Expected & { asked: number } {
  const top = of.at("views");
  const expected = {
    asked: 0,
    find: (
      at: string | undefined,
      enter: (directory: string) => boolean,
    ): string[] => {
      expected.asked += 1;
      return search(at ?? top, enter).filter(
        (file) => !known.includes(path.relative(of.root, file)),
      );
    },
  };
  const search = (
    file: string,
    enter: (directory: string) => boolean,
  ): string[] => {
    const stats = fs.statSync(file, { throwIfNoEntry: false });
    if (stats?.isFile() === true) return file.endsWith(".html") ? [file] : [];
    if (!enter(file) || stats === undefined) return [];
    return fs
      .readdirSync(file)
      .flatMap((name) => search(path.join(file, name), enter));
  };
  return expected;
}

function watch(
  of: Harness,
  expected: Expected,
  files: readonly string[] = [],
): void {
  of.watcher.watch({
    files: new Set(files.map((file) => of.at(file))),
    directories: new Set(),
    expected,
  });
}

const write = (file: string): void => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, "");
};

describe.each([
  ["by events", {}],
  ["by polling", { poll: 20 }],
])("an expected file, %s,", (_how, options) => {
  it("is told when it appears; one that isn't expected is not", async () => {
    h = harness(options);
    write(h.at("views/old.html"));
    watch(h, views(h, ["views/old.html"]));
    write(h.at("views/other.txt"));
    write(h.at("views/new.html"));
    await h.until("the new one", () => h?.batches.length === 1);
    expect(h.names()).toEqual([["views/new.html"]]);
  });

  it("is told in new directories, however deep and however they come", async () => {
    h = harness(options);
    write(h.at("views/old.html"));
    write(h.at("aside/deep/er/moved.html"));
    watch(h, views(h, ["views/old.html"]));
    write(h.at("views/made/deep/one.html"));
    await h.until("the first", () => h?.names().flat().length === 1);
    write(h.at("views/made/deep/two.html"));
    await h.until("the second", () => h?.names().flat().length === 2);
    fs.renameSync(h.at("aside"), h.at("views/aside"));
    await h.until("the moved one", () => h?.names().flat().length === 3);
    write(h.at("views/aside/deep/er/three.html"));
    await h.until("the last", () => h?.names().flat().length === 4);
    expect(h.names()).toEqual([
      ["views/made/deep/one.html"],
      ["views/made/deep/two.html"],
      ["views/aside/deep/er/moved.html"],
      ["views/aside/deep/er/three.html"],
    ]);
  });

  it("is told when the directory wasn't there, and when it's deleted and made anew", async () => {
    h = harness(options);
    watch(h, views(h));
    write(h.at("views/one.html"));
    await h.until("the first", () => h?.batches.length === 1);
    fs.rmSync(h.at("views"), { recursive: true });
    write(h.at("views/two.html"));
    await h.until("the second", () => h?.batches.length === 2);
    expect(h.names()).toEqual([["views/one.html"], ["views/two.html"]]);
  });
});

it("that is there already when it's asked for is told; one that is watched isn't told twice", async () => {
  h = harness();
  write(h.at("views/a.html"));
  write(h.at("views/b.html"));
  watch(h, views(h), ["views/a.html"]);
  await h.until("the one", () => h?.batches.length === 1);
  fs.writeFileSync(h.at("views/a.html"), "saved");
  await h.until("the save", () => h?.batches.length === 2);
  expect(h.names()).toEqual([["views/b.html"], ["views/a.html"]]);
});

it("the same expectation isn't asked again, nor about files that are known, nor twice about a stranger", async () => {
  h = harness();
  write(h.at("views/a.html"));
  const expected = views(h, ["views/a.html"]);
  watch(h, expected, ["views/a.html"]);
  watch(h, expected, ["views/a.html"]);
  expect(expected.asked).toBe(1);
  watch(h, expected, ["views/a.html", "b.ts"]);
  expect(expected.asked).toBe(1);
  fs.writeFileSync(h.at("views/a.html"), "saved");
  await h.until("the save", () => h?.batches.length === 1);
  expect(expected.asked).toBe(1);
  for (const text of ["1", "2", "3"]) {
    fs.writeFileSync(h.at("views/log.txt"), text);
    fs.writeFileSync(h.at("b.ts"), text);
    const count = h.batches.length;
    await h.until("b", () => (h?.batches.length ?? 0) > count);
  }
  // Once when it came, once more if it was seen before it was written.
  expect(expected.asked).toBeLessThan(4);
});
