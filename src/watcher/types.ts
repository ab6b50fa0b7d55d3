/** The plain values that the watcher takes and gives. Types only. */

/** Changes that belong together. */
export interface ChangeBatch {
  /** Absolute paths that were written, touched, created or removed. Never empty. */
  readonly paths: ReadonlySet<string>;
  /** `performance.now()` at the first event of the batch. */
  readonly firstEventAt: number;
  /** `performance.now()` when the batch was closed. */
  readonly closedAt: number;
}

/** What to watch: absolute, real, normalised paths. Nothing of it has to exist yet. */
export interface Watched {
  /** Files whose every change counts. */
  readonly files: ReadonlySet<string>;
  /** Directories in which a code file that appears or disappears counts, too. */
  readonly directories: ReadonlySet<string>;
  /** Files that count as soon as they are there. The same object means the same files. Default: none. */
  readonly expected?: Expected | undefined;
}

/** Files that aren't known yet, and that count when they appear, wherever that is: say, what a glob matches. */
export interface Expected {
  /**
   * Finds those that are there.
   *
   * @param at - absolute: this file, or what is in and below this directory; `undefined`: everywhere
   * @param enter - called before a directory is looked into, which may not exist; `false`: not into this one
   * @returns absolute paths
   */
  find(
    at: string | undefined,
    enter: (directory: string) => boolean,
  ): readonly string[];
}

/** What a file looked like: two equal stamps mean the same content. */
export interface FileStamp {
  readonly mtimeMs: number;
  readonly size: number;
  readonly ino: number;
  /** Tells a file from a new one that got the old one's inode number, size and time. */
  readonly birthtimeMs: number;
}

/** Options of `createWatcher`. */
export interface WatcherOptions {
  /** Interval in milliseconds at which files are looked at, for mounts without events. Default: off, the system's events are used. */
  readonly poll?: number;
  /** A batch is closed this many milliseconds after its last event (up to ten times as many when it holds many files). Default 5. */
  readonly quietMs?: number;
  /**
   * A batch is closed this many milliseconds after the last file that was new in it, however often its files go on
   * changing, and eight times as many after its first event, come what may. Default 250.
   */
  readonly capMs?: number;
  /** A batch's files are looked at once more this many milliseconds after it was closed. Default 60. */
  readonly settleMs?: number;
  /** The first sign of a path's change, once per path and batch, at once. A batch with that path always follows, unless the watcher is closed. */
  readonly onDirty: (path: string) => void;
  /** A batch was closed. What its files held at `closedAt` or later is what to read. */
  readonly onBatch: (batch: ChangeBatch) => void;
  /** Something can't be watched as asked; what could be done instead is in the message and has been done. */
  readonly onError: (error: Error) => void;
}

/** A running watcher, see `createWatcher`. */
export interface Watcher {
  /**
   * Replaces what is watched. Only the differences cost something.
   *
   * @param set - what to watch from now on
   * @param seen - when files had been written (`mtimeMs`) that the caller has read. A file that is new in the set and
   *   looks different by now is reported as changed; without this, it counts from now on
   */
  watch(set: Watched, seen?: ReadonlyMap<string, number>): void;
  /** Fulfils when everything of the latest `watch` is watched: a change made after that is always seen. */
  ready(): Promise<void>;
  /** Ends everything; an open batch is dropped. Idempotent: the same promise. */
  close(): Promise<void>;
}
