/** Searching a part of the file system for what globs match, against the globs as the manifest means them. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globFiles } from "../../../src/manifest/listing.js";
import { searchGlobs } from "../../../src/manifest/search.js";

let root = "";

const FILES = [
  ...["src/a.ts", "src/a.html", "src/deep/b.ts", "src/deep/er/c.ts"],
  ...["src/.hidden/d.ts", "src/deep/.e.ts", "src/node_modules/x/f.ts"],
  ...["views/home.html", "views/mail/one.txt", "views/[id].html"],
  ...["packages/one/src/i.ts", "packages/two/lib/j.ts", "packages/k.ts"],
  ...["z.ts", "elsewhere/l.ts"],
];
const GLOBS = [
  ...["src/**/*.ts", "**/*.ts", "src/*.ts", "src/**", "views/*.{html,txt}"],
  ...["views/**/*.txt", "packages/*/src/*.ts", "packages/!(two)/**/*.ts"],
  ...["*.ts", "none/**/*.ts", "./src/deep/*.ts", "{src,views}/**/*.*"],
];

const at = (file: string): string => path.join(root, file);
const always = (): boolean => true;

beforeAll(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "search-")));
  for (const file of FILES) {
    fs.mkdirSync(path.dirname(at(file)), { recursive: true });
    fs.writeFileSync(at(file), "");
  }
  fs.symlinkSync(at("elsewhere"), at("src/linked"));
  fs.symlinkSync(at("elsewhere/l.ts"), at("src/link.ts"));
  fs.symlinkSync(at("src"), at("src/deep/up"));
});

afterAll(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

describe.each(GLOBS)("%s", (pattern) => {
  const globs = (): { pattern: string; directory: string }[] => [
    { pattern, directory: root },
  ];
  /** What the manifest means; a way through a link that leads upwards isn't gone twice. */
  const meant = (): string[] =>
    globFiles(pattern, root).filter((file) => !file.includes("/up/"));

  it("means everywhere what it means in a manifest", () => {
    const found = searchGlobs(globs(), undefined, always);
    expect([...found].sort()).toEqual(meant().sort());
  });

  it("means at each file what it means in a manifest", () => {
    const found = [...FILES, "src/linked/l.ts", "src/link.ts"].filter((file) =>
      searchGlobs(globs(), at(file), always).has(at(file)),
    );
    const expected = meant().map((file) => path.relative(root, file));
    expect(found.sort()).toEqual(expected.sort());
  });

  it("means below each directory what it means in a manifest", () => {
    for (const directory of [".", "src", "src/deep", "views", "packages/one"]) {
      const found = searchGlobs(globs(), at(directory), always);
      const expected = meant().filter(
        (file) => directory === "." || file.startsWith(`${at(directory)}/`),
      );
      expect([directory, ...[...found].sort()]).toEqual([
        directory,
        ...expected.sort(),
      ]);
    }
  });
});

it("says which directories are looked into, also one that doesn't exist, each once", () => {
  const entered: string[] = [];
  const note = (directory: string): boolean => {
    entered.push(path.relative(root, directory));
    return true;
  };
  const directory = root;
  searchGlobs(
    [
      { pattern: "packages/*/src/*.ts", directory },
      { pattern: "packages/*.ts", directory },
      { pattern: "none/*.ts", directory },
    ],
    undefined,
    note,
  );
  expect(entered.sort()).toEqual([
    ...["none", "packages", "packages/one", "packages/one/src", "packages/two"],
  ]);
});

it("doesn't look into a directory that isn't to be entered, nor beside the place that is asked for", () => {
  const globs = [{ pattern: "src/**/*.ts", directory: root }];
  const entered: string[] = [];
  const found = searchGlobs(globs, at("src/deep"), (directory) => {
    entered.push(directory);
    return directory === at("src/deep");
  });
  expect([...found]).toEqual([at("src/deep/b.ts")]);
  expect(entered.sort()).toEqual([at("src/deep"), at("src/deep/er")]);
  expect(searchGlobs(globs, at("src/gone.ts"), always).size).toBe(0);
  expect(searchGlobs(globs, at("views/home.html"), always).size).toBe(0);
});
