/**
 * The public port with TLS: whoever connects is looked at before anything is said. TLS is spoken with those who begin it, and they
 * choose HTTP/2 or HTTP/1.1 (ALPN, RFC 7301); who comes with plain HTTP gets an answer that helps.
 *
 * Not here: any HTTP. Connections are handed on to those who speak it.
 */
import net from "node:net";
import type { Socket } from "node:net";
import tls from "node:tls";

import { ACCEPTED } from "./listen.js";
import type { FrontTls } from "./types.js";

/** The first byte of a TLS connection: a handshake record (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16;
/** The longest that Node's timers can do. */
const NEVER_MS = 2 ** 31 - 1;

/** Who speaks with whom. */
export interface SecureListenerOptions {
  readonly tls: FrontTls;
  /** How long a client may take to say what it speaks, and to agree on keys; 0: as long as it likes. */
  readonly headersTimeoutMs: number;
  readonly onHttp1: (socket: tls.TLSSocket) => void;
  readonly onHttp2: (socket: tls.TLSSocket) => void;
  /** Gets what is no TLS, unread. */
  readonly onPlain: (socket: Socket) => void;
}

/** See this file's header. */
export interface SecureListener {
  /** What is to listen. */
  readonly server: net.Server;
  /** Are there connections that nobody has been handed? */
  readonly isEmpty: boolean;
  /** From the next connection on. */
  setCertificate(tls: FrontTls): void;
  /** Closes those that nobody has been handed. */
  destroy(): void;
}

/** Makes the listener. It doesn't listen yet. */
export function createSecureListener(
  options: SecureListenerOptions,
): SecureListener {
  const { headersTimeoutMs, onHttp1, onHttp2, onPlain } = options;
  /** Those that have yet to be handed on, by the client's address: a TLS socket doesn't tell which one is below it. */
  const early = new Map<string, Socket>();

  const server = net.createServer(ACCEPTED, (socket) => {
    const peer = peerOf(socket);
    early.set(peer, socket);
    socket.on("error", () => undefined);
    socket.once("close", () => {
      if (early.get(peer) === socket) early.delete(peer);
    });
    const giveUp = (): void => void socket.destroy();
    socket.setTimeout(headersTimeoutMs, giveUp);
    socket.once("readable", () => {
      const first = socket.read() as Buffer | null;
      // It has ended without a word.
      if (first === null) {
        giveUp();
        return;
      }
      socket.setTimeout(0).off("timeout", giveUp);
      socket.unshift(first);
      if (first[0] === TLS_HANDSHAKE) secure.emit("connection", socket);
      else onPlain(socket);
    });
  });

  const secure = tls.createServer({
    ...contextOptions(options.tls),
    ALPNProtocols: ["h2", "http/1.1", "http/1.0"],
    handshakeTimeout: headersTimeoutMs === 0 ? NEVER_MS : headersTimeoutMs,
  });
  secure.on("secureConnection", (socket) => {
    early.delete(peerOf(socket));
    if (socket.alpnProtocol === "h2") onHttp2(socket);
    else onHttp1(socket);
  });
  // A client that doesn't take the certificate, most likely: browsers say so on each visit before they ask. It's told there.
  secure.on("tlsClientError", (_error, socket) => {
    socket.destroy();
  });

  return {
    server,
    get isEmpty() {
      return early.size === 0;
    },
    setCertificate: (given) => {
      secure.setSecureContext(contextOptions(given));
    },
    destroy: () => {
      for (const socket of early.values()) socket.destroy();
    },
  };
}

function contextOptions({ cert, key, passphrase, ca }: FrontTls): {
  cert: string;
  key: string;
  passphrase?: string;
} {
  return {
    // The certificates behind the first one are those that lead to a root.
    cert: ca === undefined ? cert : `${cert.trimEnd()}\n${ca}`,
    key,
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ""} ${remotePort ?? ""}`;
}
