/**
 * Counts times by their size, cheaply enough for every request: an addition to a list. The bounds grow by the fourth root of
 * two, so that a quantile is right to a tenth or so; every fourth is a power of two, and those are told outside.
 */
import type { HistogramValue } from "./types.js";

/** The least bound. What is faster is as fast as anything. */
const LEAST_MS = 0.25;
const STEPS_PER_DOUBLING = 4;
/** Up to 131 s; what takes longer is counted above the last bound. */
const DOUBLINGS = 19;
const BOUNDS = STEPS_PER_DOUBLING * DOUBLINGS + 1;

/** See this file's header. Times in milliseconds. */
export class Histogram {
  /** The last one is for what is above all bounds. */
  readonly #counts = new Uint32Array(BOUNDS + 1);
  #count = 0;
  #sumMs = 0;

  get count(): number {
    return this.#count;
  }

  observe(ms: number): void {
    this.#count++;
    this.#sumMs += ms;
    const index = indexOf(ms);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /**
   * The time that this share of all isn't longer than, estimated.
   *
   * @param share - from 0 to 1
   * @returns `undefined` when there is none
   */
  quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = share * this.#count;
    let before = 0;
    for (let index = 0; index <= BOUNDS; index++) {
      const here = this.#counts[index] ?? 0;
      if (here === 0 || before + here < rank) {
        before += here;
        continue;
      }
      const least = index === 0 ? 0 : boundOf(index - 1);
      // Above the last bound nothing is known.
      if (index === BOUNDS) return least;
      return least + ((rank - before) / here) * (boundOf(index) - least);
    }
    return boundOf(BOUNDS - 1);
  }

  value(): HistogramValue {
    const buckets: { upToMs: number; count: number }[] = [];
    let count = 0;
    for (let index = 0; index < BOUNDS; index++) {
      count += this.#counts[index] ?? 0;
      if (index % STEPS_PER_DOUBLING === 0)
        buckets.push({ upToMs: boundOf(index), count });
    }
    return {
      ...{ count: this.#count, sumMs: this.#sumMs },
      ...{ p50Ms: this.quantile(0.5), p99Ms: this.quantile(0.99) },
      buckets,
    };
  }
}

function boundOf(index: number): number {
  const whole = Math.floor(index / STEPS_PER_DOUBLING);
  const part = (index % STEPS_PER_DOUBLING) / STEPS_PER_DOUBLING;
  return LEAST_MS * 2 ** whole * 2 ** part;
}

/** The first bound that it isn't longer than. */
function indexOf(ms: number): number {
  if (!(ms > LEAST_MS)) return 0;
  const index = Math.ceil(Math.log2(ms / LEAST_MS) * STEPS_PER_DOUBLING);
  return index < BOUNDS ? index : BOUNDS;
}
