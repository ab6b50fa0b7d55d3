/**
 * A client's request and the answer to it, whatever version of HTTP they travel in: Node's own messages are such, and so are those of
 * `http2-request.ts` and `http2-response.ts`, which show HTTP/2 as the HTTP/1.1 that the process gets. Types only.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";

/** A request; its body, as a stream. */
export interface ClientRequest extends Readable {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  readonly headers: Pick<
    IncomingHttpHeaders,
    "accept" | "connection" | "upgrade"
  >;
  readonly rawTrailers: readonly string[];
  /** Has all of it arrived? */
  readonly complete: boolean;
  /** What it came on. In HTTP/2 others come on it, too. */
  readonly socket: Socket;
  /** How many bytes of the body have come, where `socket.bytesRead` counts others', too. */
  readonly bodyBytes?: number;
  /** In HTTP/2: nobody wants the rest of the body. */
  dismiss?(): void;
}

/** What a body is written to: an answer, or a request to a process. */
export interface BodySink {
  readonly destroyed: boolean;
  write(chunk: Buffer): boolean;
  write(text: string, encoding: BufferEncoding): boolean;
  addTrailers(trailers: [string, string][]): void;
  end(): unknown;
  on(event: "drain", listener: () => void): unknown;
  off(event: "drain", listener: () => void): unknown;
}

/** The answer to a request. */
export interface ClientResponse extends BodySink {
  readonly req: ClientRequest;
  readonly socket: Socket | null;
  readonly headersSent: boolean;
  readonly writableFinished: boolean;
  /** In HTTP/1: whether the connection may carry another request. */
  shouldKeepAlive: boolean;
  /** In HTTP/1: whether a body without a length is chunked. */
  useChunkedEncodingByDefault: boolean;
  writeHead(status: number, headers: Record<string, string | number>): unknown;
  writeHead(status: number, message: string, headers: string[]): unknown;
  writeContinue(): void;
  /** HTTP/2's way of a `1xx` answer; in HTTP/1 it's written to the socket. */
  writeInformation?(status: number, fields: readonly string[]): void;
  end(body?: Buffer): unknown;
  destroy(): unknown;
  emit(event: "drain"): boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "drain", listener: () => void): unknown;
  once(event: "close", listener: () => void): unknown;
}
