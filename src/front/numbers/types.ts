/** What the front counts, as plain values. Types only. docs/front.md says what each means. */
import type { FrontTargetStats } from "../types.js";

/** Why a request is refused: few words, whatever strangers send. */
export type RefusalReason =
  | "malformed"
  | "host"
  | "origin"
  | "method"
  | "slow"
  | "too-large"
  | "unsupported";

/** How many times there were up to a bound, as a plain value. */
export interface HistogramValue {
  readonly count: number;
  readonly sumMs: number;
  /** What half of them isn't longer than, estimated; `undefined`: there is none. */
  readonly p50Ms: number | undefined;
  /** What 99 of a hundred aren't longer than. */
  readonly p99Ms: number | undefined;
  /** Cumulative: each counts what is no longer than its bound, those that are longer than the last are in `count` alone. */
  readonly buckets: readonly {
    readonly upToMs: number;
    readonly count: number;
  }[];
}

/** One worker's numbers since the front was made, over all of its processes. */
export interface WorkerNumbers {
  readonly worker: number;
  /** Leases: requests and upgrades that it was given, also those that it then failed. */
  readonly requests: number;
  /** Requests that it failed, and that were tried again, elsewhere or on a new connection. */
  readonly retries: number;
  /** Sockets that it upgraded. */
  readonly upgrades: number;
  /** What it was sent, headers and all. */
  readonly bytesIn: number;
  /** What it sent. */
  readonly bytesOut: number;
}

/** How long a worker's processes of a generation took, from the lease to the head of the answer. Upgrades aren't in it. */
export interface LatencyNumbers {
  readonly worker: number;
  readonly generation: number;
  readonly latency: HistogramValue;
}

/** All that the front counts. */
export interface FrontNumbers {
  /** Requests and upgrades received that may be passed on. */
  readonly requests: number;
  /** Requests refused, */
  readonly refused: number;
  /** … by why. Most of them reached no process. */
  readonly refusals: Readonly<Record<RefusalReason, number>>;
  /** Requests that wait at this moment: the queue. */
  readonly held: number;
  /** Requests that ever had to wait. */
  readonly heldTotal: number;
  /** How long those waited that don't any more. */
  readonly holds: HistogramValue;
  /** Times that a request was tried again, elsewhere or on a new connection. */
  readonly retries: number;
  /** Sockets that were upgraded (WebSocket and others). */
  readonly upgrades: number;
  /** Answers that the front wrote itself, for want of one of the app's. */
  readonly ownAnswers: number;
  /** Clients' connections that are open. */
  readonly connections: number;
  /** What clients sent, headers and all. */
  readonly bytesIn: number;
  /** What clients were sent. */
  readonly bytesOut: number;
  readonly workers: readonly WorkerNumbers[];
  /** Of the last few generations. */
  readonly latencies: readonly LatencyNumbers[];
  readonly targets: readonly FrontTargetStats[];
}
