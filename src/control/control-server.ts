/**
 * The control socket: HTTP and JSON over a Unix socket, for whoever runs the master from outside of its process.
 * `openControlSocket` is called by the composition root, with plain functions for what the requests do.
 *
 * This part isn't the client (`control-client.ts`), nor does it decide who may have the path (`socket-place.ts`).
 * `docs/control-protocol.md` says what travels.
 */
import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { systemErrorCode } from "../errors.js";
import {
  errorBody,
  jsonLine,
  refuse,
  sendError,
  sendJson,
  sendText,
} from "./answers.js";
import { streamEvents } from "./event-stream.js";
import { Exchanges } from "./exchanges.js";
import type { Exchange } from "./exchanges.js";
import {
  declaresTooMuch,
  MAX_BODY_BYTES,
  parseBody,
  readBody,
} from "./request-body.js";
import { routeName, routes } from "./routes.js";
import type { Route } from "./routes.js";
import { takePlace } from "./socket-place.js";
import type { SocketPlace } from "./socket-place.js";
import type { ControlOptions, ControlSocket, ControlRemains } from "./types.js";

/** Defaults of what is documented in `ControlOptions`. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often it's looked at. */
const CHECK_INTERVAL_MS = 2_000;
/** How long a connection without a request is kept. */
const KEEP_ALIVE_MS = 5_000;

/**
 * Opens a control socket with mode 0600. The file of a dead process is taken over.
 *
 * @throws PreforkError `ERR_PREFORK_CONTROL_IN_USE` - a living process listens there; the message has its pid
 * @throws PreforkError `ERR_PREFORK_CONTROL` - the path is too long, something else is there, or the directory can't be used
 *
 * @example
 * ```ts
 * const control = await openControlSocket({
 *   path: controlSocketPath(project.root, project.manifest ?? project.entry),
 *   handlers,
 *   onError: (error) => console.error(error),
 * });
 * ```
 */
export async function openControlSocket(
  options: ControlOptions,
): Promise<ControlSocket> {
  const server = new ControlServer(options);
  await server.open();
  return server;
}

class ControlServer implements ControlSocket {
  readonly path: string;
  readonly #options: ControlOptions;
  readonly #exchanges: Exchanges = new Exchanges();
  readonly #server: http.Server;
  #place: SocketPlace | undefined;
  #releasing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ControlOptions) {
    this.path = options.path;
    this.#options = options;
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
    this.#server = http.createServer({
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(
        CHECK_INTERVAL_MS,
        requestTimeoutMs,
      ),
    });
    const take = (request: IncomingMessage, response: ServerResponse): void =>
      this.#take(request, response);
    this.#server.on("request", take);
    this.#server.on("checkContinue", (request, response) => {
      // Asked before the body is sent: "too long" costs nothing then.
      if (!declaresTooMuch(request)) response.writeContinue();
      take(request, response);
    });
    this.#server.on("clientError", answerNoRequest);
  }

  async open(): Promise<void> {
    this.#place = await takePlace(this.path, this.#server);
    this.#server.on("error", this.#options.onError);
  }

  get remains(): ControlRemains {
    return this.#place?.remains ?? { files: [], directories: [] };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#release();
    await this.#exchanges.end();
    this.#server.closeIdleConnections();
  }

  /** From here on another master can have the path. */
  #release(): Promise<void> {
    this.#releasing ??= (async () => {
      try {
        await this.#place?.release();
      } catch (error) {
        // What is left in the file system is taken over by the next one.
        this.#options.onError(error);
      }
      this.#server.close();
    })();
    return this.#releasing;
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    // A client that goes away is none of the master's errors; `close` follows.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    const exchange = this.#exchanges.begin(response);
    this.#answer(request, exchange).catch((error: unknown) => {
      exchange.isWorking = false;
      if (!sendError(response, error)) this.#options.onError(error);
    });
  }

  async #answer(request: IncomingMessage, exchange: Exchange): Promise<void> {
    const { response } = exchange;
    const route = routeFor(request, response);
    if (route === undefined) return;
    const { handlers, onError } = this.#options;
    if (route.text !== undefined) {
      sendText(response, await route.text(handlers));
      return;
    }
    if (route.answer === undefined) {
      const subscribe: typeof handlers.subscribe = (listener) =>
        handlers.subscribe(listener);
      streamEvents(response, subscribe, onError);
      return;
    }
    const value = await requestValue(route, request, response);
    if (value.kind === "none") return;
    exchange.isWorking = true;
    const answer = await route.answer(handlers, value.body);
    if (route.ends === true) await this.#release();
    exchange.isWorking = false;
    const last: Readonly<Record<string, string>> =
      this.#releasing === undefined ? {} : { Connection: "close" };
    sendJson(response, 200, answer, last);
  }
}

/** What was asked for; if there's no such thing, that is answered. */
function routeFor(
  request: IncomingMessage,
  response: ServerResponse,
): Route | undefined {
  const { method = "", url = "" } = request;
  const [path = ""] = url.split("?", 1);
  const there = routes.filter((route) => route.path === path);
  const found = there.find((route) => route.method === method);
  if (found !== undefined) return found;
  if (there.length > 0) {
    const allowed = there.map((route) => route.method).join(", ");
    const message = `${path} is not asked for by ${method}, but by ${allowed}.`;
    refuse(response, 405, message, { Allow: allowed });
  } else {
    const names = routes.map(routeName).join(", ");
    refuse(response, 404, `There is no ${path}. There are ${names}.`);
  }
  return undefined;
}

type RequestValue =
  { readonly kind: "some"; readonly body: unknown } | { readonly kind: "none" };

/** What the request says; `none` if that came to nothing, which is answered. */
async function requestValue(
  { method, takesBody }: Route,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<RequestValue> {
  if (method === "GET") return { kind: "some", body: undefined };
  const expects = request.headers.expect !== undefined;
  const read =
    expects && declaresTooMuch(request)
      ? ({ kind: "too-long" } as const)
      : await readBody(request);
  switch (read.kind) {
    case "aborted":
      return { kind: "none" };
    case "too-long": {
      const message = `The body is longer than ${MAX_BODY_BYTES} bytes: send less.`;
      refuse(response, 413, message, { Connection: "close" });
      return { kind: "none" };
    }
    case "whole":
      return {
        kind: "some",
        body: takesBody ? parseBody(read.bytes) : undefined,
      };
  }
}

/** Answers what isn't HTTP, or took too long. */
function answerNoRequest(error: Error, socket: Duplex): void {
  if (!socket.writable || systemErrorCode(error) === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, message] = flawOf(error);
  const code = "ERR_PREFORK_CONTROL_REQUEST";
  const body = `${jsonLine(errorBody(code, message))}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function flawOf(error: Error): readonly [status: string, message: string] {
  switch (systemErrorCode(error)) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [
        "408 Request Timeout",
        "The request took too long to arrive: send it in one go.",
      ];
    case "HPE_HEADER_OVERFLOW":
      return [
        "431 Request Header Fields Too Large",
        "The request's head is too long: send fewer header fields.",
      ];
    case undefined:
    default:
      return [
        "400 Bad Request",
        `This is not HTTP/1.1: ${error.message}. Try curl --unix-socket.`,
      ];
  }
}
