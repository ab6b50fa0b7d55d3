/** The plain values of external fronts (nginx, HAProxy, others). Types only. */

/** A worker that serves, as an external front reaches it. */
export interface UpstreamServer {
  /** The worker's index, from 0. */
  readonly worker: number;
  /** The address that it listens on; of a wildcard (`0.0.0.0`, `::`) the loopback address is meant. */
  readonly host: string;
  readonly port: number;
}

/** One external front. */
export interface Upstream {
  /** For messages: `nginx`, `HAProxy`. */
  readonly name: string;

  /**
   * How often the same list is applied again, in milliseconds, for a front that can lose it on its own; it must be cheap
   * when nothing is lost. `undefined` or 0: never.
   */
  readonly recheckMs?: number | undefined;

  /**
   * Brings the front to exactly these servers.
   *
   * @param signal - a newer list is waiting, or the master stops: give up, leaving the front in a valid state
   * @returns fulfils when that is confirmed: no new request goes to any other server; rejects with what is wrong
   */
  apply(servers: readonly UpstreamServer[], signal: AbortSignal): Promise<void>;

  /** Lets go of what it holds. The front stays as it is. */
  close(): Promise<void>;
}

/** How far an external front is. */
export interface UpstreamStatus {
  /** {@link Upstream.name}. */
  readonly name: string;
  /**
   * `idle`: it was given no list yet; `applying`: the newest list is under way; `in-step`: confirmed; `failing`: the last try
   * failed, and it's tried again.
   */
  readonly state: "idle" | "applying" | "in-step" | "failing" | "closed";
  /** The newest list that it was given. */
  readonly servers: readonly UpstreamServer[];
  /** Why the last try failed; `undefined` unless `failing`. */
  readonly error: string | undefined;
  /** Tries that failed in a row. */
  readonly failures: number;
}
