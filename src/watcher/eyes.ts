/**
 * Keeps an eye on every wanted directory, whatever happens to it: deleted, made anew, moved, or not there yet
 * (then the nearest directory above it that exists is watched for its arrival). It knows directories only;
 * what is in them is looked at by the one who listens.
 */
import path from "node:path";
import type { Eye, EyeListener } from "./eye.js";

/** What the eyes work with, and whom they tell. */
export interface EyesOptions {
  /** Opens an eye; `undefined` when the directory has just vanished. */
  open(
    directory: string,
    names: readonly string[],
    listener: EyeListener,
  ): Eye | undefined;
  /** Which directory is at a path; `undefined` when there is none. */
  identityOf(directory: string): string | undefined;
  /** The files of interest in a directory. */
  namesIn(directory: string): readonly string[];
  /** Something may have happened to an entry of a directory. */
  onHint(directory: string, name: string): void;
  /** Anything may have happened in a directory. */
  onLook(directory: string): void;
}

/** See `createEyes`. */
export interface Eyes {
  /** Replaces the wanted directories, and the names in those that stay. */
  want(directories: ReadonlySet<string>): void;
  /** One directory more, until the next {@link Eyes.want}. What happens in it from now on is seen; what is in it isn't looked at. */
  add(directory: string): void;
  /** Looks whether the right directories are watched, and everywhere in them. */
  lookEverywhere(): void;
  close(): void;
}

interface OpenEye {
  readonly eye: Eye;
  readonly identity: string;
}

/** A directory can change between two looks; more often than this in a row is left to the next event. */
const MOST_TRIES = 10;

/** The directories, and those between them and another of them: the move of one in between is the move of those below. */
function withBetween(directories: ReadonlySet<string>): Set<string> {
  const all = new Set(directories);
  for (const directory of directories) {
    const between: string[] = [];
    let above = path.dirname(directory);
    while (!all.has(above) && above !== path.dirname(above)) {
      between.push(above);
      above = path.dirname(above);
    }
    if (all.has(above)) for (const each of between) all.add(each);
  }
  return all;
}

/** Whether two sets have the same members. */
export function isSameSet(
  a: ReadonlySet<string>,
  b: ReadonlySet<string>,
): boolean {
  if (a.size !== b.size) return false;
  for (const each of a) if (!b.has(each)) return false;
  return true;
}

function isAtOrBelow(directory: string, top: string): boolean {
  if (directory === top) return true;
  return directory.startsWith(top.endsWith(path.sep) ? top : top + path.sep);
}

/** Makes the keeper of the eyes; nothing is watched before `want`. */
export function createEyes(options: EyesOptions): Eyes {
  let asked = new Set<string>();
  /** Those asked for, and between them. */
  let wanted = new Set<string>();
  /** The wanted directories and all above them: where the coming or going of an entry is our business. */
  let nodes = new Set<string>();
  const open = new Map<string, OpenEye>();
  let isClosed = false;

  function shut(directory: string): void {
    open.get(directory)?.eye.close();
    open.delete(directory);
  }

  function listenerOf(directory: string): EyeListener {
    return {
      hint: (name, isMove) => {
        if (isClosed) return;
        if (name === undefined) {
          lookBelow(directory);
          options.onLook(directory);
          return;
        }
        // The end of the directory itself is told under its own name.
        if (isMove && name === path.basename(directory)) rebuild(directory);
        const entry = path.join(directory, name);
        if (isMove && nodes.has(entry)) rebuild(entry);
        options.onHint(directory, name);
      },
      broken: () => {
        if (!isClosed) rebuild(directory);
      },
    };
  }

  /** Has an eye on this very directory. Whether that is so. */
  function ensureOpen(directory: string, identity: string): boolean {
    const known = open.get(directory);
    if (known?.identity === identity) return true;
    shut(directory);
    const eye = options.open(
      directory,
      options.namesIn(directory),
      listenerOf(directory),
    );
    if (eye === undefined) return false;
    open.set(directory, { eye, identity });
    // Otherwise it has just been replaced, and the eye may rest on either.
    return options.identityOf(directory) === identity;
  }

  /** Has an eye on the directory, or else on the nearest one above it that exists. Returns the one it is. */
  function ensure(directory: string): string | undefined {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      let at = directory;
      let below = directory;
      let identity = options.identityOf(at);
      while (identity === undefined && at !== path.dirname(at)) {
        below = at;
        at = path.dirname(at);
        identity = options.identityOf(at);
      }
      if (identity === undefined) return undefined;
      if (!ensureOpen(at, identity)) continue;
      // Only now an eye would see it come; it may have come a moment ago.
      if (at === directory || options.identityOf(below) === undefined)
        return at;
    }
    return undefined;
  }

  /** A directory has come, gone or been replaced: the eyes on it and below may rest on what is no longer there. */
  function rebuild(top: string): void {
    for (const directory of [...open.keys()]) {
      if (isAtOrBelow(directory, top)) shut(directory);
    }
    const affected = [...wanted].filter((each) => isAtOrBelow(each, top));
    for (const directory of affected) ensure(directory);
    for (const directory of affected) options.onLook(directory);
  }

  /** The same where it isn't told which entry it was: whatever isn't what it was. */
  function lookBelow(top: string): void {
    for (const directory of [...wanted]) {
      if (!isAtOrBelow(directory, top)) continue;
      const identity = options.identityOf(directory);
      if (identity !== open.get(directory)?.identity) rebuild(directory);
      // Still missing, but more of the way to it may be there.
      else if (identity === undefined) ensure(directory);
    }
  }

  /** The coming or going of a directory is our business, and of those above it. */
  function addNodes(directory: string): void {
    let at = directory;
    while (!nodes.has(at)) {
      nodes.add(at);
      at = path.dirname(at);
    }
  }

  function ensureAll(): void {
    const needed = new Set<string>();
    for (const directory of wanted) {
      const at = ensure(directory);
      if (at !== undefined) needed.add(at);
    }
    for (const directory of [...open.keys()]) {
      if (!needed.has(directory)) shut(directory);
    }
  }

  return {
    want: (directories) => {
      if (isSameSet(directories, asked)) {
        for (const [directory, { eye }] of open)
          eye.add(options.namesIn(directory));
        return;
      }
      asked = new Set(directories);
      const former = new Map(open);
      wanted = withBetween(directories);
      nodes = new Set();
      for (const directory of wanted) addNodes(directory);
      ensureAll();
      for (const [directory, known] of [...open]) {
        if (former.get(directory) === known)
          known.eye.add(options.namesIn(directory));
        // Opened for the first time, or anew: nobody has seen what happened before.
        else options.onLook(directory);
      }
    },
    add: (directory) => {
      asked.add(directory);
      if (wanted.has(directory)) return;
      wanted.add(directory);
      addNodes(directory);
      ensure(directory);
    },
    lookEverywhere: () => {
      ensureAll();
      for (const directory of wanted) options.onLook(directory);
    },
    close: () => {
      isClosed = true;
      for (const directory of [...open.keys()]) shut(directory);
    },
  };
}
