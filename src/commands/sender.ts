/** Sends a command to a process, and turns what comes back into a value or an error with a code of its own. */
import { messageOf, PreforkError } from "../errors.js";
import type { AnswerError, AnswerMessage } from "../ipc/messages.js";
import { decode, encode } from "./values.js";

/** What became of a command: an answer, or why there's none. */
export type Answer = AnswerMessage | "exited" | "timeout";

/** A process that can be sent commands. */
export interface CommandTarget {
  readonly worker: number;
  readonly pid: number;
  /** @param args - encoded */
  ask(name: string, args: string, timeoutMs: number): Promise<Answer>;
}

/** The worker has no process to send to. */
export function noProcess(name: string, worker: number): PreforkError {
  return new PreforkError(
    "ERR_PREFORK_WORKER_GONE",
    `command "${name}": worker ${worker} has no process that serves. Wait until it has one (its state in status() is "ready").`,
  );
}

/**
 * Arguments, encoded.
 *
 * @throws PreforkError `ERR_PREFORK_COMMAND_VALUE`
 */
export function encodeArguments(
  name: string,
  args: readonly unknown[],
): string {
  const bad = args.findIndex((arg) => !isCloneable(arg));
  try {
    return encode(args);
  } catch (cause) {
    throw new PreforkError(
      "ERR_PREFORK_COMMAND_VALUE",
      `command "${name}": argument ${bad + 1} can't be serialised (${messageOf(cause)}). Pass data: no functions, symbols or promises.`,
      { cause },
    );
  }
}

function isCloneable(value: unknown): boolean {
  try {
    encode(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * Sends a command.
 *
 * @param timeoutMs - the deadline of the answer, in milliseconds
 * @returns what `childFoo` came to
 * @throws PreforkError `ERR_PREFORK_COMMAND_UNKNOWN`, `ERR_PREFORK_COMMAND_FAILED`, `ERR_PREFORK_COMMAND_TIMEOUT`,
 * `ERR_PREFORK_COMMAND_VALUE`, `ERR_PREFORK_WORKER_GONE`
 */
export async function sendCommand(
  target: CommandTarget,
  name: string,
  args: readonly unknown[],
  timeoutMs: number,
): Promise<unknown> {
  const encoded = encodeArguments(name, args);
  const answer = await target.ask(name, encoded, timeoutMs);
  return valueOf(answer, name, target, timeoutMs);
}

/**
 * The value in an answer.
 *
 * @throws PreforkError as {@link sendCommand}
 */
export function valueOf(
  answer: Answer,
  name: string,
  { worker, pid }: Pick<CommandTarget, "worker" | "pid">,
  timeoutMs: number,
): unknown {
  const where = `worker ${worker} (pid ${pid})`;
  if (answer === "exited")
    throw new PreforkError(
      "ERR_PREFORK_WORKER_GONE",
      `command "${name}": the process of ${where} ended before it answered. Whether the command was carried out isn't known.`,
    );
  if (answer === "timeout")
    throw new PreforkError(
      "ERR_PREFORK_COMMAND_TIMEOUT",
      `command "${name}": ${where} didn't answer within ${timeoutMs} ms. Its promise never settles, its event loop is blocked, or commandTimeoutMs is too short.`,
    );
  if (answer.error !== undefined)
    throw errorOf(answer.error, `command "${name}"`, where);
  return answer.value === undefined ? undefined : decode(answer.value);
}

function errorOf(
  error: AnswerError,
  command: string,
  where: string,
): PreforkError {
  const cause = causeOf(error);
  switch (error.reason) {
    case "unknown":
      return new PreforkError(
        "ERR_PREFORK_COMMAND_UNKNOWN",
        `${command}: ${where} has ${error.message}. Commands come from mixins.`,
      );
    case "value":
      return new PreforkError(
        "ERR_PREFORK_COMMAND_VALUE",
        `${command}: its result in ${where} can't be serialised (${error.message}). Return data: no functions, symbols or promises.`,
        { cause },
      );
    case "threw":
      return new PreforkError(
        "ERR_PREFORK_COMMAND_FAILED",
        `${command} threw in ${where}: ${error.name}: ${error.message}`,
        { cause },
      );
  }
}

/** The error as it was thrown in the process. */
function causeOf({ name, message, stack, code }: AnswerError): Error {
  const cause = new Error(message);
  cause.name = name;
  if (stack !== undefined) cause.stack = stack;
  return code === undefined ? cause : Object.assign(cause, { code });
}
