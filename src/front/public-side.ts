/** The public side of the front: what listens, and who speaks with the connections that come. With TLS HTTP/2 as well as HTTP/1.1, else the latter. */
import type http from "node:http";
import type net from "node:net";
import { setTimeout as setDelay } from "node:timers/promises";

import type { Connections } from "./connections.js";
import { Http2Connections } from "./http2-connections.js";
import type { Http2ConnectionsOptions } from "./http2-connections.js";
import { createPlainAnswerer } from "./plain-on-secure.js";
import { createPublicServer, lineOf } from "./public-server.js";
import type { PublicServerOptions } from "./public-server.js";
import { createSecureListener } from "./secure-listener.js";
import type { FrontTls } from "./types.js";

/** What the public side needs. */
export interface PublicSideOptions extends PublicServerOptions {
  /** `undefined`: no TLS. */
  readonly tls: FrontTls | undefined;
  /** As `onRequest`, for those that came in HTTP/2: they needn't wait for their turn. */
  readonly onHttp2: Http2ConnectionsOptions["onRequest"];
}

/** See this file's header. */
export interface PublicSide {
  /** What is to listen. */
  readonly server: net.Server;
  readonly scheme: "http" | "https";
  /** Is there no connection? */
  readonly isEmpty: boolean;
  /** From the next connection on. Without TLS it does nothing. */
  setCertificate(tls: FrontTls): void;
  /** As {@link Connections.drain}. */
  drain(graceMs: number): Promise<void>;
  /** Closes every connection at once. */
  destroy(): void;
}

/** Makes it. Nothing listens yet. */
export function createPublicSide(options: PublicSideOptions): PublicSide {
  const http1 = createPublicServer(options);
  const { connections, tls } = options;
  return tls === undefined
    ? plainSide(http1, connections)
    : secureSide(http1, options, tls);
}

function plainSide(server: http.Server, connections: Connections): PublicSide {
  return {
    server,
    scheme: "http",
    get isEmpty() {
      return connections.isEmpty;
    },
    setCertificate: () => undefined,
    drain: (graceMs) => connections.drain(graceMs),
    destroy: () => connections.destroy(),
  };
}

/** Node's servers get their connections one by one: they keep all that was set up for HTTP/1.1, and none of them listens. */
function secureSide(
  http1: http.Server,
  options: PublicSideOptions,
  tls: FrontTls,
): PublicSide {
  const { connections, limits, onRefusal } = options;
  const plain = createPlainAnswerer(limits, options.faultOf);
  const http2 = new Http2Connections({
    limits,
    bytes: connections.bytes,
    faultOf: options.faultOf,
    onRequest: (request, response) => {
      const own = options.ownUse(request, response);
      if (own === undefined) options.onHttp2(request, response);
      else own.start(() => undefined);
    },
    onRefusal: (refusal, request) =>
      onRefusal(refusal, lineOf(refusal, request)),
  });
  const listener = createSecureListener({
    tls,
    headersTimeoutMs: limits.headersTimeoutMs,
    onHttp1: (socket) => void http1.emit("connection", socket),
    onHttp2: (socket) => http2.add(socket),
    onPlain: (socket) => void plain.emit("connection", socket),
  });
  const { server } = listener;
  const inner = [http1, plain];
  // They look for slow headers from here on.
  server.once("listening", () => {
    for (const each of inner) each.emit("listening");
  });
  server.once("close", () => {
    for (const each of inner) each.close();
  });
  return {
    server,
    scheme: "https",
    get isEmpty() {
      return connections.isEmpty && http2.isEmpty && listener.isEmpty;
    },
    setCertificate: (given) => listener.setCertificate(given),
    async drain(graceMs) {
      // Those who are about to agree on keys. None is handed on after that.
      if (!listener.isEmpty) await setDelay(graceMs);
      listener.destroy();
      await Promise.all([connections.drain(graceMs), http2.drain(graceMs)]);
    },
    destroy() {
      connections.destroy();
      http2.destroy();
      listener.destroy();
    },
  };
}
