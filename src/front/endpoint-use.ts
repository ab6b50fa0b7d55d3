/** The answers of the front's own endpoints, to those who may ask: see `endpoints.ts`. */
import { randomBytes } from "node:crypto";

import type { ClientRequest, ClientResponse } from "./client.js";
import { isSecure } from "./client-head.js";
import type { ConnectionUse } from "./connections.js";
import { endpointOf, faultOfEndpoint, isHere } from "./endpoints.js";
import type { Endpoint } from "./endpoints.js";
import type { Refusal } from "./faults.js";
import { ownFields } from "./own-policy.js";
import type { AllowedHosts, OwnEndpoints } from "./types.js";

/** A page has one stream; more than these are a mistake, or malice. */
const MOST_STREAMS = 100;

/** What they need of the front. */
interface EndpointsOptions {
  readonly own: OwnEndpoints;
  /** Is there a process that could answer? */
  readonly isReady: () => boolean;
  readonly allowedHosts: () => AllowedHosts;
}

/** All endpoints of a front. */
export class Endpoints {
  /** Random, for this run: whoever sends it has read a page of ours. */
  readonly token: string = randomBytes(24).toString("base64url");
  readonly #options: EndpointsOptions;
  readonly #streams = new Set<ClientResponse>();
  #wasReady = false;
  #closed = false;

  constructor(options: EndpointsOptions) {
    this.#options = options;
  }

  /** What a request is for, if it is for one of them, and they are there. */
  find(request: ClientRequest): Endpoint | undefined {
    const endpoint = endpointOf(request);
    if (endpoint === undefined || !this.#options.own.isOpen()) return undefined;
    return endpoint;
  }

  /** Why it mustn't be answered, if it's for one of them. */
  faultOf(request: ClientRequest): Refusal | undefined {
    const endpoint = this.find(request);
    if (endpoint === undefined) return undefined;
    return faultOfEndpoint(endpoint, request, {
      allowedHosts: this.#options.allowedHosts(),
      isSecure: isSecure(request),
      token: this.token,
    });
  }

  /** For a page that answers this request; `undefined`: the endpoints wouldn't answer it. */
  tokenFor(request: ClientRequest): string | undefined {
    const { own, allowedHosts } = this.#options;
    return own.isOpen() && isHere(request, allowedHosts())
      ? this.token
      : undefined;
  }

  /** A request's turn on its connection, if it's for one of them. */
  use(
    request: ClientRequest,
    response: ClientResponse,
  ): ConnectionUse | undefined {
    const endpoint = this.find(request);
    if (endpoint === undefined) return undefined;
    return {
      start: (onDone) => {
        response.on("error", () => undefined);
        response.once("close", onDone);
        if (this.#closed) response.shouldKeepAlive = false;
        this.#answer(endpoint, response);
      },
      clientGone: () => undefined,
      breakOff: () => (response.headersSent ? "cut" : "received"),
      drained: () => response.emit("drain"),
    };
  }

  #answer(endpoint: Endpoint, response: ClientResponse): void {
    switch (endpoint) {
      case "status":
        sendJson(response, this.#options.own.status());
        return;
      case "reload":
        this.#options.own.reload().then(
          (outcome) => sendJson(response, outcome),
          // The server stops.
          () => sendJson(response, { outcome: "stopped" }),
        );
        return;
      case "events":
        this.#stream(response);
    }
  }

  #stream(response: ClientResponse): void {
    if (this.#closed || this.#streams.size >= MOST_STREAMS) {
      response.writeHead(503, { ...fields("text/plain"), "Retry-After": "1" });
      response.end(
        Buffer.from("There are too many event streams, or the server stops.\n"),
      );
      return;
    }
    this.#streams.add(response);
    response.once("close", () => this.#streams.delete(response));
    response.writeHead(200, fields("text/event-stream"));
    response.write(eventOf(this.#options.isReady()));
  }

  /** Processes have come or gone. */
  changed(): void {
    const isReady = this.#options.isReady();
    if (isReady === this.#wasReady) return;
    this.#wasReady = isReady;
    for (const response of this.#streams) response.write(eventOf(isReady));
  }

  /** Ends the streams, which would end by nothing else. */
  close(): void {
    this.#closed = true;
    for (const response of this.#streams) response.end();
  }
}

function eventOf(ready: boolean): Buffer {
  return Buffer.from(`event: state\ndata: ${JSON.stringify({ ready })}\n\n`);
}

function sendJson(response: ClientResponse, value: unknown): void {
  if (response.destroyed) return;
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(200, {
    ...fields("application/json"),
    "Content-Length": body.length,
  });
  response.end(body);
}

/** No page of another origin can have it in itself, not even as a script or an image. */
function fields(type: string): Readonly<Record<string, string>> {
  return {
    "Content-Type": `${type}; charset=utf-8`,
    ...ownFields(),
    "Cross-Origin-Resource-Policy": "same-origin",
  };
}
