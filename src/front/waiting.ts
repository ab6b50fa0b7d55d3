/** A request that waits for a process: what it looks for, and the timers of its wait. Who gets what is `admission.ts`. */
import type { Target } from "./targets.js";

/** A request in search of a process. */
export interface Seeker {
  /** Ids of the processes that have failed it. */
  readonly avoid: ReadonlySet<number> | undefined;
  /** The process that dropped it just now: most likely dead, but no one has said so yet. */
  readonly suspect?: number | undefined;
  /** The process that took no more connections just now: it may again once one of its leases is back. */
  readonly crowded?: number | undefined;
  /** Whether it had a process before: then it came before all that wait. */
  readonly isRepeated?: boolean;
  /** The process that knows its session: see `sessions.ts`. */
  readonly home?: Target | undefined;
  /** Called at most once, unless the wait is left. */
  onTarget(target: Target): void;
  /** Called instead, when no process could be had in time. */
  onTimeout(): void;
}

/**
 * What will do for a request: `fresh` the newest generation, once it's known; `stale` the newest that is
 * ready, since the fresh window was too long; `last` even one whose event loop is blocked, since the wait is over.
 */
export type Patience = "fresh" | "stale" | "last";

export class Waiting {
  readonly seeker: Seeker;
  patience: Patience = "fresh";
  readonly since: number = performance.now();
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(seeker: Seeker) {
    this.seeker = seeker;
  }

  /** @param callback - not called once the wait has ended */
  after(ms: number, callback: () => void): void {
    this.#timers.push(setTimeout(callback, ms));
  }

  /** The wait has ended. */
  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
