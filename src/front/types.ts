/** The plain values that the front takes and gives. Types only. */

/** Where a process answers the front, and as what. */
export interface FrontTarget {
  /** Unique for the life of the master. */
  readonly id: number;
  /** The worker's index, from 0: `x-prefork-worker`. */
  readonly worker: number;
  /** `x-prefork-generation`. */
  readonly generation: number;
  /** The private endpoint: a Unix socket's path (or Windows pipe). */
  readonly socketPath: string;
  readonly protocol: "http" | "https";
}

/** Which processes get new leases: see DESIGN "fresh". */
export type Consistency = "fresh" | "available";
