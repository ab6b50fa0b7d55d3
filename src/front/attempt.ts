/** One attempt to have a request answered by one process. What a failure means is the caller's affair. */
import http from "node:http";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { whenConnected } from "./agents.js";
import { pumpBody } from "./body.js";
import type { ClientRequest } from "./client.js";
import type { RequestHead } from "./headers.js";
import { pathOf } from "./target.js";
import type { Target } from "./targets.js";

/** As much as browsers take: what reaches them without the front shall reach them through it. Node's default is 16 KiB. */
const MAX_ANSWER_HEADER_BYTES = 256 * 1024;

/** Exactly one of `onAnswer`, `onTunnel` and `onFailure` is called, unless the attempt is cancelled before. */
export interface AttemptEvents {
  /** The request's body is being read from now on. Not called when it has none. */
  onUpload(): void;
  /** `100 Continue` and the like; none, or any number. */
  onInformation(information: http.InformationEvent): void;
  onAnswer(answer: IncomingMessage): void;
  /** The process has upgraded the connection. */
  onTunnel(answer: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** No byte of an answer has come, and none will. */
  onFailure(failure: AttemptFailure): void;
}

/** Why an attempt failed. */
export interface AttemptFailure {
  readonly error: Error;
  /** Whether the process may have seen any of the request. */
  readonly sent: boolean;
  /** Whether the connection had served an earlier request: then the process may just have closed it for idleness. */
  readonly reused: boolean;
}

/** An attempt under way. */
export interface Attempt {
  /** Closes the connection. Before an answer: a failure with this error. */
  destroy(error: Error): void;
  /** As `destroy`, with no event after it. */
  cancel(): void;
  /** The rest of the request's body is read and dropped. */
  stopUpload(): void;
  /** Whether the process may have seen any of the request. */
  isSent(): boolean;
}

/** Which of a process's connections a request takes. */
export type Way = "pooled" | "fresh" | "tunnels";

/**
 * Sends a request. Its body is not read before the process is connected.
 *
 * @throws TypeError when Node's client won't send such a request
 */
export function attemptRequest(
  request: ClientRequest,
  head: RequestHead,
  target: Target,
  way: Way,
  events: AttemptEvents,
): Attempt {
  let settled = false;
  let connected = false;
  let uploading = false;
  let stopPump: (() => void) | undefined;

  const upstream = http.request({
    agent: target[way],
    socketPath: target.info.socketPath,
    method: request.method ?? "GET",
    path: pathOf(request.method ?? "GET", request.url ?? "/") ?? "/",
    headers: head.headers,
    maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
  });
  // Bounded by the header's size. Node would cut the list silently.
  upstream.maxHeadersCount = 0;
  keepLatin1(upstream);

  const fail = (error: Error): void => {
    stopUpload();
    if (settled) return;
    settled = true;
    events.onFailure({
      error,
      sent: isSent(),
      reused: upstream.reusedSocket,
    });
  };
  const isSent = (): boolean => (head.hasBody ? uploading : connected);
  const stopUpload = (): void => {
    stopPump?.();
    stopPump = undefined;
  };

  upstream.on("error", fail);
  // Node reports a 101 that nobody asked for by closing, without an error.
  upstream.on("close", () => {
    // It follows every answer, too: an error is made only where there was none.
    if (!settled) fail(new Error("the connection was closed"));
    else stopUpload();
  });
  upstream.on("information", (information) => {
    if (!settled) events.onInformation(information);
  });
  upstream.on("response", (answer) => {
    // A handler is needed in any case: without one Node throws the body away, with the connection.
    if (settled) return void answer.destroy();
    settled = true;
    if (stopPump !== undefined) {
      answer.once("end", () => keepDraining(upstream));
    }
    events.onAnswer(answer);
  });
  if (way === "tunnels") {
    upstream.on("upgrade", (answer, socket, early) => {
      if (settled) return void socket.destroy();
      settled = true;
      events.onTunnel(answer, socket, early);
    });
  }

  const upload = (): void => {
    if (upstream.destroyed) return;
    uploading = true;
    request.once("close", () => {
      if (!request.complete) upstream.destroy();
    });
    stopPump = pumpBody(request, upstream);
    events.onUpload();
  };
  upstream.once("socket", (socket) => {
    // Nothing is written before.
    whenConnected(socket, () => {
      connected = true;
      if (head.hasBody) upload();
    });
  });
  if (!head.hasBody) upstream.end();

  return {
    destroy: (error) => upstream.destroy(error),
    cancel: () => {
      settled = true;
      upstream.destroy();
    },
    stopUpload,
    isSent,
  };
}

/**
 * With the answer complete, Node's client no longer hears that the socket has drained, although the
 * rest of the upload still waits for that.
 */
function keepDraining(upstream: http.ClientRequest): void {
  if (upstream.writableFinished) return;
  upstream.socket?.on("drain", () => upstream.emit("drain"));
}

/**
 * A request with an `Expect` field has its header queued by Node's constructor at once, without the
 * encoding that every other way gives it, so that latin1 bytes would come out as UTF-8.
 */
function keepLatin1(upstream: http.ClientRequest): void {
  const { outputData } = upstream as unknown as {
    outputData?: { encoding?: string | null }[];
  };
  const first = outputData?.[0];
  if (first !== undefined) first.encoding = "latin1";
}

/** What was thrown, as an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Node's HTTP parser didn't take what the process said. */
export function isParseError(error: Error): boolean {
  return (
    "code" in error &&
    typeof error.code === "string" &&
    error.code.startsWith("HPE_")
  );
}
