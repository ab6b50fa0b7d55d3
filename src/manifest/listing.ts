/** What resolving a manifest asks the file system. The pure part gets this interface, so that tests can make up a tree. */
import { readdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { globSync, isDynamicPattern } from "tinyglobby";
import type { GlobOptions } from "tinyglobby";

/** The file system, as far as resolving needs it. Paths are absolute. */
export interface Listing {
  /** The real path of the file at a path; `undefined` when there is no file. */
  fileAt(file: string): string | undefined;
  isDirectory(directory: string): boolean;
  /** The names in a directory; none when it doesn't exist. */
  namesIn(directory: string): readonly string[];
  isGlob(text: string): boolean;
  /** The real paths of the files that a glob matches, in any order. */
  glob(pattern: string, directory: string): readonly string[];
  /** Would a glob match a file, which needn't exist? */
  matches(pattern: string, directory: string, file: string): boolean;
}

function fileAt(file: string): string | undefined {
  try {
    return statSync(file).isFile() ? realpathSync(file) : undefined;
  } catch {
    return undefined;
  }
}

function isDirectory(directory: string): boolean {
  try {
    return statSync(directory).isDirectory();
  } catch {
    return false;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** What a glob of a manifest means: `search.ts` asks the same of a part of the file system. */
export function globFiles(
  pattern: string,
  directory: string,
  fs?: GlobOptions["fs"],
): string[] {
  const found = globSync(pattern, {
    cwd: directory,
    absolute: true,
    dot: false,
    expandDirectories: false,
    ignore: ["**/node_modules/**"],
    ...(fs === undefined ? {} : { fs }),
  });
  return found.map((file) => path.normalize(file));
}

/**
 * The real paths of the files that a glob matches.
 *
 * @param realFile - as `Listing.fileAt`
 */
export function filesMatching(
  pattern: string,
  directory: string,
  realFile: Listing["fileAt"],
): string[] {
  return globFiles(pattern, directory).flatMap((file) => realFile(file) ?? []);
}

/** Asks the matcher, in a file system in which there is nothing but the file. */
function matches(pattern: string, directory: string, file: string): boolean {
  const entriesOf = (at: string): object[] => {
    const [name = "", ...below] = path.relative(at, file).split(path.sep);
    if (name === "" || name === "..") return [];
    const isFile = below.length === 0;
    return [
      {
        name,
        isFile: () => isFile,
        isDirectory: () => !isFile,
        isSymbolicLink: () => false,
      },
    ];
  };
  const readdirSync = entriesOf as unknown as Required<
    NonNullable<GlobOptions["fs"]>
  >["readdirSync"];
  return globFiles(pattern, directory, { readdirSync }).includes(file);
}

/** The real file system. */
export const fileListing: Listing = {
  fileAt,
  isDirectory,
  namesIn,
  isGlob: (text) => isDynamicPattern(text),
  glob: (pattern, directory) => filesMatching(pattern, directory, fileAt),
  matches,
};
