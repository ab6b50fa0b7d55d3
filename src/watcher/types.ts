/** The plain values that the watcher takes and gives. Types only. */

/** Changes that belong together. */
export interface ChangeBatch {
  /** Absolute paths that were written, touched, created or removed. Never empty. */
  readonly paths: ReadonlySet<string>;
  /** `performance.now()` at the first event of the batch. */
  readonly firstEventAt: number;
  /** `performance.now()` when the batch was closed. */
  readonly closedAt: number;
}
