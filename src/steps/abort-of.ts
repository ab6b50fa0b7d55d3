/** A signal to wait for, that is. */

/**
 * Fulfils when a signal is aborted.
 *
 * @param until - the wait is over when this is aborted: nothing is left listening
 */
export async function abortOf(
  signal: AbortSignal,
  until: AbortSignal,
): Promise<"aborted"> {
  return await new Promise((resolve) => {
    if (signal.aborted) resolve("aborted");
    const options = { once: true, signal: until };
    signal.addEventListener("abort", () => resolve("aborted"), options);
  });
}
