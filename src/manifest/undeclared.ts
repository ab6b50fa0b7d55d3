/** Which of the sources that are loaded a manifest's list should have, and doesn't. Pure. */
import path from "node:path";
import type { ResolvedProject } from "./types.js";

/**
 * Whether a list of sources is expected to have this one. What is outside of the root (a linked workspace package) belongs to another
 * project's list, and `package.json` is looked at anyway.
 *
 * @param file - absolute and real
 */
export function isDeclarable(file: string, root: string): boolean {
  return (
    file.startsWith(root.endsWith(path.sep) ? root : root + path.sep) &&
    path.basename(file) !== "package.json"
  );
}

/**
 * The sources that are loaded although the manifest, which lists sources, doesn't list them.
 *
 * @param loaded - absolute and real
 * @returns sorted; none for a project whose manifest doesn't list sources
 */
export function undeclaredSources(
  loaded: Iterable<string>,
  { listsSources, sources, mixins, root }: ResolvedProject,
): string[] {
  if (!listsSources) return [];
  const declared = new Set([...sources.map((each) => each.path), ...mixins]);
  return [...loaded]
    .filter((file) => !declared.has(file) && isDeclarable(file, root))
    .sort();
}
