/**
 * Refusing what a client sent: an answer of the front's own, the last on its connection. Written past Node's response,
 * because there may be none: for what isn't HTTP, for CONNECT, for a request whose body broke off.
 */
import { STATUS_CODES } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { formFor } from "./accept.js";
import type { ConnectionUse } from "./connections.js";
import type { Refusal } from "./faults.js";
import { bodyOf } from "./own-body.js";
import { pagePolicy } from "./own-page.js";
import { ownFields } from "./own-policy.js";
import { headerText } from "./raw-fields.js";

/**
 * How long a refused client may go on sending. Closing at once would reset the connection under
 * what it sends, and the reset can take the answer away from it.
 */
const LINGER_MS = 1_000;

const ALL_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/** The last use of a connection: an answer, and the end. */
export class RefusalUse implements ConnectionUse {
  readonly #socket: Socket;
  readonly #refusal: Refusal;
  readonly #request: IncomingMessage | undefined;

  /** @param request - the refused request, where there is one */
  constructor(socket: Socket, refusal: Refusal, request?: IncomingMessage) {
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
    socket.end(refusalText(this.#refusal, this.#request), "latin1");
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

function refusalText(
  { status, text, allow = ALL_METHODS }: Refusal,
  request: IncomingMessage | undefined,
): string {
  const form = formFor(request?.headers.accept);
  const own = { status, text: `prefork-dev refused this request. ${text}` };
  const body = bodyOf(own, form);
  const fields = {
    "Content-Type": body.type,
    "Content-Length": String(Buffer.byteLength(body.text)),
    ...ownFields(form === "html" ? pagePolicy : undefined),
    ...(status === 405 ? { Allow: allow } : {}),
    Connection: "close",
  };
  const head = headerText(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    Object.entries(fields).flat(),
  );
  // The socket writes latin1: the bytes of UTF-8, one by one.
  return request?.method === "HEAD"
    ? head
    : head + Buffer.from(body.text).toString("latin1");
}
