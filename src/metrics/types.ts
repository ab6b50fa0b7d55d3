/** Numbers as `/metrics` tells them, as plain values. Types only. */

/** Names and values of labels. Few: each combination is a series of its own. */
export type Labels = Readonly<Record<string, string | number>>;

/** One number. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** Times, counted by their size. */
export interface Distribution {
  readonly labels?: Labels;
  readonly count: number;
  readonly sumSeconds: number;
  /** Cumulative, by increasing bound; that without a bound is `count`. */
  readonly buckets: readonly {
    readonly upToSeconds: number;
    readonly count: number;
  }[];
}

/** A metric with all its series. */
export type Metric = {
  /** With its unit; a counter's ends with `_total`. */
  readonly name: string;
  /** A sentence. */
  readonly help: string;
} & (
  | { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
  | {
      readonly type: "histogram";
      readonly distributions: readonly Distribution[];
    }
);
