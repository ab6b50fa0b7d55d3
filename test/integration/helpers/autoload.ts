/** Packages that read a directory that they are given, and load each file in it: what frameworks' autoloaders and ORMs do. */

const ESM = `import { readdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";

export async function autoload(directory) {
  const loaded = [];
  for (const name of (await readdir(directory)).sort()) {
    const { href } = pathToFileURL(path.join(directory, name));
    loaded.push((await import(href)).default);
  }
  return loaded;
}
`;

const CJS = `const { readdirSync } = require("node:fs");
const path = require("node:path");

exports.autoload = (directory) =>
  readdirSync(directory).sort().map((name) => require(path.join(directory, name)).default);
`;

/** The files of the packages `autoload-esm` and `autoload-cjs`, by path. */
export const autoloaders: Readonly<Record<string, string>> = {
  "node_modules/autoload-esm/package.json": `{ "name": "autoload-esm", "version": "1.0.0", "type": "module", "exports": "./index.js" }`,
  "node_modules/autoload-esm/index.js": ESM,
  "node_modules/autoload-cjs/package.json": `{ "name": "autoload-cjs", "version": "1.0.0", "main": "./index.js" }`,
  "node_modules/autoload-cjs/index.js": CJS,
};
