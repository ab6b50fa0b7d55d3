/** Which project a target means, without loading it: for clients of a server that has loaded it, and that runs even if its manifest is broken by now. */
import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import { findTarget, packageDirectory } from "./find.js";
import type { Target } from "./find.js";

/** A project as its server and its clients know it. All paths are absolute and real. */
export interface ProjectLocation {
  /** As in `ResolvedProject`. */
  readonly root: string;
  /** The manifest, or the entry if there's none; `undefined`: a directory without a manifest, so only the root is known. */
  readonly target: string | undefined;
}

/** The root of a program without a manifest: the nearest directory with a `package.json`, else its own. */
export function rootOfEntry(entry: string): string {
  return rootAbove(path.dirname(entry));
}

/**
 * Finds the project that `loadProject` would load.
 *
 * @param target - an entry file, a manifest or a directory, relative to `cwd`
 * @throws PreforkError `ERR_PREFORK_TARGET` - it is none of these
 */
export function locateProject(target: string, cwd: string): ProjectLocation {
  const found = findInOrAt(target, cwd);
  switch (found.kind) {
    case "manifest":
      return { root: path.dirname(found.path), target: found.path };
    case "entry":
      return { root: rootOfEntry(found.path), target: found.path };
    case "directory":
      return { root: rootAbove(found.path), target: undefined };
  }
}

function findInOrAt(
  target: string,
  cwd: string,
): Target | { readonly kind: "directory"; readonly path: string } {
  try {
    return findTarget(target, cwd);
  } catch (error) {
    const absolute = path.resolve(cwd, target);
    const stats = statSync(absolute, { throwIfNoEntry: false });
    // Its server was given an entry file, and that may be any.
    if (stats?.isDirectory() === true)
      return { kind: "directory", path: realpathSync(absolute) };
    throw error;
  }
}

function rootAbove(directory: string): string {
  return packageDirectory(directory) ?? directory;
}
