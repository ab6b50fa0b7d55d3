import { dirname, sep } from "node:path";
import type { Configuration } from "./configuration.js";
import type { SourceTree } from "./source-tree.js";
import type { WatchSet } from "./types.js";

type Places = Pick<WatchSet, "files" | "directories">;

/** As of a version of the tree, for its roots. Most saves change none of it. */
interface Known {
  readonly version: number;
  readonly roots: readonly string[];
  readonly places: Places;
}

/** What must be watched: the files in use, and the directories where a new file would change what an import means. */
export class Watched {
  readonly #root: string;
  readonly #tree: SourceTree;
  readonly #configuration: Configuration;
  #known: Known | undefined;

  constructor(root: string, tree: SourceTree, configuration: Configuration) {
    this.#root = root;
    this.#tree = tree;
    this.#configuration = configuration;
  }

  /** @param roots - entry and listed sources, which may be missing */
  by(roots: readonly string[]): WatchSet {
    const { edgesVersion: version, files, unread } = this.#tree;
    let known = this.#known;
    if (known?.version !== version || !areSame(known.roots, roots)) {
      known = { version, roots, places: this.#places(roots) };
      this.#known = known;
    }
    return {
      ...known.places,
      // As large as the project, and seldom asked for.
      get readAt(): Map<string, number> {
        const readAt = new Map<string, number>(unread.writtenAt());
        for (const { path, mtimeMs } of files.values())
          readAt.set(path, mtimeMs);
        return readAt;
      },
    };
  }

  #places(roots: readonly string[]): Places {
    const files = new Set([...this.#configuration.files(), ...roots]);
    const directories = new Set<string>();
    const add = (directory: string): void => {
      // Up to the root: a tsconfig.json or package.json may appear between.
      for (let at = directory; !directories.has(at); at = dirname(at)) {
        directories.add(at);
        if (!at.startsWith(this.#root + sep)) break;
      }
    };
    for (const path of roots) add(dirname(path));
    for (const file of this.#tree.files.values()) {
      files.add(file.path);
      add(dirname(file.path));
      // They need not exist yet: the watcher waits for them, too.
      for (const path of this.#tree.missingDirectories(file)) add(path);
    }
    return { files, directories };
  }
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((path, index) => path === b[index]);
}
