/**
 * What the steps of a manifest (`run`) make, as it is written: which files that is, and what of it isn't there yet. Pure but for
 * the `Listing` it is given.
 *
 * Before a step has run for the first time, what it makes can't be found. So what a manifest lists or needs, and what such a
 * step may make, isn't missing: it is left out, and the manifest is read again once the step has run.
 */
import path from "node:path";
import { PreforkError } from "../errors.js";
import type { Listing } from "./listing.js";
import type { Written } from "./messages.js";
import type { ManifestPlace } from "./resolve.js";
import type { ProjectConfig, SourceEntry } from "./types.js";

/** One text of `makes`. */
export interface WrittenOutput {
  readonly written: Written;
  /** What the text is relative to, absolute. */
  readonly base: string;
  readonly isGlob: boolean;
  /** A path's file, which may not exist; a glob's matches. Absolute. */
  readonly files: readonly string[];
  /** What a glob may match and the manifest lists by name: those files must be there once the step has run. Absolute. */
  readonly listed: readonly string[];
  /** Does it still have to be made? */
  readonly isPending: boolean;
}

/** Everything that a manifest's steps make. */
export interface WrittenOutputs {
  /** By the step's place, like `sources[2].run`; in the order written. */
  readonly bySteps: ReadonlyMap<string, readonly WrittenOutput[]>;
  /** Is the file at an absolute path made by a step, and named by path? */
  has(file: string): boolean;
  /** Might what a text names, and isn't there, be made by a step that hasn't run yet? */
  mayMake(text: string, base: string): boolean;
}

/** The directory, or with a path the file, that no match can be outside of. */
function fixedPart(text: string, base: string, listing: Listing): string {
  const first = listing.isGlob(text) ? text.search(/[*?[\]{}()!]/) : -1;
  if (first === -1) return path.resolve(base, text);
  return path.resolve(base, text.slice(0, text.lastIndexOf("/", first) + 1));
}

function isAtOrBelow(file: string, directory: string): boolean {
  return file === directory || file.startsWith(directory + path.sep);
}

/** What entries name by path, there or not. */
function listedNames(
  entries: readonly SourceEntry[],
  base: string,
  listing: Listing,
): string[] {
  return entries.flatMap((entry) => {
    if (typeof entry !== "string" && "directory" in entry) {
      const directory = path.resolve(base, entry.directory);
      return listedNames(entry.sources, directory, listing);
    }
    const text = typeof entry === "string" ? entry : entry.file;
    const file = path.resolve(base, text);
    const found = listing.fileAt(file);
    return found === undefined && listing.isGlob(text) ? [] : [found ?? file];
  });
}

/**
 * Reads what a manifest's steps make.
 *
 * @throws PreforkError ERR_PREFORK_MANIFEST - a step makes a directory
 */
export function writtenOutputs(
  { sources = [] }: ProjectConfig,
  place: ManifestPlace,
  listing: Listing,
): WrittenOutputs {
  const bySteps = new Map<string, readonly WrittenOutput[]>();
  let known: readonly string[] | undefined;
  const listedBy = (text: string, base: string): string[] => {
    known ??= listedNames(sources, place.root, listing);
    const at = fixedPart(text, base, listing);
    return known.filter(
      (file) => isAtOrBelow(file, at) && listing.matches(text, base, file),
    );
  };

  const outputOf = (written: Written, base: string): WrittenOutput => {
    const { text, field } = written;
    const absolute = path.resolve(base, text);
    const file = listing.fileAt(absolute);
    if (file === undefined && listing.isGlob(text)) {
      const found = new Set(listing.glob(text, base));
      found.delete(place.path);
      const files = [...found].sort();
      const isPending = files.length === 0;
      const named = listedBy(text, base);
      return { written, base, isGlob: true, files, listed: named, isPending };
    }
    if (/[\\/]$/.test(text) || listing.isDirectory(absolute))
      throw new PreforkError(
        "ERR_PREFORK_MANIFEST",
        `${place.name}: ${field} "${text}" is a directory. Name its files, or write "${text.replace(/[\\/]+$/, "")}/**/*".`,
      );
    const isPending = file === undefined;
    return {
      written,
      base,
      isGlob: false,
      files: [file ?? absolute],
      listed: [],
      isPending,
    };
  };

  const read = (
    entries: readonly SourceEntry[],
    base: string,
    field: string,
  ): void => {
    entries.forEach((entry, index) => {
      if (typeof entry === "string") return;
      const here = `${field}[${index}]`;
      if ("directory" in entry) {
        const directory = path.resolve(base, entry.directory);
        read(entry.sources, directory, `${here}.sources`);
        return;
      }
      if (entry.run === undefined) return;
      const at = `${here}.run`;
      const outputs = entry.run.makes.map((text, number) =>
        outputOf({ text, field: `${at}.makes[${number}]` }, base),
      );
      bySteps.set(at, outputs);
    });
  };
  read(sources, place.root, "sources");

  const all = [...bySteps.values()].flat();
  const named = new Set(
    all.flatMap(({ isGlob, files, listed }) => (isGlob ? listed : files)),
  );
  const pending = all
    .filter(({ isPending }) => isPending)
    .map(({ written, base, isGlob }) => ({
      isGlob,
      at: fixedPart(written.text, base, listing),
    }));
  return {
    bySteps,
    has: (file) => named.has(file),
    mayMake: (text, base) => {
      if (named.has(path.resolve(base, text))) return true;
      if (pending.length === 0) return false;
      const at = fixedPart(text, base, listing);
      return pending.some(
        (made) =>
          isAtOrBelow(made.at, at) || (made.isGlob && isAtOrBelow(at, made.at)),
      );
    },
  };
}
