/** The end of a child process, as the system tells it. */
import type { ChildProcess } from "node:child_process";

/** How long the exit of a process waits for the rest of its output. */
const OUTPUT_GRACE_MS = 100;

/** What the system says of an end. Both `null`: it couldn't be started. */
export interface SystemExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Settles when a process has exited and its output was read. Never rejects.
 *
 * @param onError - it couldn't be started, or (harmless) a signal or message couldn't be sent
 */
export function exitOf(
  child: ChildProcess,
  onError: (error: Error) => void,
): Promise<SystemExit> {
  return new Promise((resolve) => {
    // `close` comes when the output was read to its end; a grandchild that inherited the pipes can
    // keep them open for ever, and mustn't keep a dead worker from being replaced.
    child.once("exit", (code, signal) => {
      const timer = setTimeout(resolve, OUTPUT_GRACE_MS, { code, signal });
      child.once("close", () => {
        clearTimeout(timer);
        resolve({ code, signal });
      });
    });
    child.once("error", (error) => {
      onError(error);
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}
