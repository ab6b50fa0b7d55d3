/** A wait with a deadline. */

/**
 * What a promise comes to, or `"timeout"` when the time is over; the promise goes on then.
 *
 * @param timeoutMs - in milliseconds, at most 2^31 - 1
 */
export async function within<Value>(
  timeoutMs: number,
  promise: Promise<Value>,
): Promise<Value | "timeout"> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<"timeout">((resolve) => {
    timer = setTimeout(resolve, timeoutMs, "timeout");
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
