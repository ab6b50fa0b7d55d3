import { setImmediate } from "node:timers/promises";

const SLICE_MS = 8;

/**
 * Lets the event loop turn between pieces of synchronous work.
 *
 * Small files are read and written synchronously, because that costs a fifth of the promise API's time per file; the
 * same process answers HTTP requests, so no run of them may hold it up for long.
 */
export class Slices {
  #startedAt: number = performance.now();

  /** Resolves at once within a slice of 8 ms, in the loop's next turn after it. */
  async pause(): Promise<void> {
    if (performance.now() - this.#startedAt < SLICE_MS) return;
    await setImmediate();
    this.#startedAt = performance.now();
  }
}
