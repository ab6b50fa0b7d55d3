/** The file system for one look at a project: what was asked is known from then on, and many sources cost little (`real-paths.ts`). */
import { RealPaths } from "../real-paths.js";
import { fileListing, filesMatching } from "./listing.js";
import type { Listing } from "./listing.js";

/** Makes a listing; what changes while it's used isn't seen. */
export function quickListing(): Listing {
  const files = new RealPaths();
  const globs = new Map<string, readonly string[]>();
  return {
    ...fileListing,
    fileAt: (file) => files.fileAt(file),
    glob: (pattern, directory) => {
      const key = `${directory}\0${pattern}`;
      const known = globs.get(key);
      if (known !== undefined) return known;
      const found = filesMatching(pattern, directory, (file) =>
        files.fileAt(file),
      );
      globs.set(key, found);
      return found;
    },
  };
}
