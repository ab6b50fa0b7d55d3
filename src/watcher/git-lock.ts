/** Whether git is in the middle of changing a work tree. */
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/** The git directory of the work tree that holds a directory; `undefined` outside of one. */
function gitDirectoryOf(directory: string): string | undefined {
  for (let at = directory; ; at = path.dirname(at)) {
    const git = path.join(at, ".git");
    const stats = statSync(git, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) return git;
    if (stats?.isFile() === true) {
      // A linked work tree or a submodule (gitrepository-layout(5)).
      const target = /^gitdir: (.*)$/m.exec(readFileSync(git, "utf8"))?.[1];
      return target === undefined ? undefined : path.resolve(at, target);
    }
    if (path.dirname(at) === at) return undefined;
  }
}

/**
 * Makes a function that tells whether git is still at work where a file is:
 * while it switches branches, git holds `index.lock`.
 */
export function createGitLock(): (file: string) => boolean {
  const known = new Map<string, string | undefined>();
  return (file) => {
    const directory = path.dirname(file);
    try {
      if (!known.has(directory))
        known.set(directory, gitDirectoryOf(directory));
      const git = known.get(directory);
      return git !== undefined && existsSync(path.join(git, "index.lock"));
    } catch {
      return false; // no permission to look: then it's as if there were no git
    }
  };
}
