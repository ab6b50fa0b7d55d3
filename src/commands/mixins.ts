/** From the modules of mixins to one class, in the master and in its processes alike. */
import { messageOf, PreforkError } from "../errors.js";
import { Worker } from "./worker.js";
import type { WorkerConstructor } from "./worker.js";

/** What a module of mixins exports by default. */
export interface LoadedMixin {
  /** Absolute path of the original. */
  readonly file: string;
  readonly exported: unknown;
}

const EXAMPLE =
  "export default (Base) => class extends Base { childFoo() { … } }";

function wrongShape(file: string, problem: string): PreforkError {
  return new PreforkError(
    "ERR_PREFORK_MIXIN",
    `${file}: ${problem}. A mixin is a function from a class to one that extends it, or a list of such: ${EXAMPLE}`,
  );
}

function shownKind(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? "an object" : `of type ${typeof value}`;
}

function isClass(value: object): boolean {
  return (
    Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false
  );
}

function isExtensionOf(
  value: unknown,
  base: WorkerConstructor,
): value is WorkerConstructor {
  if (typeof value !== "function") return false;
  const prototype: unknown = value.prototype;
  return value === base || prototype instanceof base;
}

function applyOne(
  base: WorkerConstructor,
  mixin: unknown,
  file: string,
  what: string,
): WorkerConstructor {
  if (typeof mixin !== "function")
    throw wrongShape(file, `${what} is ${shownKind(mixin)}`);
  if (isClass(mixin))
    throw wrongShape(file, `${what} is a class, not a function that makes one`);
  let made: unknown;
  try {
    made = (mixin as (base: WorkerConstructor) => unknown)(base);
  } catch (cause) {
    throw new PreforkError(
      "ERR_PREFORK_MIXIN",
      `${file}: ${what} threw when it was applied: ${messageOf(cause)}`,
      { cause },
    );
  }
  if (!isExtensionOf(made, base))
    throw wrongShape(file, `${what} returned no class that extends its base`);
  return made;
}

/**
 * Applies mixins in order: each extends what those before it made.
 *
 * @throws PreforkError `ERR_PREFORK_MIXIN` when one isn't a mixin
 */
export function applyMixins(loaded: Iterable<LoadedMixin>): WorkerConstructor {
  let made: WorkerConstructor = Worker;
  for (const { file, exported } of loaded) {
    if (!Array.isArray(exported)) {
      made = applyOne(made, exported, file, "its default export");
      continue;
    }
    for (const [index, mixin] of (exported as unknown[]).entries())
      made = applyOne(made, mixin, file, `mixin ${index} of its list`);
  }
  return made;
}

/** The default export of a module's namespace. CommonJS that was compiled from ESM has it one level deeper. */
export function defaultExportOf(namespace: object): unknown {
  const value: unknown = Reflect.get(namespace, "default");
  return typeof value === "object" &&
    value !== null &&
    "__esModule" in value &&
    "default" in value
    ? value.default
    : value;
}
