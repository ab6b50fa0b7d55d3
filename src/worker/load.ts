/**
 * Loads modules synchronously, ES modules too, by the path that `require()`
 * takes: it needs a third less time than `import()`, and it can be done a module at
 * a time without letting microtasks run in between.
 *
 * Relied on (Node 20.19 to 26): `Module._load(file, parent)`, which `require`
 * is made of; without a parent, a CommonJS module sees what it sees when it's imported.
 */
import { createRequire, Module } from "node:module";
import process from "node:process";

interface ModuleInternals {
  _load(file: string, parent: undefined, isMain: false): unknown;
}

/** Can this Node `require()` an ES module? 22.0 to 22.11 can't. */
export const canRequireModules: boolean = process.features.require_module;

/**
 * Loads a file, and evaluates what wasn't evaluated yet of it and its imports.
 *
 * @param requiredBy - file of the CommonJS module that becomes its parent
 * @returns its exports or namespace
 */
export function loadSync(file: string, requiredBy?: string): unknown {
  if (requiredBy !== undefined) return createRequire(requiredBy)(file);
  return (Module as unknown as ModuleInternals)._load(file, undefined, false);
}

/** Is this the refusal of a graph with top-level await? Nothing was evaluated then. */
export function isAsyncRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_REQUIRE_ASYNC_MODULE"
  );
}

/** Node warns once that requiring ES modules is experimental: that isn't the app's doing. */
export function silenceRequireWarning(): void {
  if (!canRequireModules) return;
  // Taken and put back as it is.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const warn = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    createRequire(import.meta.url)("./nothing.js");
  } finally {
    process.emitWarning = warn;
  }
}
