/** Which of the paths that packages ask for lead to files of the program. */
import { expect, it } from "vitest";
import { pathOf } from "../../../src/worker/package-loads.js";

const CACHE = "/app/node_modules/.cache/prefork-dev/v2";
const PACKAGE = "/app/node_modules/autoload/lib/index.js";

it.each([
  ["an absolute path", "/app/src/a.ts", PACKAGE, "/app/src/a.ts"],
  ["a URL", "file:///app/src/it%20is/a.ts", PACKAGE, "/app/src/it is/a.ts"],
  ["a URL with a query", "file:///app/a.ts?t=1", PACKAGE, "/app/a.ts"],
  ["a relative path", "../../../src/a", PACKAGE, "/app/src/a"],
  ["a scoped package", "/app/a.ts", "/app/node_modules/@a/b/c.js", "/app/a.ts"],
  ["a linked store", "/a.ts", "/x/node_modules/.pnpm/a/b.js", "/a.ts"],
])("%s out of the packages does", (_what, specifier, from, file) => {
  expect(pathOf(specifier, from, CACHE)).toBe(file);
});

it.each([
  ["its own file", "./other.js", PACKAGE],
  ["a file of another package", "../../other/index.js", PACKAGE],
  ["a package", "express", PACKAGE],
  ["a built-in", "node:fs", PACKAGE],
  ["a subpath import", "#own", PACKAGE],
  ["another scheme", "data:text/javascript,1", PACKAGE],
  ["a URL of another host", "file://host/a.ts", PACKAGE],
  ["a compiled file", `${CACHE}/out/a.mjs`, PACKAGE],
  ["whatever the program asks for", "/app/src/a.ts", "/app/src/b.ts"],
  ["whatever compiled code asks for", "/app/src/a.ts", `${CACHE}/out/b.cjs`],
])("%s doesn't", (_what, specifier, from) => {
  expect(pathOf(specifier, from, CACHE)).toBeUndefined();
});
