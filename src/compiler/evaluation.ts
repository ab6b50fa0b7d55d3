/**
 * What a source's code and what its specifiers mean say about evaluation: what comes before it, what it may load itself.
 *
 * Where the order can't be told from the code, less is said to come before: what isn't known is never evaluated ahead.
 */
import { isBuiltin } from "node:module";
import { extname } from "node:path";
import type { ImportRequest } from "./record.js";
import type { Resolution } from "./resolve.js";
import type { SourceFile } from "./source-file.js";

/** See `BuiltSource` for the two lists. */
export interface Evaluation {
  readonly before: readonly string[];
  readonly during: readonly string[];
  /** Whether `before` has all that is evaluated before the code itself. */
  readonly isComplete: boolean;
}

/** What a process asked for on a source's behalf, as it resolves now. */
export interface Asked {
  readonly kind: ImportRequest["kind"];
  readonly resolution: Resolution;
}

/** Of what is no code. */
export const NO_EVALUATION: Evaluation = {
  before: [],
  during: [],
  isComplete: true,
};

/** Reads a source's resolutions, and what processes asked for on its behalf. */
export function evaluationOf(
  { path, summary, resolutions }: SourceFile,
  asked: readonly Asked[],
): Evaluation {
  if (summary === undefined) return NO_EVALUATION;
  const before = new Set<string>();
  let isComplete = true;
  let known = 0;
  for (; known < summary.before.length; known++) {
    const index = summary.before[known] ?? -1;
    const request = summary.imports[index];
    const resolution = resolutions[index];
    if (request === undefined || resolution === undefined) continue;
    if (isPlain(resolution)) before.add(resolution.path);
    else if (!isBuiltinModule(request, resolution)) {
      isComplete = false;
      break;
    }
  }
  const early = new Set(summary.before.slice(0, known));
  const during = new Set<string>();
  summary.imports.forEach(({ kind, isStatic }, index) => {
    const isLoaded = kind === "require" || isStatic;
    if (isLoaded && !early.has(index)) addSource(during, resolutions[index]);
  });
  for (const { kind, resolution } of asked) {
    if (kind === "require") addSource(during, resolution);
  }
  // A module that imports itself waits for nothing.
  before.delete(path);
  during.delete(path);
  for (const known of before) during.delete(known);
  return { before: [...before], during: [...during], isComplete };
}

/**
 * One module by its path alone. With a query it is another instance each time; WebAssembly can't be loaded
 * synchronously.
 */
function isPlain(
  resolution: Resolution,
): resolution is Extract<Resolution, { kind: "source" | "package" }> {
  return (
    (resolution.kind === "source" || resolution.kind === "package") &&
    resolution.suffix === "" &&
    extname(resolution.path) !== ".wasm"
  );
}

/** Node's own; not `data:` URLs, which are code, nor what only Node will find at run time. */
function isBuiltinModule(
  { specifier }: ImportRequest,
  { kind }: Resolution,
): boolean {
  return kind === "node" && isBuiltin(specifier);
}

function addSource(set: Set<string>, resolution: Resolution | undefined): void {
  if (resolution?.kind === "source") set.add(resolution.path);
}
