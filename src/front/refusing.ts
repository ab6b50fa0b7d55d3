/**
 * Refusing what a client sent: an answer of the front's own, the last on its connection. Written past Node's response,
 * because there may be none: for what isn't HTTP, for CONNECT, for a request whose body broke off.
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import type { ClientRequest } from "./client.js";
import type { ConnectionUse } from "./connections.js";
import type { Refusal } from "./faults.js";
import { headerText } from "./raw-fields.js";

/**
 * How long a refused client may go on sending. Closing at once would reset the connection under
 * what it sends, and the reset can take the answer away from it.
 */
const LINGER_MS = 1_000;

/** The last use of a connection: an answer, and the end. */
export class RefusalUse implements ConnectionUse {
  readonly #socket: Socket;
  readonly #refusal: Refusal;
  readonly #request: ClientRequest | undefined;

  /** @param request - the refused request, where there is one */
  constructor(socket: Socket, refusal: Refusal, request?: ClientRequest) {
    this.#socket = socket;
    this.#refusal = refusal;
    this.#request = request;
  }

  start(): void {
    const socket = this.#socket;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(refusalText(this.#refusal, this.#request?.method), "latin1");
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
    // What still comes is read and dropped.
    this.#request?.resume();
    socket.resume();
  }

  clientGone(): void {
    // Nobody to tell.
  }

  breakOff(): "received" {
    return "received";
  }

  drained(): void {
    // It was all said at once.
  }
}

/** What a refusal says, whatever version of HTTP it's said in. */
export function refusalMessage({ status, text }: Refusal): {
  readonly fields: string[];
  readonly body: Buffer;
} {
  const body = Buffer.from(`prefork-dev refused this request. ${text}\n`);
  const fields = [
    "Content-Type",
    "text/plain; charset=utf-8",
    "Content-Length",
    String(body.length),
    "Cache-Control",
    "no-store",
    "X-Content-Type-Options",
    "nosniff",
    ...(status === 405
      ? ["Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]
      : []),
  ];
  return { fields, body };
}

function refusalText(refusal: Refusal, method: string | undefined): string {
  const { status } = refusal;
  const { fields, body } = refusalMessage(refusal);
  const head = headerText(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, [
    ...fields,
    "Connection",
    "close",
  ]);
  // The socket writes latin1: the bytes of UTF-8, one by one.
  return method === "HEAD" ? head : head + body.toString("latin1");
}
