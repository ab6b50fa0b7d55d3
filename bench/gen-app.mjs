/**
 * Generates an Express app in TypeScript of a given number of modules.
 *
 *     node bench/gen-app.mjs DIRECTORY MODULES
 *
 * The modules form a tree: each imports up to ten others, as routers import
 * services and services import helpers. The deepest one imports
 * `src/version.ts`, the file that the benchmark saves, so that a save's
 * closure is the way from there up to the server and not the project.
 * Only syntax that can be erased is used, and imports name the `.ts` file: every
 * tool that is compared can run it as it is.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const FAN_OUT = 10;
const FUNCTIONS_PER_MODULE = 8;

/** The file that is saved, relative to the app. */
export const EDITED_FILE = path.join("src", "version.ts");

/** The text of {@link EDITED_FILE} for a version. */
export function versionSource(version) {
  return `export const version: string = ${JSON.stringify(version)};\n`;
}

/**
 * Writes the app, over whatever stood there.
 *
 * @param directory - created if need be
 * @param modules - how many modules besides the server and the version, at least 1
 * @returns how many TypeScript files and bytes were written
 */
export function generateApp(directory, modules) {
  if (!Number.isInteger(modules) || modules < 1) {
    throw new Error(
      `An app needs a whole number of modules from 1 on, not ${String(modules)}.`,
    );
  }
  const sources = new Map();
  for (let index = 0; index < modules; index++) {
    sources.set(moduleFile(index), moduleSource(index, modules));
  }
  sources.set(EDITED_FILE, versionSource("v0"));
  sources.set(path.join("src", "server.ts"), serverSource());

  rmSync(path.join(directory, "src"), { recursive: true, force: true });
  let bytes = 0;
  for (const [file, text] of sources) {
    bytes += Buffer.byteLength(text);
    write(directory, file, text);
  }
  write(
    directory,
    "package.json",
    json({ name: `app-${modules}`, private: true, type: "module" }),
  );
  write(directory, "tsconfig.json", json({ compilerOptions }));
  return { files: sources.size, bytes };
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

function serverSource() {
  return `import express from "express";
import { describe0, version } from "./${posix(path.relative("src", moduleFile(0)))}";

const app = express();

app.get("/", (_request, response) => {
  response.set("x-app-pid", String(process.pid));
  response.type("text").send(version);
});

app.get("/describe", (_request, response) => {
  response.json(describe0({ id: 1, name: "benchmark", tags: [] }));
});

app.listen(Number(process.env.PORT ?? 3000));
`;
}

/** Ten modules share a folder, as features do. */
function moduleFile(index) {
  const feature = Math.floor(index / FAN_OUT);
  return path.join("src", `feature${feature}`, `module${index}.ts`);
}

function childrenOf(index, modules) {
  const first = index * FAN_OUT + 1;
  const children = [];
  for (let child = first; child < first + FAN_OUT && child < modules; child++) {
    children.push(child);
  }
  return children;
}

/** The ancestors of the last module pass the version up to the server. */
function isOnTheWay(index, modules) {
  for (let at = modules - 1; ; at = Math.floor((at - 1) / FAN_OUT)) {
    if (at === index) return true;
    if (at === 0) return false;
  }
}

function moduleSource(index, modules) {
  const from = path.dirname(moduleFile(index));
  const importFrom = (names, file) => {
    const relative = posix(path.relative(from, file));
    const specifier = relative.startsWith(".") ? relative : `./${relative}`;
    return `import { ${names} } from ${JSON.stringify(specifier)};\n`;
  };
  const children = childrenOf(index, modules);
  const heir = children.find((child) => isOnTheWay(child, modules));
  let head = "";
  for (const child of children) {
    const version = child === heir ? `, version as version${child}` : "";
    head += importFrom(`describe${child}${version}`, moduleFile(child));
  }
  let own = "";
  if (index === modules - 1) {
    head += importFrom("version as current", EDITED_FILE);
    own = "export const version: string = current;\n";
  } else if (heir !== undefined) {
    own = `export const version: string = version${heir};\n`;
  }
  return `${head}\n${own}${functionsSource(index)}${describeSource(index, children)}`;
}

/** What fills an ordinary module: types, and code that has to be parsed. */
function functionsSource(index) {
  let text = `
interface Item${index} {
  readonly id: number;
  readonly name: string;
  readonly tags: readonly string[];
}
`;
  for (let k = 0; k < FUNCTIONS_PER_MODULE; k++) {
    text += `
/** Rule ${k} of module ${index}. */
function rule${k}(item: Item${index}, weight: number = ${k + 1}): string {
  const parts: Record<string, number> = {
    id: item.id * weight,
    tags: item.tags.length + ${index},
    name: item.name.length,
  };
  return Object.entries(parts)
    .filter(([, value]) => value > ${k})
    .map(([key, value]) => \`\${key}=\${value}\`)
    .join(",");
}
`;
  }
  return text;
}

function describeSource(index, children) {
  const rules = Array.from(
    { length: FUNCTIONS_PER_MODULE },
    (_, k) => `rule${k}(item)`,
  );
  const deeper = children.map((child) => `...describe${child}(item)`);
  return `
export function describe${index}(item: Item${index}): string[] {
  return [
    ${[...rules, ...deeper].join(",\n    ")},
  ];
}
`;
}

function write(directory, file, text) {
  const target = path.join(directory, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function posix(file) {
  return file.split(path.sep).join("/");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [directory, modules] = process.argv.slice(2);
  if (directory === undefined || modules === undefined) {
    console.error("Usage: node bench/gen-app.mjs DIRECTORY MODULES");
    process.exitCode = 2;
  } else {
    const { files, bytes } = generateApp(directory, Number(modules));
    console.log(`${files} files, ${Math.round(bytes / 1024)} KiB`);
  }
}
