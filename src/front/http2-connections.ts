/**
 * The clients' connections that speak HTTP/2: their requests, how long they may be idle, and how they end. Node's session speaks the
 * protocol; each of its streams becomes a request and a response such as HTTP/1.1 has.
 */
import http2 from "node:http2";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

import type { Refusal } from "./faults.js";
import { headerBytes, translateRequest } from "./http2-fields.js";
import { Http2Request } from "./http2-request.js";
import { Http2Response } from "./http2-response.js";
import type { SocketBytes } from "./numbers/socket-bytes.js";
import { refusalMessage } from "./refusing.js";
import type { FrontLimits } from "./types.js";

/** As much as in HTTP/1: see `attempt.ts`, and what compression may make longer. */
const MAX_ANSWER_HEADER_BYTES = 512 * 1024;
/** Each may have some 100 KB under way to a client that is slow; Node counts them against `maxSessionMemory`, 10 MB by default. */
const MAX_STREAMS = 250;
const MAX_SESSION_MEGABYTES = 64;
/** How long a client may take to close its side once all is said. */
const LINGER_MS = 1_000;

/** What becomes of the requests. */
export interface Http2ConnectionsOptions {
  readonly limits: FrontLimits;
  /** Counts what goes over them. */
  readonly bytes: SocketBytes;
  /** Why a request goes nowhere, if so. */
  readonly faultOf: (request: Http2Request) => Refusal | undefined;
  /** Called for each request that may be passed on. */
  readonly onRequest: (request: Http2Request, response: Http2Response) => void;
  readonly onRefusal: (refusal: Refusal, request: Http2Request) => void;
}

interface Connection {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  /** Streams that are open. */
  inHand: number;
  /** Has it carried a request? */
  used: boolean;
  /** Runs while nothing is in hand. */
  idle: NodeJS.Timeout | undefined;
}

/** Those of the event: the last one is documented, but not typed. */
type StreamArguments = [
  stream: ServerHttp2Stream,
  headers: unknown,
  flags: unknown,
  raw?: readonly string[],
];

/** See this file's header. */
export class Http2Connections {
  readonly #options: Http2ConnectionsOptions;
  readonly #all = new Set<Connection>();
  #onEmpty: (() => void) | undefined;

  constructor(options: Http2ConnectionsOptions) {
    this.#options = options;
  }

  /** Is there none? */
  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** Speaks HTTP/2 on a connection for which that was agreed. */
  add(socket: Socket): void {
    const { limits, bytes } = this.#options;
    bytes.add(socket);
    const session = http2.performServerHandshake(socket, {
      maxHeaderListPairs: 2 * limits.maxHeaders + 100,
      maxSendHeaderBlockLength: MAX_ANSWER_HEADER_BYTES,
      maxSessionMemory: MAX_SESSION_MEGABYTES,
      settings: {
        maxConcurrentStreams: MAX_STREAMS,
        // Ours are the limits, and answered 431; beyond these Node resets the stream.
        maxHeaderListSize: Math.max(65_535, 4 * limits.maxHeaderBytes),
      },
    });
    const connection: Connection = {
      ...{ session, socket, inHand: 0, used: false, idle: undefined },
    };
    this.#all.add(connection);
    this.#beginIdle(connection, limits.headersTimeoutMs);
    // What is wrong with it ends it, and so its streams: they know.
    session.on("error", () => undefined);
    session.once("close", () => {
      clearTimeout(connection.idle);
      if (socket.closed) return;
      connection.idle = setTimeout(() => socket.destroy(), LINGER_MS);
    });
    // The listener allows half-open connections, for HTTP/1.1. In HTTP/2 who sends no more frames can't even take more of an answer.
    socket.once("end", () => {
      session.destroy();
      socket.destroy();
    });
    socket.once("close", () => {
      clearTimeout(connection.idle);
      this.#all.delete(connection);
      if (this.#all.size === 0) this.#onEmpty?.();
    });
    session.on("stream", (...[stream, , , raw = []]: StreamArguments) => {
      this.#onStream(connection, stream, raw);
    });
  }

  /** A connection that has nothing in hand for so long is closed; 0: never. */
  #beginIdle(connection: Connection, ms: number): void {
    clearTimeout(connection.idle);
    connection.idle =
      ms === 0 ? undefined : setTimeout(() => connection.session.close(), ms);
  }

  #onStream(
    connection: Connection,
    stream: ServerHttp2Stream,
    raw: readonly string[],
  ): void {
    const { limits, faultOf, onRequest } = this.#options;
    clearTimeout(connection.idle);
    connection.inHand++;
    connection.used = true;
    stream.on("error", () => undefined);
    stream.once("close", () => {
      if (--connection.inHand > 0 || connection.session.closed) return;
      this.#beginIdle(connection, limits.keepAliveTimeoutMs);
    });
    const translated = translateRequest(raw, !stream.endAfterHeaders);
    const request = new Http2Request(stream, connection.socket, translated);
    const response = new Http2Response(stream, request);
    response.on("error", () => undefined);
    const fault =
      translated.fault ??
      faultOfSize(request, limits.maxHeaderBytes) ??
      faultOf(request);
    if (fault === undefined) onRequest(request, response);
    else {
      this.#options.onRefusal(fault, request);
      refuseHttp2(request, response, fault);
    }
  }

  /**
   * From now on no connection takes new requests: its client is told up to which they were taken (GOAWAY), and it's closed when these
   * are answered. One that is so new that its first request hasn't come yet is given `graceMs` for it.
   *
   * @returns resolved when all are closed
   */
  async drain(graceMs: number): Promise<void> {
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    if (this.#all.size === 0) return;
    // What has arrived, but was not read yet, is still served: one turn of the loop reads it.
    await new Promise<void>((resolve) => {
      setImmediate(() => setImmediate(resolve));
    });
    for (const { session, used } of this.#all) if (used) session.close();
    const timer = setTimeout(() => {
      for (const { session } of this.#all) session.close();
    }, graceMs);
    if (this.#all.size > 0) await empty;
    clearTimeout(timer);
  }

  /** Closes every connection at once. */
  destroy(): void {
    for (const { session, socket } of this.#all) {
      session.destroy();
      socket.destroy();
    }
  }
}

/** An answer of the front's own to a request that goes nowhere. What the client still sends of it is not wanted. */
export function refuseHttp2(
  request: Http2Request,
  response: Http2Response,
  refusal: Refusal,
): void {
  const { fields, body } = refusalMessage(refusal, request);
  response.writeHead(refusal.status, "", fields);
  response.end(body);
}

function faultOfSize(
  { url, rawHeaders }: Http2Request,
  maxHeaderBytes: number,
): Refusal | undefined {
  if (headerBytes(url, rawHeaders) <= maxHeaderBytes) return undefined;
  return {
    status: 431,
    text: "Its header is larger than what the option maxHeaderBytes allows.",
  };
}
