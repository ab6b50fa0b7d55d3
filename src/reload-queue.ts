/**
 * Reload requests, one cycle at a time. What is asked for while a cycle runs is
 * merged into the next one, and whoever asked gets that cycle's outcome.
 */

import type { ChangeBatch } from "./watcher/types.js";

/** A reason to reload. */
export interface ReloadRequest {
  /** The files that changed; `undefined`: look at everything, and roll even if nothing differs. */
  readonly paths: ReadonlySet<string> | undefined;
  /** `performance.now()` at the first sign. */
  readonly since: number;
  /** The watcher's, if it was one. */
  readonly batch: ChangeBatch | undefined;
  /** Ends the hold that the first sign began. */
  readonly release: () => void;
}

/** Requests that one cycle serves. */
export interface MergedRequest {
  readonly paths: ReadonlySet<string>;
  /** Look at everything, and roll even if nothing differs. */
  readonly forced: boolean;
  readonly since: number;
  /** The last one's, if it was the watcher's. */
  readonly batch: ChangeBatch | undefined;
  readonly release: () => void;
}

/** A cycle that is far enough for the next one to begin. */
export interface Cycle<Outcome> {
  readonly outcome: Promise<Outcome>;
}

interface Pending<Outcome> {
  request: MergedRequest;
  readonly outcome: Promise<Outcome>;
  readonly settle: (outcome: Promise<Outcome>) => void;
}

function merge(
  merged: MergedRequest | undefined,
  request: ReloadRequest,
): MergedRequest {
  const { paths, since, batch, release } = request;
  if (merged === undefined)
    return {
      paths: paths ?? new Set(),
      forced: paths === undefined,
      since,
      batch,
      release,
    };
  return {
    batch: batch ?? merged.batch,
    paths: new Set([...merged.paths, ...(paths ?? [])]),
    forced: merged.forced || paths === undefined,
    since: Math.min(merged.since, since),
    release: () => {
      merged.release();
      release();
    },
  };
}

export class ReloadQueue<Outcome> {
  readonly #cycle: (request: MergedRequest) => Promise<Cycle<Outcome>>;
  #pending: Pending<Outcome> | undefined;
  #running: Promise<void> | undefined;

  /** @param cycle - serves requests; fulfils as soon as the next cycle may begin. Never rejects. */
  constructor(cycle: (request: MergedRequest) => Promise<Cycle<Outcome>>) {
    this.#cycle = cycle;
  }

  /** Asks for a reload. */
  add(request: ReloadRequest): Promise<Outcome> {
    const pending = this.#pending;
    if (pending !== undefined) {
      pending.request = merge(pending.request, request);
      return pending.outcome;
    }
    let settle: (outcome: Promise<Outcome>) => void = () => undefined;
    const outcome = new Promise<Outcome>((resolve) => {
      settle = resolve;
    });
    this.#pending = { request: merge(undefined, request), outcome, settle };
    this.#running ??= this.#run();
    return outcome;
  }

  /** Fulfils when no cycle runs. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#pending !== undefined) {
      const { request, settle } = this.#pending;
      this.#pending = undefined;
      const { outcome } = await this.#cycle(request);
      settle(outcome);
    }
    this.#running = undefined;
  }
}
