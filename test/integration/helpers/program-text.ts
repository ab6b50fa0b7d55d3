/** Writes random programs as files of an app: modules that tell what they notice, an entry that answers with it. */
import type { TestApp } from "./app.js";
import type {
  Format,
  Leftover,
  Module,
  RandomProgram,
} from "./random-program.js";

/** How the entry of an app is written. */
export interface Entry {
  /** Relative to the app. */
  readonly file: string;
  readonly format: "esm" | "transpiled";
  /** Whether it has a top-level await. */
  readonly waits: boolean;
}

const EXTENSIONS: Record<Format, string> = {
  esm: ".mts",
  transpiled: ".cts",
  handwritten: ".cjs",
};

/**
 * Where modules write down what they notice. Timeouts and immediates have lists of their own: how a 0 ms timeout
 * and an immediate go together is chance in any process.
 */
const PROBE = `
const state = { main: [] as string[], immediates: [] as string[], timeouts: [] as string[] };
let count = 0;
const probe = {
  pending: 0,
  say(text: string) { state.main.push(text + " #" + ++count); },
  immediate(text: string) { probe.pending--; state.immediates.push(text + " after " + state.main.length); },
  timeout(text: string) { probe.pending--; state.timeouts.push(text); },
  async settled() {
    while (probe.pending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return state;
  },
};
(globalThis as any).probe = probe;
`;

/** The files that all programs of an app share. Packages log as sources do; one of them in CommonJS, one that leaves something for later. */
export const SHARED_FILES: Readonly<Record<string, string>> = {
  "src/probe.mts": PROBE,
  "src/probe.cts": PROBE,
  "node_modules/p0/package.json": `{ "name": "p0", "type": "module", "exports": "./index.js" }`,
  "node_modules/p0/index.js": `import "./inner.js";\nprobe.say("p0");\n`,
  "node_modules/p0/inner.js": `probe.say("p0/inner");\n`,
  "node_modules/p1/package.json": `{ "name": "p1" }`,
  "node_modules/p1/index.js": `probe.say("p1");\nrequire("./inner.js");\nprobe.say("end of p1");\n`,
  "node_modules/p1/inner.js": `probe.say("p1/inner");\n`,
  "node_modules/p2/package.json": `{ "name": "p2" }`,
  "node_modules/p2/index.js": `require("p1");\nPromise.resolve().then(() => probe.say("then of p2"));\nprobe.say("p2");\n`,
};

/** Writes all of a program but the entry, into a directory of its own. */
export function writeProgram(
  app: TestApp,
  directory: string,
  program: RandomProgram,
): void {
  for (const index of program.modules.keys())
    writeModule(app, directory, program, index, 0);
}

/** Writes one of a program's modules. `version` is what distinguishes it from what was there. */
export function writeModule(
  app: TestApp,
  directory: string,
  { formats, modules }: RandomProgram,
  index: number,
  version: number,
): void {
  const module = modules[index];
  if (module === undefined) throw new Error(`no module ${index}`);
  const file = `${directory}/${fileOf(index, formats)}`;
  app.write(file, moduleText(index, module, formats, version));
}

/** Writes the entry of a program. */
export function writeEntry(
  app: TestApp,
  { file, format, waits }: Entry,
  directory: string,
  { formats }: RandomProgram,
): void {
  app.write(
    file,
    [
      `import http from "node:http";`,
      `import "./probe${EXTENSIONS[format]}";`,
      `import "./${directory.replace(/^src\//, "")}/${fileOf(0, formats)}";`,
      `const probe = (globalThis as any).probe;`,
      `probe.say("entry");`,
      ...(waits ? [`await null;`, `probe.say("entry goes on");`] : []),
      ...leftoversText("entry", ["then", "tick", "immediate", "timeout"]),
      `http.createServer(async (_request, response) => {`,
      `  response.end(JSON.stringify(await probe.settled()));`,
      `}).listen(3000);`,
      `probe.say("end of entry");`,
      ``,
    ].join("\n"),
  );
}

function fileOf(index: number, formats: readonly Format[]): string {
  return `n${index}${EXTENSIONS[formats[index] ?? "esm"]}`;
}

function moduleText(
  index: number,
  module: Module,
  formats: readonly Format[],
  version: number,
): string {
  const name = `n${index} v${version}`;
  const format = formats[index] ?? "esm";
  const isHandwritten = format === "handwritten";
  const specifier = (each: number | string): string =>
    JSON.stringify(
      typeof each === "number" ? `./${fileOf(each, formats)}` : each,
    );
  const imports = module.before.map((each) => {
    const isCalled = !module.isInert && module.calls.some((n) => n === each);
    if (isHandwritten)
      return `${isCalled ? `const m${each} = ` : ""}require(${specifier(each)});`;
    return isCalled
      ? `import * as m${each} from ${specifier(each)};`
      : `import ${specifier(each)};`;
  });
  const declared = isHandwritten
    ? [`exports.version = ${version};`]
    : [`export const version = ${version};`, `export function f() {}`];
  if (module.isInert) return [...imports, ...declared, ""].join("\n");
  const loads = isHandwritten ? module.loads : [];
  const code = [
    `probe.say("begin ${name}");`,
    ...loads.flatMap(({ target, how }) => {
      const file = specifier(target);
      const argument = how === "computed" ? `["", ${file}].join("")` : file;
      return how === "when it is called" ? [] : [`require(${argument});`];
    }),
    ...waitText(name, format === "esm" ? module.waits : "no"),
    ...module.calls.map((each) => `(m${each} as any).later?.();`),
    ...leftoversText(name, module.leaves),
    `probe.say("end of ${name}");`,
  ].map((line) => (isHandwritten ? line.replace(" as any", "") : line));
  const later = loads.flatMap(({ target, how }) =>
    how === "when it is called" ? [`require(${specifier(target)});`] : [],
  );
  const exported = isHandwritten
    ? [
        `exports.later = () => { probe.say("later of ${name}"); ${later.join(" ")} };`,
      ]
    : [`export function later() { probe.say("later of ${name}"); }`];
  // Every other version of hand-written code has some before its requires, which aren't leading ones then.
  return isHandwritten && version % 2 === 1
    ? [
        `probe.say("first of ${name}");`,
        ...imports,
        ...exported,
        ...code,
        "",
      ].join("\n")
    : [...imports, ...declared, ...exported, ...code, ""].join("\n");
}

function waitText(name: string, waits: Module["waits"]): string[] {
  if (waits === "no") return [];
  const promise =
    waits === "for a microtask"
      ? "Promise.resolve()"
      : "new Promise((resolve) => setImmediate(resolve))";
  return [`await ${promise};`, `probe.say("${name} goes on");`];
}

/** In the module's own code: who left it is told by the call stack. */
function leftoversText(name: string, leaves: readonly Leftover[]): string[] {
  const say = (what: string): string => `() => probe.say("${what} of ${name}")`;
  return leaves.map((what) => {
    switch (what) {
      case "then":
        return `Promise.resolve().then(${say(what)});`;
      case "tick":
        return `process.nextTick(${say(what)});`;
      case "microtask":
        return `queueMicrotask(${say(what)});`;
      case "immediate":
        return `probe.pending++; setImmediate(() => probe.immediate("${name}"));`;
      case "timeout":
        return `probe.pending++; setTimeout(() => probe.timeout("${name}"), 0);`;
    }
  });
}
