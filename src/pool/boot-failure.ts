/** Why a process never became ready: the error, and its texts where the process itself said nothing. */
import type { Diagnostic } from "../diagnostic.js";
import type { ProcessExit } from "./types.js";

/** A boot that came to nothing. */
export class BootFailure extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

/** The boot timeout has passed. */
export function notReadyInTime(bootTimeoutMs: number): Diagnostic {
  return {
    message:
      `not ready within ${bootTimeoutMs} ms: the app neither listens on a port nor exports a request listener. ` +
      "Does the entry wait for something (a database, a lock)?",
  };
}

// Node docs, process, "Exit codes".
const TOP_LEVEL_AWAIT_NEVER_SETTLED = 13;

/**
 * The process ended without a word of its own.
 *
 * @param lastWords - the last lines of its stderr
 */
export function endedBeforeReady(
  { code, signal }: ProcessExit,
  lastWords: readonly string[],
): Diagnostic {
  const how =
    signal === null
      ? `exited with code ${code ?? 0}`
      : `was killed by ${signal}`;
  let why = "";
  if (code === 0) {
    why =
      ": the program ended without listening on a port or exporting a request listener";
  } else if (code === TOP_LEVEL_AWAIT_NEVER_SETTLED) {
    why = ": a top-level await never settled";
  }
  const message = `the process ${how} before it was ready${why}`;
  return lastWords.length === 0
    ? { message }
    : { message, stack: lastWords.join("\n") };
}
