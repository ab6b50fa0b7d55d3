/**
 * Every error that prefork-dev raises itself: one class, one table of stable
 * codes. `docs/errors.md` documents the table; a test compares the two.
 */

/** The stable codes, each with the one-line meaning shown in `docs/errors.md`. */
export const errorCodes = {
  ERR_PREFORK_USAGE: "A flag or an argument of the command is wrong.",
  ERR_PREFORK_OPTION: "An option given to the library is wrong.",
  ERR_PREFORK_TARGET:
    "The target is no entry file, manifest or directory that holds one.",
  ERR_PREFORK_PROJECT:
    "The manifest has several projects and none was chosen, or none of that name.",
  ERR_PREFORK_MANIFEST: "The manifest can't be loaded or has the wrong shape.",
  ERR_PREFORK_MANIFEST_EXISTS:
    "There is a manifest already, and `init` doesn't overwrite it.",
  ERR_PREFORK_SOURCE_MISSING: "The manifest lists a source that doesn't exist.",
  ERR_PREFORK_NEEDS_UNKNOWN:
    "A `needs` or `changes` names something that is not a source.",
  ERR_PREFORK_NEEDS_CYCLE: "Sources need each other in a circle.",
  ERR_PREFORK_COMPILE:
    "Sources can't be compiled or an import can't be resolved.",
  ERR_PREFORK_LOAD: "A source can't be loaded into this process.",
  ERR_PREFORK_CACHE: "The cache directory can't be written.",
  ERR_PREFORK_ENV_FILE: "The env file can't be read.",
  ERR_PREFORK_PORT: "A port can't be listened on.",
  ERR_PREFORK_CERTIFICATE:
    "The front's certificate or its key can't be used, or made.",
  ERR_PREFORK_PID_FILE:
    "The pid file can't be written or belongs to a live process.",
  ERR_PREFORK_OUTPUT: "The output for the workers' lines can't be opened.",
  ERR_PREFORK_BOOT: "A worker process failed before it was ready.",
  ERR_PREFORK_BOOT_TIMEOUT:
    "A worker process was not ready within the boot timeout.",
  ERR_PREFORK_MIXIN: "A mixin can't be loaded or has the wrong shape.",
  ERR_PREFORK_HOOK: "A hook of a mixin threw, or took too long.",
  ERR_PREFORK_COMMAND_UNKNOWN: "A worker has no such command.",
  ERR_PREFORK_COMMAND_FAILED: "A command threw in its worker.",
  ERR_PREFORK_COMMAND_TIMEOUT: "A command didn't answer in time.",
  ERR_PREFORK_COMMAND_VALUE:
    "An argument or the result of a command can't be serialised.",
  ERR_PREFORK_WORKER_GONE:
    "A worker has no process to send a command to, or it ended before it answered.",
  ERR_PREFORK_NOT_RUNNING: "The server was not started yet, or was stopped.",
  ERR_PREFORK_CONTROL:
    "The control socket can't be opened, or gave no sound answer.",
  ERR_PREFORK_CONTROL_IN_USE: "Another process listens on the control socket.",
  ERR_PREFORK_CONTROL_REQUEST: "A request to the control socket is wrong.",
  ERR_PREFORK_NO_MASTER: "No server runs for the project.",
  ERR_PREFORK_UPSTREAM:
    "An external front can't be brought in step with the workers.",
} as const;

/** A code of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/**
 * The error that every public call rejects or throws with.
 *
 * `message` says what happened, the value received, and what to do;
 * `code` is stable; `cause` keeps the error underneath.
 */
export class PreforkError extends Error {
  override name = "PreforkError";
  /** The stable code, see `docs/errors.md`. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The `code` of a Node system error, or `undefined`. */
export function systemErrorCode(error: unknown): string | undefined {
  if (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string"
  ) {
    return error.code;
  }
  return undefined;
}

/** What a caught value says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
