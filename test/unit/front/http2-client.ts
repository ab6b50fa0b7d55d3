/** HTTP/2 clients for tests: Node's own, and one that writes frames, for what Node's won't say. */
import { once } from "node:events";
import http2 from "node:http2";
import { onTestFinished } from "vitest";

import { RawClient } from "./helpers.js";

/** What a client got on a stream. */
export interface Http2Reply {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly raw: readonly string[];
  readonly text: string;
  readonly trailers: http2.IncomingHttpHeaders | undefined;
  /** Interim answers that came before: status and fields. */
  readonly early: readonly http2.IncomingHttpHeaders[];
  /** RST_STREAM's; 0: none, or no error. */
  readonly code: number;
  /** The answer was whole: END_STREAM came before any reset. */
  readonly isWhole: boolean;
}

/** A session with a front, closed when the test is over. */
export async function connectHttp2(
  port: number,
  settings: http2.Settings = {},
): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    settings,
    // Long answers to HEAD and the like are the front's affair.
    maxHeaderListPairs: 10_000,
  });
  session.on("error", () => undefined);
  onTestFinished(() => {
    session.destroy();
  });
  await once(session, "connect");
  return session;
}

/** Reads the answer on a stream to its end, whatever the end is. */
export async function reply(
  stream: http2.ClientHttp2Stream,
): Promise<Http2Reply> {
  const early: http2.IncomingHttpHeaders[] = [];
  let headers: http2.IncomingHttpHeaders = {};
  let raw: readonly string[] = [];
  let trailers: http2.IncomingHttpHeaders | undefined;
  let text = "";
  let isWhole = false;
  stream.on("error", () => undefined);
  stream.on("headers", (each: http2.IncomingHttpHeaders) => early.push(each));
  stream.on("response", (...[each, , list = []]: ResponseArguments) => {
    headers = each;
    raw = list;
  });
  stream.on("trailers", (each: http2.IncomingHttpHeaders) => {
    trailers = each;
  });
  stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  stream.on("end", () => (isWhole = !stream.aborted));
  await new Promise<void>((resolve) => stream.once("close", resolve));
  return {
    status: Number(headers[":status"]),
    ...{ headers, raw, text, trailers, early, isWhole },
    code: stream.rstCode,
  };
}

type ResponseArguments = [
  headers: http2.IncomingHttpHeaders,
  flags: unknown,
  raw?: readonly string[],
];

/** A request for host x without a body, and its answer. */
export async function askHttp2(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
): Promise<Http2Reply> {
  return await reply(session.request({ ":authority": "x", ...headers }));
}

/** A frame as it was received. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const GOAWAY = 7;
export const END_STREAM = 1;
const END_HEADERS = 4;

/** A client that writes frames, and keeps those that come. */
export class FrameClient {
  readonly raw: RawClient;

  private constructor(raw: RawClient) {
    this.raw = raw;
  }

  static async connect(port: number): Promise<FrameClient> {
    const client = new FrameClient(await RawClient.connect(port, "h2"));
    onTestFinished(() => {
      client.raw.socket.destroy();
    });
    client.raw.socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client.frame(4, 0, 0, Buffer.alloc(0));
    return client;
  }

  frame(type: number, flags: number, stream: number, payload: Buffer): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    this.raw.socket.write(Buffer.concat([head, payload]));
  }

  /** A header, as it's given: name, value, name, value. */
  /** Sends no more. */
  end(): void {
    this.raw.socket.end();
  }

  headers(stream: number, fields: readonly string[], isLast = true): void {
    const parts = fields.flatMap((text, index) => [
      // A literal without indexing (RFC 7541 section 6.2.2), names and values as they are.
      ...(index % 2 === 0 ? [Buffer.from([0])] : []),
      Buffer.from([text.length]),
      Buffer.from(text, "latin1"),
    ]);
    const flags = END_HEADERS | (isLast ? END_STREAM : 0);
    this.frame(HEADERS, flags, stream, Buffer.concat(parts));
  }

  data(stream: number, text: string, isLast: boolean): void {
    this.frame(DATA, isLast ? END_STREAM : 0, stream, Buffer.from(text));
  }

  reset(stream: number, code: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code);
    this.frame(RST_STREAM, 0, stream, payload);
  }

  /** All that came. */
  get frames(): Frame[] {
    const bytes = Buffer.from(this.raw.text, "latin1");
    const frames: Frame[] = [];
    for (let at = 0; at + 9 <= bytes.length;) {
      const length = bytes.readUIntBE(at, 3);
      if (at + 9 + length > bytes.length) break;
      frames.push({
        type: bytes[at + 3] ?? 0,
        flags: bytes[at + 4] ?? 0,
        stream: bytes.readUInt32BE(at + 5) & 0x7f_ff_ff_ff,
        payload: bytes.subarray(at + 9, at + 9 + length),
      });
      at += 9 + length;
    }
    return frames;
  }

  /** The frame, once one such came; fails when the connection is closed before. */
  async sees(type: number, stream: number): Promise<Frame> {
    const find = (): Frame | undefined =>
      this.frames.find(
        (frame) => frame.type === type && frame.stream === stream,
      );
    await this.raw.until(() => find() !== undefined);
    const found = find();
    if (found === undefined)
      throw new Error(
        `closed without a frame of type ${type} on stream ${stream}; saw: ${JSON.stringify(this.frames)}`,
      );
    return found;
  }
}
