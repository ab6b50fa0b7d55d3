/**
 * Waits for files that nobody has seen yet: in which directories they may appear, those that appear themselves included, and what an event
 * there means. It opens no eyes and closes no batches; `watcher.ts` does.
 */
import path from "node:path";
import { stampOf } from "./stamp.js";
import type { Expected } from "./types.js";

/** What appearances work with, and whom they tell. */
export interface AppearancesOptions {
  /** From now on, what happens in this directory is seen. */
  open(directory: string): void;
  /** An expected file is there. */
  onFile(file: string): void;
}

/** See `createAppearances`. */
export interface Appearances {
  /** Where expected files may appear. */
  readonly directories: ReadonlySet<string>;
  /**
   * Replaces what is expected, and looks for it.
   *
   * @returns whether it's another one: nothing costs anything if it isn't
   */
  expect(next: Expected | undefined): boolean;
  /** Something may have happened to an entry of a directory. */
  hint(directory: string, name: string): void;
  /** Anything may have happened in a directory. */
  look(directory: string): void;
}

/** Files that are written all the time, and that nobody expects, are asked about once, as long as there aren't more of them than this. */
const MOST_STRANGERS = 10_000;

/** Makes it; nothing is expected yet. */
export function createAppearances(options: AppearancesOptions): Appearances {
  let expected: Expected | undefined;
  let directories = new Set<string>();
  /** Files that are there, and not expected. */
  const strangers = new Set<string>();

  /** Files that were told, and that may not be known yet: a look finds them again, which is no news. */
  const told = new Set<string>();

  function tell(file: string): void {
    told.add(file);
    options.onFile(file);
  }

  /** First it's seen what happens in it, then what is in it: there is no moment that is neither. */
  function enter(directory: string): boolean {
    if (directories.has(directory)) return false;
    directories.add(directory);
    options.open(directory);
    return true;
  }

  return {
    get directories() {
      return directories;
    },
    expect: (next) => {
      // What is known by other means by now may be forgotten again.
      strangers.clear();
      told.clear();
      if (next === expected) return false;
      expected = next;
      directories = new Set();
      for (const file of next?.find(undefined, enter) ?? []) tell(file);
      return true;
    },
    hint: (directory, name) => {
      if (expected === undefined || !directories.has(directory)) return;
      const entry = path.join(directory, name);
      const isFile = stampOf(entry) !== undefined;
      if (isFile && strangers.has(entry)) return;
      const found = expected.find(entry, enter);
      for (const file of found) tell(file);
      if (!isFile || found.length > 0) return;
      if (strangers.size >= MOST_STRANGERS) strangers.clear();
      strangers.add(entry);
    },
    look: (directory) => {
      if (expected === undefined || !directories.has(directory)) return;
      const found = expected.find(
        directory,
        (each) => each === directory || enter(each),
      );
      for (const file of told) {
        if (path.dirname(file) === directory && !found.includes(file))
          told.delete(file);
      }
      for (const file of found) if (!told.has(file)) tell(file);
    },
  };
}
