/** From a text of a manifest's list to the files that it names. Pure but for the `Listing` it is given. */
import path from "node:path";
import { withFiles, withGlobs } from "./files-of.js";
import type { Listing } from "./listing.js";
import { sourceMissing } from "./messages.js";
import type { Written } from "./messages.js";
import type { WrittenOutputs } from "./outputs.js";
import type { ManifestPlace } from "./resolve.js";
import type { SourceGlob } from "./types.js";

/** Names files. */
export interface Expander {
  /**
   * The files that a path or glob names, a glob's in plain order. Of what a step may still have to make: those that are there,
   * and what the step names by path.
   *
   * @throws PreforkError ERR_PREFORK_SOURCE_MISSING
   */
  readonly expand: (written: Written, base: string) => readonly string[];
  /** The error for something that isn't there. */
  readonly missing: (
    written: Written,
    base: string,
    kind: "file" | "glob" | "directory",
  ) => Error;
  /** The globs that were expanded so far, in the order written, each once. */
  readonly globs: () => readonly SourceGlob[];
}

/** Makes an expander for a manifest. */
export function createExpander(
  place: ManifestPlace,
  listing: Listing,
  outputs: WrittenOutputs,
): Expander {
  const missing: Expander["missing"] = (written, base, kind) =>
    withFiles(
      sourceMissing(place.name, place.root, base, written, kind, listing),
      // What is missing may be made.
      kind === "file" ? [path.resolve(base, written.text)] : [],
    );
  const globs = new Map<string, SourceGlob>();
  return {
    missing,
    globs: () => [...globs.values()],
    expand: (written, base) => {
      const absolute = path.resolve(base, written.text);
      const file = listing.fileAt(absolute);
      if (file !== undefined) return [file];
      if (outputs.has(absolute)) return [absolute];
      const isGlob = listing.isGlob(written.text);
      if (isGlob) {
        const glob = { pattern: written.text, directory: base };
        globs.set(`${base}\0${written.text}`, glob);
      }
      const files = new Set(isGlob ? listing.glob(written.text, base) : []);
      files.delete(place.path);
      if (files.size > 0) return [...files].sort();
      if (outputs.mayMake(written.text, base)) return [];
      throw isGlob
        ? withGlobs(missing(written, base, "glob"), [...globs.values()])
        : missing(written, base, "file");
    },
  };
}
