/** How long to wait before trying again. */
const BACKOFF_FIRST_MS = 250;
const BACKOFF_CAP_MS = 15_000;

/**
 * How long a process that failed waits before its next boot.
 *
 * @param failures - boots that failed and processes that died early, in a row
 * @returns 0 for none, then 250 ms, doubled each time, at most 15 s
 */
export function backoffMs(failures: number): number {
  if (failures === 0) return 0;
  return Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1));
}
