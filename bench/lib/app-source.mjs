/**
 * The text of the benchmark's apps: what a module of the tree, the base, the
 * version and the server look like. Pure; `gen-app.mjs` says which there are.
 *
 * Every file but the server has a constant `version`, and the server answers
 * with it when asked for that file: so a save is seen in the answers, whatever
 * file was saved. Finding it costs a switch per level of the tree.
 * Only syntax that can be erased is used, and imports name the `.ts` file: every
 * tool that is compared can run it as it is.
 */
import path from "node:path";

const FAN_OUT = 10;
const FUNCTIONS_PER_MODULE = 8;

/**
 * What differs between the shapes.
 *
 * `express-first` imports packages before the project's own files, as most
 * projects do, and each file does something when it is evaluated (fills a map),
 * as files that register routes or make clients do.
 * `express-last` imports the package after the tree, and files of the tree that
 * import nothing only declare.
 */
export const SHAPES = ["express-first", "express-last"];

/** Where things are, relative to the app. Ten modules share a folder, as features do. */
export const files = {
  server: "src/server.ts",
  cluster: "src/cluster.ts",
  version: "src/version.ts",
  base: "src/base.ts",
  module: (index) =>
    `src/feature${Math.floor(index / FAN_OUT)}/module${index}.ts`,
};

/** The modules that one imports. */
export function childrenOf(index, modules) {
  const first = index * FAN_OUT + 1;
  const count = Math.max(0, Math.min(FAN_OUT, modules - first));
  return Array.from({ length: count }, (_, k) => first + k);
}

export function serverSource(shape) {
  const isLast = shape === "express-last";
  const names = isLast
    ? "describe0, note0, versionOf0"
    : "describe0, versionOf0";
  const express = `import express from "express";\n`;
  return `${isLast ? `import http from "node:http";\n` : express}import { ${names} } from "./feature0/module0.ts";
import { version as baseVersion } from "./base.ts";
import { version } from "./version.ts";
${isLast ? express : ""}
const app = express();

app.get("/", (_request, response) => {
  response.set("x-app-pid", String(process.pid));
  response.type("text").send(${isLast ? "version + note0" : "version"});
});

app.get("/base", (_request, response) => {
  response.set("x-app-pid", String(process.pid));
  response.type("text").send(baseVersion);
});

app.get("/module/:index", (request, response) => {
  response.set("x-app-pid", String(process.pid));
  response.type("text").send(versionOf0(wayTo(Number(request.params.index))));
});

app.get("/describe", (_request, response) => {
  response.json(describe0({ id: 1, name: "benchmark", tags: [] }));
});

/** A module and those above it, the deepest first, without the topmost. */
function wayTo(index: number): number[] {
  const way: number[] = [];
  for (let at = index; at > 0; at = Math.floor((at - 1) / ${FAN_OUT})) way.push(at);
  return way;
}

${isLast ? "http.createServer(app)" : "app"}.listen(Number(process.env.PORT ?? 3000));
`;
}

/** What runs the server in several processes where the tool has only one. */
export function clusterSource() {
  return `import cluster from "node:cluster";

if (cluster.isPrimary) {
  for (let i = 0; i < Number(process.env.WORKERS ?? 4); i++) cluster.fork();
} else {
  await import("./server.ts");
}
`;
}

export function versionSource(version) {
  return `export const version: string = ${JSON.stringify(version)};\n`;
}

export function baseSource(version, shape) {
  const weights =
    shape === "express-last"
      ? `const weights: Record<string, number> = { id: 1, tags: 2, name: 3 };

export function weigh(part: string, value: number): number {
  return value * (weights[part] ?? 1);
}
`
      : `const weights = new Map<string, number>([
  ["id", 1],
  ["tags", 2],
  ["name", 3],
]);

export function weigh(part: string, value: number): number {
  return value * (weights.get(part) ?? 1);
}
`;
  return `${versionSource(version)}\n${weights}`;
}

/** A module of the tree, with its version. */
export function moduleSource(index, modules, version, shape) {
  const isLast = shape === "express-last";
  const children = childrenOf(index, modules);
  let text = importOf(["weigh"], index, files.base);
  for (const child of children) {
    const names = [`describe${child}`, `versionOf${child}`];
    if (isLast) names.push(`note${child}`);
    text += importOf(names, index, files.module(child));
  }
  text += `\n${versionSource(version)}${functionsSource(index)}`;
  text += isLast ? noteSource(index, children) : registrySource(index);
  return `${text}${describeSource(index, children, isLast)}${lookUpSource(index, children)}`;
}

function importOf(names, importer, file) {
  const from = path.posix.dirname(files.module(importer));
  const relative = path.posix.relative(from, file);
  const specifier = relative.startsWith(".") ? relative : `./${relative}`;
  return `import { ${names.join(", ")} } from ${JSON.stringify(specifier)};\n`;
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
    .map(([key, value]) => \`\${key}=\${weigh(key, value)}\`)
    .join(",");
}
`;
  }
  return text;
}

const eachRule = (text) =>
  Array.from({ length: FUNCTIONS_PER_MODULE }, (_, k) => text(k)).join("\n");

/** Something that happens when the module is evaluated. */
function registrySource(index) {
  return `
const rules = new Map<string, (item: Item${index}) => string>();
${eachRule((k) => `rules.set("rule${k}", rule${k});`)}
`;
}

/** A value that is made of the children's, and nothing where there are none. */
function noteSource(index, children) {
  const value = children.map((child) => `note${child}`).join(" || ") || `""`;
  return `\nexport const note${index}: string = ${value};\n`;
}

function describeSource(index, children, isLast) {
  const own = isLast
    ? eachRule((k) => `    rule${k}(item),`)
    : "    ...[...rules.values()].map((rule) => rule(item)),";
  const deeper = children.map((child) => `    ...describe${child}(item),\n`);
  return `
export function describe${index}(item: Item${index}): string[] {
  return [
${own}
${deeper.join("")}  ];
}
`;
}

function lookUpSource(index, children) {
  const cases = children.map(
    (child) => `    case ${child}:\n      return versionOf${child}(way);\n`,
  );
  return `
export function versionOf${index}(way: number[]): string {
  switch (way.pop()) {
${cases.join("")}    default:
      return version;
  }
}
`;
}
