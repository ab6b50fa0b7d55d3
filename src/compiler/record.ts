/** What is known of one source's code, whatever its identity: the values, and their form on disk. */

/** How Node loads a compiled file. */
export type ModuleFormat = "esm" | "cjs";

/** One specifier that the code asks for; occurrences with the same meaning are one. */
export interface ImportRequest {
  readonly specifier: string;
  /** Which of Node's two resolutions applies. */
  readonly kind: "import" | "require";
  /** Evaluated before the importer, so that it must resolve. */
  readonly isStatic: boolean;
}

/** Where a specifier stands in the code. */
export interface Place {
  /** Index into `imports`. */
  readonly request: number;
  /** Offset of the string's opening quote. */
  readonly start: number;
  /** Offset after the string's closing quote. */
  readonly end: number;
  /** Offset after the import attributes (equal to `end` when there are none). */
  readonly attributesEnd: number;
  readonly form: "static" | "dynamic" | "reexport";
}

/** What the graph needs to know of a source's code. */
export interface RecordSummary {
  readonly format: ModuleFormat;
  /** Static ones first, each group in source order. */
  readonly imports: readonly ImportRequest[];
  /** Indexes of `imports`: what is evaluated before the code itself, in that order. */
  readonly before: readonly number[];
  /** The code names `PREFORK_WORKER`. */
  readonly isWorkerSpecific: boolean;
}

/** The code before linking. */
export interface LinkableCode extends RecordSummary {
  readonly code: string;
  readonly places: readonly Place[];
  /** What the prologue must set on `import.meta`. */
  readonly meta: readonly ("resolve" | "main" | "location")[];
  /** A `"use strict"` in the prologue. */
  readonly strict: boolean;
  /** Whether it is code that may call `require`; JSON isn't. */
  readonly requires: boolean;
}

/** The parts of a source map that depend on the code. */
export interface Mappings {
  readonly mappings: string;
  readonly names: readonly string[];
}

/**
 * A record as it is written: a source map for the output (its line 1 is the prologue), and under `x_prefork` our own.
 *
 * @param url - of the original file
 */
export function serializeRecord(
  linkable: LinkableCode,
  map: Mappings,
  url: string,
  text: string,
): string {
  return JSON.stringify({
    version: 3,
    sources: [url],
    sourcesContent: [text],
    names: map.names,
    mappings: `;${map.mappings}`,
    x_prefork: linkable,
  });
}

/** Reads what {@link serializeRecord} wrote; `undefined` for anything else. */
export function parseRecord(text: string): LinkableCode | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const own: unknown = Reflect.get(value, "x_prefork");
    return isLinkable(own) ? own : undefined;
  } catch {
    return undefined;
  }
}

// Only this program writes these files, under a folder named by format version, and by rename: a check of the
// outline is enough to turn down a file that a full disk cut off.
function isLinkable(value: unknown): value is LinkableCode {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    typeof value.code === "string" &&
    "places" in value &&
    Array.isArray(value.places) &&
    "imports" in value &&
    Array.isArray(value.imports) &&
    "before" in value &&
    Array.isArray(value.before) &&
    "format" in value
  );
}
