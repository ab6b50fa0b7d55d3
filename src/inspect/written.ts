/** What a manifest's list says entry by entry, also of entries that name nothing. Pure but for the `Listing` it is given. */
import path from "node:path";
import type { Listing } from "../manifest/listing.js";
import { sourceMissing } from "../manifest/messages.js";
import { writtenOutputs } from "../manifest/outputs.js";
import type { ManifestPlace } from "../manifest/resolve.js";
import type { ProjectConfig, SourceEntry } from "../manifest/types.js";
import type { WrittenEntry } from "./types.js";

/** An entry that names nothing. */
export interface MissingEntry {
  readonly field: string;
  readonly text: string;
  /** What, where and what to do. */
  readonly message: string;
}

/** A manifest's list, entry by entry. */
export interface WrittenList {
  /** In order. */
  readonly entries: readonly WrittenEntry[];
  readonly missing: readonly MissingEntry[];
  /** The manifest without the entries that name nothing. The others stand where they stood. */
  readonly config: ProjectConfig;
}

/** Keeps the place of an entry that names nothing, and lists nothing. */
const PLACEHOLDER: SourceEntry = { directory: ".", sources: [] };

/** Names that say which files are meant; all others are options. */
const NAMING = new Set(["file", "directory", "sources"]);

/** Reads a manifest's list. */
export function writtenList(
  config: ProjectConfig,
  place: ManifestPlace,
  listing: Listing,
): WrittenList {
  const entries: WrittenEntry[] = [];
  const missing: MissingEntry[] = [];
  const outputs = writtenOutputs(config, place, listing);

  const miss = (
    text: string,
    field: string,
    base: string,
    kind: "file" | "glob" | "directory",
  ): SourceEntry => {
    const { message } = sourceMissing(
      place.name,
      place.root,
      base,
      { text, field },
      kind,
      listing,
    );
    missing.push({ field, text, message });
    return PLACEHOLDER;
  };

  const matchesOf = (text: string, base: string): readonly string[] => {
    const files = new Set(listing.glob(text, base));
    // As in resolving: a glob never means the manifest.
    files.delete(place.path);
    return [...files].sort();
  };

  const read = (
    entry: SourceEntry,
    field: string,
    base: string,
    isInOptions: boolean,
  ): SourceEntry => {
    const isPlain = typeof entry === "string";
    const hasOptions =
      isInOptions ||
      (!isPlain && Object.keys(entry).some((key) => !NAMING.has(key)));
    if (!isPlain && "directory" in entry) {
      const directory = path.resolve(base, entry.directory);
      if (!listing.isDirectory(directory)) {
        if (outputs.mayMake(entry.directory, base)) return entry;
        const at = `${field}.directory`;
        return miss(entry.directory, at, base, "directory");
      }
      const sources = entry.sources.map((each, index) =>
        read(each, `${field}.sources[${index}]`, directory, hasOptions),
      );
      return { ...entry, sources };
    }
    const text = isPlain ? entry : entry.file;
    const at = isPlain ? field : `${field}.file`;
    const file = listing.fileAt(path.resolve(base, text));
    const isGlob = file === undefined && listing.isGlob(text);
    const files =
      file !== undefined ? [file] : isGlob ? matchesOf(text, base) : [];
    if (files.length === 0) {
      // A step has yet to make it.
      if (outputs.mayMake(text, base)) return entry;
      return miss(text, at, base, isGlob ? "glob" : "file");
    }
    entries.push({ field: at, text, isGlob, isPlain, hasOptions, files });
    return entry;
  };

  const { sources } = config;
  if (sources === undefined) return { entries, missing, config };
  const kept = sources.map((entry, index) =>
    read(entry, `sources[${index}]`, place.root, false),
  );
  return { entries, missing, config: { ...config, sources: kept } };
}
