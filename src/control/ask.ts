/** One request to a control socket, for the client. It knows HTTP, and nothing of what is asked. */
import http from "node:http";
import type { IncomingMessage } from "node:http";
import {
  errorCodes,
  messageOf,
  PreforkError,
  systemErrorCode,
} from "../errors.js";
import type { ErrorCode } from "../errors.js";

/** How a call is limited. */
export interface CallOptions {
  /** Stops waiting for the answer; what was asked for goes on. Default: none. */
  readonly signal?: AbortSignal;
  /** How long the whole answer may take, in milliseconds. Default: 10,000 for `status()`, no limit for the rest. */
  readonly timeoutMs?: number;
}

/** What to ask, and where. */
export interface Question extends CallOptions {
  readonly socketPath: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Sent as JSON. Default: no body. */
  readonly body?: unknown;
}

/**
 * Asks, and gives the answer's value.
 *
 * @throws PreforkError the server's own; `ERR_PREFORK_NO_MASTER` when nobody listens; `ERR_PREFORK_CONTROL` when there's no answer
 */
export async function ask(question: Question): Promise<unknown> {
  const { signal, timeoutMs } = question;
  const late =
    timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signals = [signal, late].filter((one) => one !== undefined);
  const limited = { ...question, signal: AbortSignal.any(signals) };
  try {
    const response = await open(limited);
    return await valueOf(response, await textOf(response), question);
  } catch (error) {
    throw failureOf(error, question, late?.aborted);
  }
}

/**
 * Asks for a stream: fulfils when its head has come.
 *
 * @throws PreforkError as {@link ask}
 */
export async function askForStream(
  question: Question,
): Promise<IncomingMessage> {
  try {
    const response = await open(question);
    if (response.statusCode === 200) return response;
    await valueOf(response, await textOf(response), question);
    throw new Error("it isn't a stream");
  } catch (error) {
    throw failureOf(error, question);
  }
}

/** What a failed exchange means. Errors that say so already are left alone. */
export function failureOf(
  error: unknown,
  question: Question,
  isLate = false,
): unknown {
  const { socketPath, signal } = question;
  if (error instanceof PreforkError) return error;
  if (signal?.aborted === true) return signal.reason;
  const asked = `${question.method} ${question.path}`;
  switch (systemErrorCode(error)) {
    case "ENOENT":
    case "ECONNREFUSED":
      return new PreforkError(
        "ERR_PREFORK_NO_MASTER",
        `Nobody listens on the control socket ${socketPath}. Start a server with "prefork-dev [target]".`,
        { cause: error },
      );
    case undefined:
    default: {
      const what = isLate
        ? `There was no answer within ${question.timeoutMs ?? 0} ms`
        : `The server ended, or hung up, before it had answered (${messageOf(error)})`;
      return new PreforkError(
        "ERR_PREFORK_CONTROL",
        `${what}: ${asked} on ${socketPath}. See the server's log.`,
        { cause: error },
      );
    }
  }
}

function open(question: Question): Promise<IncomingMessage> {
  const { socketPath, method, path, body, signal } = question;
  return new Promise((resolve, reject) => {
    const text = body === undefined ? "" : JSON.stringify(body);
    const request = http.request({
      socketPath,
      method,
      path,
      agent: false,
      headers: {
        Host: "localhost",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(method === "GET"
          ? {}
          : { "Content-Length": Buffer.byteLength(text) }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    request.once("response", resolve);
    // Also after the answer has begun: then the response says it too.
    request.on("error", (error) =>
      reject(signal?.aborted === true ? abortError(signal) : error),
    );
    request.end(text);
  });
}

/** Why it was aborted, rather than that it was. */
function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text;
}

function valueOf(
  { statusCode = 0 }: IncomingMessage,
  text: string,
  { socketPath }: Question,
): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PreforkError(
      "ERR_PREFORK_CONTROL",
      `The answer on ${socketPath} is no JSON, but ${JSON.stringify(text.slice(0, 80))}: is it a prefork-dev that listens there?`,
      { cause: error },
    );
  }
  if (statusCode < 400) return value;
  const { code, message } = errorOf(value);
  throw new PreforkError(
    isErrorCode(code) ? code : "ERR_PREFORK_CONTROL",
    typeof message === "string"
      ? message
      : `The server answered ${statusCode} on ${socketPath}, without saying why. See its log.`,
  );
}

function errorOf(value: unknown): {
  readonly code?: unknown;
  readonly message?: unknown;
} {
  if (typeof value !== "object" || value === null || !("error" in value))
    return {};
  const { error } = value;
  return typeof error === "object" && error !== null ? error : {};
}

/** A newer server may have codes that this client doesn't know. */
function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(errorCodes, code);
}
