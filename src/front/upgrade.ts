/** A client's connection that Node has let go of, because the client asked for an upgrade. */
import { ServerResponse } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";

import { asksForH2c } from "./headers.js";
import { headerText } from "./raw-fields.js";

/** A connection that is to be upgraded. */
export interface Upgrade {
  readonly socket: Socket;
  /** What the client sent after its request. */
  readonly early: Buffer;
  /** For an answer that upgrades nothing: the connection ends with it. */
  respond(): ServerResponse;
}

/** The connection of an `upgrade` event. */
export function upgradeOf(
  request: IncomingMessage,
  socket: Socket,
  early: Buffer,
): Upgrade {
  return {
    socket,
    early,
    respond: () => {
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.on("error", () => undefined);
      response.assignSocket(socket);
      // Node's server does this for the connections that it has in hand.
      response.once("finish", () => {
        response.detachSocket(socket);
        socket.destroySoon();
        // Else what the client still sends is never read, and the end not seen.
        socket.resume();
      });
      return response;
    },
  };
}

/**
 * Whether a request for an upgrade is rather an ordinary request: for HTTP/2 in clear text, which nobody needs to
 * speak; one with a body, which comes first, and which Node has not read; and one in HTTP/1.0, which knows no upgrades
 * (RFC 9110 section 7.8: a server may ignore `Upgrade`, and in HTTP/1.0 must).
 */
export function isServedPlain(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    request.httpVersion === "1.0" ||
    asksForH2c(headers.upgrade) ||
    headers["transfer-encoding"] !== undefined ||
    Number(headers["content-length"] ?? 0) !== 0
  );
}

/** Has a request that came as an upgrade read again by Node's server, without the `Upgrade`. */
export function servePlain(
  server: Server,
  request: IncomingMessage,
  socket: Socket,
  early: Buffer,
): void {
  const headers: string[] = [];
  const raw = request.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const key = name.toLowerCase();
    if (key === "upgrade" || key === "http2-settings") continue;
    const value = raw[i + 1] ?? "";
    headers.push(name, key === "connection" ? withoutUpgrade(value) : value);
  }
  const line = `${request.method ?? "GET"} ${request.url ?? "/"} HTTP/${request.httpVersion}`;
  const text = Buffer.from(headerText(line, headers), "latin1");
  socket.unshift(Buffer.concat([text, early]));
  server.emit("connection", socket);
}

function withoutUpgrade(connection: string): string {
  return connection
    .split(",")
    .map((option) => option.trim())
    .filter((option) => !/^(?:upgrade|http2-settings)$/i.test(option))
    .join(", ");
}
