/**
 * Decides which changes belong together: opens a batch at the first, closes it when it has become quiet.
 * It knows paths and clocks, no files.
 */
import type { ChangeBatch } from "./types.js";

/** What a batcher works with, times in milliseconds. */
export interface BatcherOptions {
  readonly quietMs: number;
  readonly capMs: number;
  /** How long after the last event a batch waits for files that are missing. */
  readonly missingMs: number;
  /** Whether a file of the batch is gone that may well come back, as in delete-and-recreate. */
  isMissing(paths: ReadonlySet<string>): boolean;
  /** Whether a tool is known to be still changing files where this one is. */
  isBusy(path: string): boolean;
  onDirty(path: string): void;
  onBatch(batch: ChangeBatch): void;
}

/** See `createBatcher`. */
export interface Batcher {
  /** Whether the open batch holds the path. */
  has(path: string): boolean;
  /** The path has changed: into the open batch, or a new one. */
  add(path: string): void;
  /** Something happened to a path of the open batch. */
  prolong(): void;
  /** Drops the open batch. */
  close(): void;
}

interface OpenBatch {
  readonly paths: Set<string>;
  readonly firstEventAt: number;
  /** When a path was added that it hadn't held before. */
  lastNewAt: number;
  lastEventAt: number;
  dueAt: number;
  timer: NodeJS.Timeout | undefined;
  draining: NodeJS.Immediate | undefined;
}

/**
 * How long a batch must have been quiet. One file is a save, and waits no longer than asked for. Several are the work
 * of a tool (a branch switch, a formatter), which a busy machine may well interrupt for longer than that.
 */
export function quietFor(quietMs: number, pathCount: number): number {
  return Math.min(quietMs * 10, quietMs + 4 * (pathCount - 1));
}

/** As long as new files keep coming, a batch may last this many times its cap. */
const MOST_CAPS = 8;

/** Makes a batcher. */
export function createBatcher(options: BatcherOptions): Batcher {
  let batch: OpenBatch | undefined;

  function arm(open: OpenBatch, at: number): void {
    clearTimeout(open.timer);
    open.dueAt = at;
    open.timer = setTimeout(
      () => {
        // Node runs timers before it reads events: those that are waiting already belong to this batch.
        open.draining = setImmediate(decide, open);
      },
      Math.max(0, at - performance.now()),
    );
  }

  function decide(open: OpenBatch): void {
    const now = performance.now();
    // Half of a branch switch doesn't compile: what keeps bringing new files is one change, within limits.
    const capAt = Math.min(
      open.firstEventAt + MOST_CAPS * options.capMs,
      open.lastNewAt + options.capMs,
    );
    const quietAt = Math.min(
      capAt,
      open.lastEventAt + quietFor(options.quietMs, open.paths.size),
    );
    const graceAt = Math.min(capAt, open.lastEventAt + options.missingMs);
    if (now < quietAt) arm(open, quietAt);
    else if (now < graceAt && options.isMissing(open.paths)) arm(open, graceAt);
    else if (now < capAt && isBusy(open)) {
      // Its end is no event for us; a lock that nobody removes costs no more than the cap.
      arm(open, Math.min(capAt, now + options.quietMs));
    } else {
      batch = undefined;
      const { paths, firstEventAt } = open;
      options.onBatch({ paths, firstEventAt, closedAt: now });
    }
  }

  function isBusy({ paths }: OpenBatch): boolean {
    const [first] = paths;
    return first !== undefined && options.isBusy(first);
  }

  function prolong(open: OpenBatch): void {
    open.lastEventAt = performance.now();
    const quietAt =
      open.lastEventAt + quietFor(options.quietMs, open.paths.size);
    // It waited for a missing file, which may be what came. Later times are found when the timer fires.
    if (quietAt < open.dueAt) arm(open, quietAt);
  }

  return {
    has: (path) => batch?.paths.has(path) === true,
    add: (path) => {
      if (batch === undefined) {
        const now = performance.now();
        batch = {
          paths: new Set([path]),
          firstEventAt: now,
          lastNewAt: now,
          lastEventAt: now,
          dueAt: 0,
          timer: undefined,
          draining: undefined,
        };
        arm(batch, now + Math.min(options.quietMs, options.capMs));
        options.onDirty(path);
        return;
      }
      prolong(batch);
      if (batch.paths.has(path)) return;
      batch.paths.add(path);
      batch.lastNewAt = batch.lastEventAt;
      options.onDirty(path);
    },
    prolong: () => {
      if (batch !== undefined) prolong(batch);
    },
    close: () => {
      clearTimeout(batch?.timer);
      clearImmediate(batch?.draining);
      batch = undefined;
    },
  };
}
