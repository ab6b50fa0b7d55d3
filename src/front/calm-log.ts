/**
 * Log lines of the front, of which a page with a hundred resources or a load test would bring hundreds while nothing is ready:
 * the first few are told, the others counted.
 */

/** So many lines are told in each {@link WINDOW_MS}. */
const MOST_LINES = 5;
const WINDOW_MS = 10_000;

/** @param log - gets the lines, and how many it didn't get once the time is over */
export function calmLog(log: (line: string) => void): (line: string) => void {
  let lines = 0;
  const end = (): void => {
    const dropped = lines - MOST_LINES;
    lines = 0;
    if (dropped > 0)
      log(
        `${dropped} more answers like these in the last ${WINDOW_MS / 1_000} s`,
      );
  };
  return (line) => {
    if (++lines === 1) setTimeout(end, WINDOW_MS).unref();
    if (lines <= MOST_LINES) log(line);
  };
}
