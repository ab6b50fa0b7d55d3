/** The answer on an HTTP/2 stream, written the way that Node's HTTP/1 response is. */
import type { ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import { Writable } from "node:stream";

import type { ClientResponse } from "./client.js";
import { outgoingFields } from "./http2-fields.js";
import type { Http2Request } from "./http2-request.js";

/** Answers that have no body, whatever the request: RFC 9110 sections 15.3.5, 15.3.6, 15.4.5. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** See this file's header. */
export class Http2Response extends Writable implements ClientResponse {
  readonly req: Http2Request;
  readonly socket: Socket;
  shouldKeepAlive = true;
  useChunkedEncodingByDefault = true;
  readonly #stream: ServerHttp2Stream;
  #isBodiless = false;
  #trailers: string[] = [];

  constructor(stream: ServerHttp2Stream, request: Http2Request) {
    super();
    this.#stream = stream;
    this.req = request;
    this.socket = request.socket;
    stream.once("close", () => this.destroy());
    stream.on("wantTrailers", () => this.#sendTrailers());
  }

  get headersSent(): boolean {
    return this.#stream.headersSent;
  }

  writeHead(
    status: number,
    second: string | Record<string, string | number>,
    raw: readonly string[] = [],
  ): void {
    const list =
      typeof second === "string"
        ? raw
        : Object.entries(second).flatMap(([name, value]) => [
            name,
            String(value),
          ]);
    this.#isBodiless = this.req.method === "HEAD" || BODILESS.has(status);
    this.#respond(status, list);
  }

  #respond(status: number, raw: readonly string[]): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const send = (isJoined: boolean): void => {
      const fields = outgoingFields(raw, isJoined);
      // An answer to HEAD and a 304 may have the length of another answer.
      if (status === 205) delete fields["content-length"];
      // Also where none can come: else Node, when a stream is closed in the middle, ends it before the reset.
      const waitForTrailers = !this.#isBodiless;
      stream.respond({ ":status": status, ...fields }, { waitForTrailers });
    };
    try {
      send(false);
    } catch (error) {
      if (codeOf(error) !== "ERR_HTTP2_HEADER_SINGLE_VALUE") throw error;
      send(true);
    }
  }

  writeContinue(): void {
    this.writeInformation(100, []);
  }

  writeInformation(status: number, fields: readonly string[]): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || stream.headersSent) return;
    stream.additionalHeaders({
      ":status": status,
      ...outgoingFields(fields, true),
    });
  }

  addTrailers(trailers: [string, string][]): void {
    this.#trailers = trailers.flat();
  }

  #sendTrailers(): void {
    const stream = this.#stream;
    try {
      stream.sendTrailers(outgoingFields(this.#trailers, true));
    } catch {
      // Of what Node won't send, the body is all the same complete.
      if (!stream.destroyed) stream.sendTrailers({});
    }
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    // The header is out already.
    if (this.#isBodiless || chunk.length === 0) callback();
    else this.#stream.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    const done = (error?: Error | null): void => {
      callback(error);
      this.req.stopIfUseless();
    };
    if (this.#isBodiless) done();
    else this.#stream.end(done);
  }

  /** Before it's finished: a reset, so that what was sent never looks complete (RFC 9113 section 8.1). */
  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    const stream = this.#stream;
    if (!this.writableFinished && !stream.closed)
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    callback(error);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
