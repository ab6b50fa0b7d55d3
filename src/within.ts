/** A wait with a deadline. */

/**
 * A timer that is so late, in milliseconds, says that this process didn't run: it was suspended (SIGSTOP, a laptop's lid),
 * and what it waits for may have happened, or had no chance to.
 */
const LATE_MS = 500;

/**
 * What a promise comes to, or `"timeout"` when the time is over; the promise goes on then. Time in which this
 * process was suspended doesn't count: the wait begins anew.
 *
 * @param timeoutMs - in milliseconds, at most 2^31 - 1
 */
export async function within<Value>(
  timeoutMs: number,
  promise: Promise<Value>,
): Promise<Value | "timeout"> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<"timeout">((resolve) => {
    const arm = (): void => {
      const dueAt = performance.now() + timeoutMs;
      timer = setTimeout(() => {
        if (performance.now() - dueAt > LATE_MS) arm();
        else resolve("timeout");
      }, timeoutMs);
    };
    arm();
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
