/**
 * What a manifest's globs match in a part of the file system, and which directories they look into on the way: for those who wait for
 * files that aren't there yet. A glob means here what it means when the manifest is read, since the same matcher is asked
 * (`listing.ts`), with a file system in which there is nothing but that part.
 */
import { readdirSync, realpathSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import path from "node:path";
import type { FileSystemAdapter } from "tinyglobby";
import { globFiles } from "./listing.js";
import type { SourceGlob } from "./types.js";

/** An entry of a directory, as far as a matcher asks. */
interface Entry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/**
 * Finds the files that globs match.
 *
 * @param at - absolute: this file, or what is in and below this directory; `undefined`: everywhere
 * @param enter - called before a directory is looked into, which may not exist; `false`: not into this one
 * @param isKnown - files in these directories that aren't to be found: with 10,000 of them, matching them would take most of the time
 * @returns absolute paths, as they were reached: through links, too
 */
export function searchGlobs(
  globs: readonly SourceGlob[],
  at: string | undefined,
  enter: (directory: string) => boolean,
  isKnown?: (file: string) => boolean,
): Set<string> {
  const found = new Set<string>();
  if (at !== undefined && statsOf(at) === undefined) return found;
  const entered = new Map<string, boolean>();
  const enterOnce = (directory: string): boolean => {
    // Asked once, however many globs look into it.
    const known = entered.get(directory);
    if (known !== undefined) return known;
    const answer = enter(directory);
    entered.set(directory, answer);
    return answer;
  };
  const fs = narrowed(at, enterOnce, isKnown);
  for (const { pattern, directory } of globs) {
    for (const file of globFiles(pattern, directory, fs)) found.add(file);
  }
  return found;
}

/** The file system, but for what is beside the way to a place. */
function narrowed(
  at: string | undefined,
  enter: (directory: string) => boolean,
  isKnown: ((file: string) => boolean) | undefined,
): FileSystemAdapter {
  const entriesOf = (directory: string): readonly Entry[] => {
    const here = path.resolve(directory);
    if (at !== undefined && !isAtOrBelow(here, at)) {
      return isAtOrBelow(at, here) ? entryTowards(at, here) : [];
    }
    if (!enter(here)) return [];
    const entries = entriesIn(here);
    if (isKnown === undefined) return entries;
    return entries.filter(
      (each) => each.isDirectory() || !isKnown(path.join(here, each.name)),
    );
  };
  return {
    readdirSync:
      entriesOf as unknown as Required<FileSystemAdapter>["readdirSync"],
  };
}

/** The one entry of a directory that leads to a place below it. */
function entryTowards(at: string, directory: string): Entry[] {
  const [name = ""] = path.relative(directory, at).split(path.sep);
  const isAt = path.join(directory, name) === at;
  const stats = isAt ? statsOf(at) : undefined;
  if (isAt && stats === undefined) return [];
  return [entry(name, stats)];
}

function entriesIn(directory: string): Entry[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).flatMap((each) =>
      each.isSymbolicLink() ? behindLink(directory, each.name) : [each],
    );
  } catch {
    // It isn't there, or not for us: nothing is in it.
    return [];
  }
}

/** What a link leads to, but not if it's above the link: that way has no end. */
function behindLink(directory: string, name: string): Entry[] {
  const link = path.join(directory, name);
  const stats = statsOf(link);
  if (stats === undefined) return [];
  const isCircle =
    stats.isDirectory() &&
    isAtOrBelow(realpathSync(directory), realpathSync(link));
  return isCircle ? [] : [entry(name, stats)];
}

/** @param stats - `undefined`: a directory */
function entry(name: string, stats: Stats | undefined): Entry {
  return {
    name,
    isFile: () => stats?.isFile() ?? false,
    isDirectory: () => stats?.isDirectory() ?? true,
    isSymbolicLink: () => false,
  };
}

/** Of what a link leads to. */
function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isAtOrBelow(file: string, directory: string): boolean {
  if (file === directory) return true;
  const top = directory.endsWith(path.sep) ? directory : directory + path.sep;
  return file.startsWith(top);
}
