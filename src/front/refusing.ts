/**
 * Refusing what a client sent: an answer of the front's own, the last on its connection. Written past Node's response,
 * because there may be none: for what isn't HTTP, for CONNECT, for a request whose body broke off.
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import { formFor } from "./accept.js";
import type { ClientRequest } from "./client.js";
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

/** What a refusal says, in the form that the client asks for, whatever version of HTTP it's said in. */
export function refusalMessage(
  { status, text, allow = ALL_METHODS }: Refusal,
  request: ClientRequest | undefined,
): { readonly fields: string[]; readonly body: Buffer } {
  const form = formFor(request?.headers.accept);
  const own = { status, text: `prefork-dev refused this request. ${text}` };
  const { type, text: body } = bodyOf(own, form);
  const fields = {
    "Content-Type": type,
    "Content-Length": String(Buffer.byteLength(body)),
    ...ownFields(form === "html" ? pagePolicy : undefined),
    ...(status === 405 ? { Allow: allow } : {}),
  };
  return { fields: Object.entries(fields).flat(), body: Buffer.from(body) };
}

function refusalText(
  refusal: Refusal,
  request: ClientRequest | undefined,
): string {
  const { status } = refusal;
  const { fields, body } = refusalMessage(refusal, request);
  const head = headerText(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, [
    ...fields,
    "Connection",
    "close",
  ]);
  // The socket writes latin1: the bytes of UTF-8, one by one.
  return request?.method === "HEAD" ? head : head + body.toString("latin1");
}
