/** A request that came on an HTTP/2 stream, as the HTTP/1.1 request that the process gets. Its body isn't read before somebody asks for it. */
import type { ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import { Readable } from "node:stream";

import type { ClientRequest } from "./client.js";
import type { TranslatedRequest } from "./http2-fields.js";

/** See this file's header. */
export class Http2Request extends Readable implements ClientRequest {
  readonly method: string;
  readonly url: string;
  readonly httpVersion = "1.1";
  readonly rawHeaders: readonly string[];
  readonly headers: ClientRequest["headers"];
  readonly socket: Socket;
  rawTrailers: readonly string[] = [];
  complete: boolean;
  bodyBytes = 0;
  readonly #stream: ServerHttp2Stream;
  #isBegun = false;
  #isUnwanted = false;

  constructor(
    stream: ServerHttp2Stream,
    socket: Socket,
    { method, url, rawHeaders, accept }: TranslatedRequest,
  ) {
    super();
    this.#stream = stream;
    this.socket = socket;
    this.method = method;
    this.url = url;
    this.rawHeaders = rawHeaders;
    this.headers = accept === undefined ? {} : { accept };
    this.complete = stream.endAfterHeaders;
    this.on("error", () => undefined);
    stream.once("close", () => {
      // What had come whole is still read.
      if (!this.complete) this.destroy();
    });
    // They may come before anybody reads the body.
    stream.on("trailers", (...[, , raw]: [unknown, unknown, string[]?]) => {
      this.rawTrailers = raw ?? [];
    });
    if (this.complete) this.push(null);
  }

  override _read(): void {
    if (this.#isBegun) this.#stream.resume();
    else if (!this.complete) this.#begin();
  }

  #begin(): void {
    const stream = this.#stream;
    this.#isBegun = true;
    stream.on("data", (chunk: Buffer) => {
      this.bodyBytes += chunk.length;
      if (!this.push(chunk)) stream.pause();
    });
    stream.once("end", () => {
      // A stream that was reset ends as well.
      if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR)
        return;
      this.complete = true;
      this.push(null);
    });
  }

  /**
   * Where the answer is out and nobody reads the body any more, the client is told to stop sending it: RFC 9113 section 8.1. A process
   * that answers early and reads on gets all of it.
   */
  stopIfUseless(): void {
    const stream = this.#stream;
    if (this.complete || !this.#isUnwanted || !stream.writableFinished) return;
    stream.close(constants.NGHTTP2_NO_ERROR);
  }

  dismiss(): void {
    this.#isUnwanted = true;
    this.stopIfUseless();
  }

  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    if (!this.complete && !this.#stream.closed)
      this.#stream.close(constants.NGHTTP2_CANCEL);
    callback(error);
  }
}
