/** The texts of the errors that resolving a manifest ends with: what, where in the manifest, and the remedy. */
import path from "node:path";
import { PreforkError } from "../errors.js";
import type { Listing } from "./listing.js";
import { didYouMean, nearest } from "./nearest.js";

/** A path or glob that stands in a manifest, and where. */
export interface Written {
  /** As written. */
  readonly text: string;
  /** Like `sources[2].needs[0]`. */
  readonly field: string;
}

/** Paths as a manifest has them: relative, with slashes. */
export function relativeTo(directory: string, file: string): string {
  return path.relative(directory, file).replaceAll(path.sep, "/") || ".";
}

function at(manifest: string, { field, text }: Written): string {
  return `${manifest}: ${field} "${text}"`;
}

/** The path with its first wrong part replaced by the nearest name that exists. */
function nearestPath(
  listing: Listing,
  base: string,
  text: string,
): string | undefined {
  const parts = text.split(/[\\/]/);
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] ?? "";
    const directory = path.resolve(
      base,
      parts.slice(0, index).join("/") || ".",
    );
    const names = listing.namesIn(directory);
    if (part === "" || part === "." || part === ".." || names.includes(part))
      continue;
    const name = nearest(part, names);
    return name === undefined
      ? undefined
      : [...parts.slice(0, index), name, ...parts.slice(index + 1)].join("/");
  }
  return undefined;
}

/** Something listed isn't there. */
export function sourceMissing(
  manifest: string,
  root: string,
  base: string,
  written: Written,
  kind: "file" | "glob" | "directory",
  listing: Listing,
): PreforkError {
  const where = base === root ? "" : ` in ${relativeTo(root, base)}`;
  const absolute = path.resolve(base, written.text);
  let problem: string;
  if (kind === "glob") {
    problem = `matches no file${where} (files that start with a dot and node_modules are left out). Correct the glob, or remove it.`;
  } else if (kind === "file" && listing.isDirectory(absolute)) {
    problem = `is a directory. Write "${written.text.replace(/\/$/, "")}/**/*.ts", or { directory: "${written.text}", sources: [...] }.`;
  } else if (kind === "directory" && listing.fileAt(absolute) !== undefined) {
    problem = `is a file. Write { file: "${written.text}" } instead.`;
  } else {
    const meant = didYouMean(nearestPath(listing, base, written.text));
    problem = `doesn't exist${where}.${meant} Correct the path, or make the ${kind}.`;
  }
  return new PreforkError(
    "ERR_PREFORK_SOURCE_MISSING",
    `${at(manifest, written)} ${problem}`,
  );
}

/** A `needs` or `changes` names no source. */
export function needsUnknown(
  manifest: string,
  bases: readonly string[],
  written: Written,
  sources: Iterable<string>,
  listing: Listing,
): PreforkError {
  const candidates = new Set<string>();
  for (const source of sources)
    for (const base of bases) candidates.add(relativeTo(base, source));
  const exists = bases.some(
    (base) => listing.fileAt(path.resolve(base, written.text)) !== undefined,
  );
  const problem = exists
    ? "is a file, but not one of the listed sources. Add it to sources."
    : `names no listed source.${didYouMean(nearest(written.text, candidates))} Correct it, or add it to sources.`;
  return new PreforkError(
    "ERR_PREFORK_NEEDS_UNKNOWN",
    `${at(manifest, written)} ${problem}`,
  );
}

/** Sources need each other in a circle: `names` starts and ends with the same one, `fields` says where each step is written. */
export function needsCycle(
  manifest: string,
  names: readonly string[],
  fields: readonly string[],
): PreforkError {
  const problem =
    names.length === 2
      ? `${names[0] ?? ""} needs itself (${fields.join(", ")}). Remove that.`
      : `sources need each other in a circle: ${names.join(" -> ")} (${fields.join(", ")}). Remove one of these, ` +
        "or move what they share into a source of its own that they all need.";
  return new PreforkError("ERR_PREFORK_NEEDS_CYCLE", `${manifest}: ${problem}`);
}
