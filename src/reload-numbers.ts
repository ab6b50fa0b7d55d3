/** Counts reloads by how they ended, and how long those took that were done. Part of the composition root. */
import { Histogram } from "./front/numbers/histogram.js";
import type { HistogramValue } from "./front/numbers/types.js";
import type { ReloadOutcome } from "./server-events.js";

type Kind = ReloadOutcome["kind"];

/** Reloads since the start, as plain values. */
export interface ReloadCounts {
  readonly outcomes: Readonly<Record<Kind, number>>;
  /** Of those that were done: until the first worker ran the new code, */
  readonly first: HistogramValue;
  /** until all did. */
  readonly all: HistogramValue;
}

/** See this file's header. */
export class ReloadNumbers {
  readonly #outcomes: Record<Kind, number> = {
    ...{ done: 0, unchanged: 0, superseded: 0, failed: 0, stopped: 0 },
  };
  readonly #first = new Histogram();
  readonly #all = new Histogram();

  /** A reload has ended. */
  add(outcome: ReloadOutcome): void {
    this.#outcomes[outcome.kind]++;
    if (outcome.kind !== "done") return;
    this.#first.observe(outcome.firstMs);
    this.#all.observe(outcome.allMs);
  }

  value(): ReloadCounts {
    return {
      outcomes: { ...this.#outcomes },
      first: this.#first.value(),
      all: this.#all.value(),
    };
  }
}
