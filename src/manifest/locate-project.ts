/** Which project a target means, without loading it: for clients of a server that has loaded it, and that runs even if its manifest is broken by now. */
import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import { choose, targetIn } from "./choose.js";
import type { Choice } from "./choose.js";
import { packageDirectory } from "./find.js";

/** A project as its server and its clients know it. All paths are absolute and real. */
export interface ProjectLocation {
  /** As in `ResolvedProject`. */
  readonly root: string;
  /**
   * The manifest, with `#<name>` if one of its projects was chosen, or the entry if there's none; `undefined`: a directory
   * without a manifest, so only the root is known.
   */
  readonly target: string | undefined;
}

/** The root of a program without a manifest: the nearest directory with a `package.json`, else its own. */
export function rootOfEntry(entry: string): string {
  return rootAbove(path.dirname(entry));
}

/**
 * Finds the project that `loadProject` would load.
 *
 * @param target - an entry file, a manifest or a directory, relative to `cwd`; or the name of a project, which isn't
 *   checked: the manifest may be broken by now
 * @throws PreforkError `ERR_PREFORK_TARGET` - it is none of these
 */
export function locateProject(target: string, cwd: string): ProjectLocation {
  const choice = chooseOr(target, cwd);
  if ("directory" in choice)
    return { root: rootAbove(choice.directory), target: undefined };
  const { found, project } = choice;
  if (found.kind === "entry")
    return { root: rootOfEntry(found.path), target: found.path };
  return {
    root: path.dirname(found.path),
    target: project === undefined ? found.path : targetIn(found.path, project),
  };
}

function chooseOr(
  target: string,
  cwd: string,
): Choice | { readonly directory: string } {
  try {
    return choose(target, cwd, undefined);
  } catch (error) {
    const absolute = path.resolve(cwd, target);
    const stats = statSync(absolute, { throwIfNoEntry: false });
    // Its server was given an entry file, and that may be any.
    if (stats?.isDirectory() === true)
      return { directory: realpathSync(absolute) };
    throw error;
  }
}

function rootAbove(directory: string): string {
  return packageDirectory(directory) ?? directory;
}
