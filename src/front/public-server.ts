/**
 * The HTTP server on the public side: Node's, with our own decisions about what it lets pass and how it refuses. What can be
 * passed on goes to `onRequest`, in any order that it arrives in; `connections.ts` puts it in turn.
 */
import http from "node:http";
import { Socket } from "node:net";

import type { ClientRequest, ClientResponse } from "./client.js";
import { codeOf, isWorthTelling, refusalOfError } from "./client-errors.js";
import type { Connections, ConnectionUse } from "./connections.js";
import type { Exchange } from "./exchange.js";
import type { Refusal } from "./faults.js";
import { RefusalUse } from "./refusing.js";
import type { FrontLimits } from "./types.js";
import { isServedPlain, servePlain, upgradeOf } from "./upgrade.js";

/** Node looks for slow headers at this interval, or more often where they have little time. */
const LONGEST_CHECK_MS = 5_000;

/** What a public server needs. */
export interface PublicServerOptions {
  readonly connections: Connections;
  readonly limits: FrontLimits;
  /** Why a request goes nowhere, if so. */
  readonly faultOf: (request: ClientRequest) => Refusal | undefined;
  /** The front's own answer to a request without a fault, if it isn't the app's. */
  readonly ownUse: (
    request: ClientRequest,
    response: ClientResponse,
  ) => ConnectionUse | undefined;
  /** Is a request for the front itself? Then it's for no upgrade. */
  readonly isOwn: (request: ClientRequest) => boolean;
  /** Called for each request that may be passed on. */
  readonly onRequest: (
    socket: Socket,
    request: http.IncomingMessage,
    to: ConstructorParameters<typeof Exchange>[2],
  ) => void;
  /** Called for each refusal, with what to tell the developer, if that is worth it. */
  readonly onRefusal: (refusal: Refusal, line: string | undefined) => void;
}

/** Makes the server. It doesn't listen yet. */
export function createPublicServer(options: PublicServerOptions): http.Server {
  const { connections, limits, faultOf, onRequest, onRefusal } = options;
  const isPlain = (request: http.IncomingMessage): boolean =>
    isServedPlain(request) || options.isOwn(request);
  const refuse = (
    socket: Socket,
    refusal: Refusal,
    request?: http.IncomingMessage,
  ): void => {
    onRefusal(refusal, lineOf(refusal, request));
    connections.use(socket, new RefusalUse(socket, refusal, request), true);
  };
  const server = http.createServer(serverOptions(limits, isPlain));
  // Ours is the limit: Node would cut the list silently.
  server.maxHeadersCount = 0;
  server.on("connection", (socket: Socket) => connections.add(socket));

  const onPlain = (
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): void => {
    const { socket } = request;
    if (connections.isOver(socket)) return;
    const fault = faultOf(request);
    if (fault !== undefined) {
      refuse(socket, fault, request);
      return;
    }
    const own = options.ownUse(request, response);
    if (own === undefined) onRequest(socket, request, { response });
    else connections.use(socket, own);
  };
  server.on("request", onPlain);
  // What the client expects, the process decides.
  server.on("checkContinue", onPlain);
  server.on("checkExpectation", onPlain);

  server.on("upgrade", (request, _duplex, early: Buffer) => {
    const { socket } = request;
    if (connections.isOver(socket)) return;
    connections.takeOver(socket);
    if (isPlain(request)) {
      connections.use(socket, plainUse(server, request, socket, early));
      return;
    }
    const fault = faultOf(request);
    if (fault !== undefined) refuse(socket, fault, request);
    else
      onRequest(socket, request, {
        upgrade: upgradeOf(request, socket, early),
      });
  });

  server.on("connect", (request) => {
    if (connections.isOver(request.socket)) return;
    connections.takeOver(request.socket);
    refuse(request.socket, notAProxy, request);
  });

  server.on("clientError", (error: Error, socket) => {
    // What follows the request that said it is the last; that one is still answered.
    if (codeOf(error) === "HPE_CLOSED_CONNECTION") return;
    const refusal = refusalOfError(error);
    if (refusal === undefined || !(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    // Nothing was said on it: most likely a browser's, kept for later. An answer to no request would confuse it.
    if (socket.bytesRead === 0) {
      // A loop that was busy has yet to read what has come meanwhile.
      setImmediate(() => {
        if (socket.bytesRead === 0) socket.destroy();
      });
      return;
    }
    const isTaken = connections.breakOff(
      socket,
      new RefusalUse(socket, refusal),
    );
    if (!isTaken) return;
    const isTold = isWorthTelling(error, refusal);
    onRefusal(refusal, isTold ? lineOf(refusal, undefined) : undefined);
  });
  return server;
}

function serverOptions(
  limits: FrontLimits,
  isPlain: (request: http.IncomingMessage) => boolean,
): http.ServerOptions {
  const { headersTimeoutMs, keepAliveTimeoutMs, maxHeaderBytes } = limits;
  const options = {
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: headersTimeoutMs,
    // The whole of a request may take as long as it takes: it may be held, and uploads are timed by their pauses.
    requestTimeout: 0,
    connectionsCheckingInterval:
      headersTimeoutMs === 0
        ? LONGEST_CHECK_MS
        : Math.min(LONGEST_CHECK_MS, Math.ceil(headersTimeoutMs / 4)),
    maxHeaderSize: maxHeaderBytes,
    // That, too, is for `faults.ts` to say: Node doesn't look at upgrades.
    requireHostHeader: false,
    keepAlive: true,
    // Newer versions of Node ask before they give up on HTTP; older ones don't know it: see `servePlain`.
    shouldUpgradeCallback: (request: http.IncomingMessage) => !isPlain(request),
  };
  return options;
}

const notAProxy: Refusal = {
  status: 405,
  text: "CONNECT is for proxies, and this is a server.",
};

function plainUse(
  server: http.Server,
  request: http.IncomingMessage,
  socket: Socket,
  early: Buffer,
): ConnectionUse {
  return {
    start: (onDone) => {
      onDone();
      servePlain(server, request, socket, early);
    },
    clientGone: () => undefined,
    breakOff: () => "received",
    drained: () => undefined,
  };
}

/** What the developer is told of a refusal. */
export function lineOf(
  { status, text }: Refusal,
  request: Pick<http.IncomingMessage, "method" | "url"> | undefined,
): string {
  const what =
    request === undefined
      ? "a request"
      : `${request.method ?? ""} ${request.url ?? ""}`;
  return `${status} ${what}: refused. ${text}`;
}
