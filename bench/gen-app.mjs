/**
 * Generates an Express app in TypeScript of a given number of modules.
 *
 *     node bench/gen-app.mjs DIRECTORY MODULES [SHAPE]
 *
 * The modules form a tree: each imports up to ten others, as routers import
 * services and services import helpers, and all import `src/base.ts`. The server
 * imports the tree and `src/version.ts`. Any of these files can be saved with a
 * new version; what was saved can be asked for at the file's URL.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import {
  SHAPES,
  baseSource,
  childrenOf,
  clusterSource,
  files,
  moduleSource,
  serverSource,
  versionSource,
} from "./lib/app-source.mjs";

/** What every file says before it was saved. */
export const FIRST_VERSION = "0";

/**
 * Writes an app, over whatever stood there.
 *
 * @param directory - created if need be
 * @param modules - how many modules the tree has, at least 1
 * @param shape - one of {@link SHAPES}, default the first
 * @returns `{ directory, modules, version, base, module(index), leaves, bytes }`: the
 *   files that can be saved, each `{ name, url, save(version) }`, `leaves` being the
 *   indices of modules that import none, in the order they are evaluated in
 */
export function generateApp(directory, modules, shape = SHAPES[0]) {
  if (!Number.isInteger(modules) || modules < 1) {
    throw new Error(
      `An app needs a whole number of modules from 1 on, not ${String(modules)}.`,
    );
  }
  if (!SHAPES.includes(shape)) {
    throw new Error(`The shapes are ${SHAPES.join(", ")}, not "${shape}".`);
  }
  let bytes = 0;
  const write = (name, text) => {
    const target = path.join(directory, name);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
    bytes += Buffer.byteLength(text);
  };
  const savable = (name, url, source) => ({
    name,
    url,
    save: (version) => write(name, source(version)),
  });
  const app = {
    directory,
    modules,
    version: savable(files.version, "/", versionSource),
    base: savable(files.base, "/base", (version) => baseSource(version, shape)),
    module: (index) =>
      savable(files.module(index), `/module/${index}`, (version) =>
        moduleSource(index, modules, version, shape),
      ),
    leaves: [...leavesBelow(0, modules)],
  };

  rmSync(path.join(directory, "src"), { recursive: true, force: true });
  write(
    "package.json",
    json({ name: `app-${modules}`, private: true, type: "module" }),
  );
  write("tsconfig.json", json({ compilerOptions }));
  write(files.server, serverSource(shape));
  write(files.cluster, clusterSource());
  app.version.save(FIRST_VERSION);
  app.base.save(FIRST_VERSION);
  for (let index = 0; index < modules; index++) {
    app.module(index).save(FIRST_VERSION);
  }
  return { ...app, bytes };
}

const compilerOptions = {
  target: "ES2022",
  module: "NodeNext",
  moduleResolution: "NodeNext",
  allowImportingTsExtensions: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  strict: true,
  noEmit: true,
};

function* leavesBelow(index, modules) {
  const children = childrenOf(index, modules);
  if (children.length === 0) yield index;
  for (const child of children) yield* leavesBelow(child, modules);
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [directory, modules, shape] = process.argv.slice(2);
  if (directory === undefined || modules === undefined) {
    console.error(
      `Usage: node bench/gen-app.mjs DIRECTORY MODULES [${SHAPES.join("|")}]`,
    );
    process.exitCode = 2;
  } else {
    const { bytes } = generateApp(directory, Number(modules), shape);
    console.log(`${Math.round(bytes / 1024)} KiB`);
  }
}
