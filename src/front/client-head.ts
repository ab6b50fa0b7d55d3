/** A client's request as Node shows it, and what of it the process gets. */
import { TLSSocket } from "node:tls";

import type { ClientRequest } from "./client.js";
import { isTrusted, plainAddress } from "./forwarded.js";
import { requestHead } from "./headers.js";
import type { RequestHead } from "./headers.js";
import { authorityOf } from "./target.js";
import type { TrustProxy } from "./types.js";

/** The header that goes to the process. */
export function clientHead(
  request: ClientRequest,
  isUpgrade: boolean,
  context: {
    readonly trustProxy: TrustProxy;
    readonly defaultHost: () => string;
  },
): RequestHead {
  const { headers, method, url, httpVersion, rawHeaders, socket } = request;
  const remoteAddress = plainAddress(socket.remoteAddress);
  return requestHead(rawHeaders, {
    method,
    httpVersion,
    remoteAddress,
    connection: headers.connection,
    upgrade: isUpgrade ? headers.upgrade : undefined,
    isTrusted: isTrusted(context.trustProxy, remoteAddress),
    protocol: isSecure(request) ? "https" : "http",
    defaultHost: authorityOf(url ?? "/") ?? context.defaultHost(),
  });
}

/** Did it come over TLS? */
export function isSecure({ socket }: Pick<ClientRequest, "socket">): boolean {
  return socket instanceof TLSSocket;
}
