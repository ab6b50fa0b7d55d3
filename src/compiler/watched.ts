import { dirname, sep } from "node:path";
import type { SourceTree } from "./source-tree.js";
import type { WatchSet } from "./types.js";

/**
 * What must be watched: the files in use, and the directories where a new file would change what an import means.
 *
 * @param configuration - tsconfig, package.json and lock files
 * @param roots - entry and listed sources, which may be missing
 */
export function watchSetOf(
  root: string,
  tree: SourceTree,
  configuration: Iterable<string>,
  roots: Iterable<string>,
): WatchSet {
  const files = new Set([...configuration, ...roots]);
  const directories = new Set<string>();
  const readAt = new Map<string, number>();
  const add = (directory: string): void => {
    // Up to the root: a tsconfig.json or package.json may appear between.
    for (let at = directory; !directories.has(at); at = dirname(at)) {
      directories.add(at);
      if (!at.startsWith(root + sep)) break;
    }
  };
  for (const path of roots) add(dirname(path));
  for (const file of tree.files.values()) {
    files.add(file.path);
    readAt.set(file.path, file.mtimeMs);
    add(dirname(file.path));
    // They need not exist yet: the watcher waits for them, too.
    for (const path of tree.missingDirectories(file)) add(path);
  }
  return { files, directories, readAt };
}
