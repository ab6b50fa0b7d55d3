/** What the socket answers: JSON, and errors as `{ error: { code, message } }`, exactly where the status is 400 or more. */
import type { ServerResponse } from "node:http";
import { PreforkError, messageOf } from "../errors.js";
import type { ErrorCode } from "../errors.js";
import type { ControlText } from "./types.js";

/** A client that takes nothing of its answer for so long is hung up on. */
const SEND_TIMEOUT_MS = 30_000;

/** What the asker can mend is 4xx, what may pass 503; all others are 500. */
const statusOfCode: Readonly<Record<string, number>> = {
  ERR_PREFORK_CONTROL_REQUEST: 400,
  ERR_PREFORK_USAGE: 400,
  ERR_PREFORK_OPTION: 400,
  ERR_PREFORK_COMMAND_UNKNOWN: 400,
  ERR_PREFORK_COMMAND_VALUE: 400,
  ERR_PREFORK_NOT_RUNNING: 503,
  ERR_PREFORK_WORKER_GONE: 503,
  ERR_PREFORK_COMMAND_TIMEOUT: 504,
};

/** What doesn't survive `JSON.stringify` by itself: errors would lose their message, bigints throw. */
function replace(_key: string, value: unknown): unknown {
  if (value instanceof PreforkError)
    return { code: value.code, message: value.message };
  if (value instanceof Error)
    return { name: value.name, message: value.message };
  return typeof value === "bigint" ? String(value) : value;
}

/** One line of JSON, without its end; `null` where JSON has no word for it. */
export function jsonLine(value: unknown): string {
  // The declaration forgets that functions and `undefined` give `undefined`.
  const text = JSON.stringify(value, replace) as string | undefined;
  return text ?? "null";
}

/** Answers with JSON, unless the client has gone. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const contentType = "application/json; charset=utf-8";
  const text = `${jsonLine(value)}\n`;
  send(response, status, { contentType, text }, headers);
}

/** Answers with a text, unless the client has gone. */
export function sendText(response: ServerResponse, text: ControlText): void {
  send(response, 200, text, {});
}

function send(
  response: ServerResponse,
  status: number,
  { contentType, text }: ControlText,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    "Content-Type": contentType,
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
    ...headers,
  });
  response.setTimeout(SEND_TIMEOUT_MS, () => response.destroy());
  response.end(text);
}

/** The body of an error's answer. */
export function errorBody(
  code: ErrorCode,
  message: string,
): { readonly error: { readonly code: ErrorCode; readonly message: string } } {
  return { error: { code, message } };
}

/** Answers that the request was wrong. */
export function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = errorBody("ERR_PREFORK_CONTROL_REQUEST", message);
  sendJson(response, status, body, headers);
}

/** Answers that it couldn't be done. Says whether the error is one that was foreseen. */
export function sendError(response: ServerResponse, error: unknown): boolean {
  if (error instanceof PreforkError) {
    const status = statusOfCode[error.code] ?? 500;
    sendJson(response, status, errorBody(error.code, error.message));
    return true;
  }
  const message = `The server failed with: ${messageOf(error)}. It goes on running; its log may say more.`;
  sendJson(response, 500, errorBody("ERR_PREFORK_CONTROL", message));
  return false;
}
