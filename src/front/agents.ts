/**
 * The connections to one process: pooled ones for requests that may be
 * repeated, fresh ones for all others.
 */
import http from "node:http";
import net from "node:net";
import tls from "node:tls";
import type { Duplex } from "node:stream";

import { systemErrorCode } from "../errors.js";
import type { SocketBytes } from "./numbers/socket-bytes.js";
import type { FrontTarget } from "./types.js";

/** How long an idle connection is kept. Well under the 75 s after which the worker closes it. */
const IDLE_MS = 30_000;

/**
 * Keeps connections for the next request. One that the process closed just
 * then fails its request, so it is only for what may be repeated.
 */
export class PooledAgent extends http.Agent {
  readonly #target: FrontTarget;
  readonly #bytes: SocketBytes;
  #warm: net.Socket | undefined;

  constructor(target: FrontTarget, bytes: SocketBytes) {
    super({ keepAlive: true, timeout: IDLE_MS });
    this.#target = target;
    this.#bytes = bytes;
  }

  override createConnection(): Duplex {
    const warm = this.#warm;
    if (warm === undefined) return this.#open();
    this.#warm = undefined;
    warm.removeAllListeners("close").removeAllListeners("error");
    warm.removeAllListeners("timeout").setTimeout(0);
    this.#bytes.add(warm);
    return warm;
  }

  #open(): net.Socket {
    const socket = openConnection(this.#target);
    this.#bytes.add(socket);
    return socket;
  }

  /**
   * Until its next request a connection has nothing to say. A process that goes on talking doesn't know where its answer
   * ended, and what it says would be taken for the answer to somebody else's request.
   */
  override keepSocketAlive(socket: Duplex): boolean {
    if (!keepAlive.call(this, socket) || socket.readableLength > 0)
      return false;
    socket.on("data", endTalk);
    return true;
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    socket.off("data", endTalk);
    super.reuseSocket(socket, request);
  }

  /** All its connections lead to one place: Node need not make a key of it, three times for each request. */
  override getName(): string {
    return "";
  }

  /** Makes a connection for a later request; fails when the process can't be connected to. */
  async warmUp(deadlineMs: number): Promise<void> {
    const socket = this.#open();
    await connected(socket, deadlineMs);
    this.dropWarm();
    this.#warm = socket;
    socket.once("close", () => {
      if (this.#warm === socket) this.#warm = undefined;
    });
    socket.on("error", () => undefined);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
  }

  /** Closes the connection that waits for its first request. */
  dropWarm(): void {
    this.#warm?.destroy();
    this.#warm = undefined;
  }

  override destroy(): void {
    this.dropWarm();
    super.destroy();
  }
}

/** What Node's agent does by default. Its answer, whether the socket is kept, is documented, but not typed. */
const keepAlive = Reflect.get(http.Agent.prototype, "keepSocketAlive") as (
  this: http.Agent,
  socket: Duplex,
) => boolean;

function endTalk(this: Duplex): void {
  this.destroy();
}

/** A new connection for each request, and none kept. */
export class FreshAgent extends http.Agent {
  readonly #target: FrontTarget;
  readonly #use: "request" | "tunnel";
  readonly #bytes: SocketBytes;

  /** @param use - `tunnel`: either side may end its half of the connection and still receive */
  constructor(
    target: FrontTarget,
    use: "request" | "tunnel",
    bytes: SocketBytes,
  ) {
    // Unlike with `agent: false` the request says `keep-alive`: after `close`, a process that answers during an
    // upload closes at once, instead of reading on.
    super({ keepAlive: true });
    this.#target = target;
    this.#use = use;
    this.#bytes = bytes;
  }

  override createConnection(): Duplex {
    const socket = this.#open();
    this.#bytes.add(socket);
    return socket;
  }

  #open(): net.Socket {
    const { protocol, socketPath } = this.#target;
    if (this.#use === "request" && protocol === "http") {
      return new UploadSocket().connect({ path: socketPath });
    }
    return openConnection(this.#target, this.#use === "tunnel");
  }

  /** Documented: a falsy return means that the socket is destroyed. */
  override keepSocketAlive(): boolean {
    return false;
  }
}

/**
 * A connection whose writes can't fail. A process that closes its side during an upload may have answered before: the
 * answer is still in the kernel's buffer, and would be lost if the failed write destroyed
 * the socket, as Node has it. How the connection ended is learned from what is read: an answer, the end, or a reset.
 */
class UploadSocket extends net.Socket {
  override _write(
    chunk: unknown,
    encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    super._write(chunk, encoding, (error) => callback(unlessClosed(error)));
  }

  override _writev(
    chunks: { chunk: unknown; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    super._writev?.(chunks, (error) => callback(unlessClosed(error)));
  }
}

function unlessClosed(error: Error | null | undefined): Error | null {
  const code = systemErrorCode(error);
  return code === "EPIPE" || code === "ECONNRESET" ? null : (error ?? null);
}

function openConnection(
  target: FrontTarget,
  allowHalfOpen = false,
): net.Socket {
  const place = { path: target.socketPath, allowHalfOpen };
  if (target.protocol === "http") return net.connect(place);
  // The process has the certificate of the app's public name, and it is ours.
  return tls.connect({
    ...place,
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
  });
}

/** Calls back once bytes that are written can reach the other side: at once where the socket is connected. */
export function whenConnected(socket: net.Socket, callback: () => void): void {
  if (!socket.connecting) callback();
  else {
    socket.once(
      socket instanceof tls.TLSSocket ? "secureConnect" : "connect",
      callback,
    );
  }
}

async function connected(
  socket: net.Socket,
  deadlineMs: number,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.setTimeout(deadlineMs, () => {
      socket.destroy(new Error(`not connected after ${deadlineMs} ms`));
    });
    socket.once("error", reject);
    whenConnected(socket, resolve);
  });
  socket.removeAllListeners("error").removeAllListeners("timeout");
  socket.setTimeout(0);
}
