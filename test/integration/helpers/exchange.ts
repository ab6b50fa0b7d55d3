/** One HTTP request and what became of it; used by the load. */
import http from "node:http";
import type { LossReason } from "./load.js";

/** What {@link exchange} takes. */
export interface ExchangeRequest {
  readonly host: string;
  readonly port: number;
  /** `false`: a connection of its own. */
  readonly agent: http.Agent | false;
  readonly path: string;
  /** Makes it a POST whose answer must be these bytes. */
  readonly body: Buffer | undefined;
  /** Sends the body chunked, piece by piece, so that it spans some time. */
  readonly inChunks: boolean;
  readonly timeoutMs: number;
}

/** What became of a request. */
export type Exchange = {
  readonly sentAt: number;
  readonly reusedConnection: boolean;
  readonly bodyBytes: number;
} & (
  | {
      readonly kind: "answered";
      readonly headers: http.IncomingHttpHeaders;
      readonly body: Buffer;
      readonly receivedAt: number;
    }
  | {
      readonly kind: "lost";
      readonly reason: LossReason;
      readonly detail: string;
      readonly lostAt: number;
    }
);

const PIECE_BYTES = 16_384;
const CONTENT_TYPE = "application/x-prefork-test";

/** Sends one request. Never rejects. */
export function exchange(wanted: ExchangeRequest): Promise<Exchange> {
  const { body } = wanted;
  const sentAt = performance.now();
  const request = http.request({
    host: wanted.host,
    port: wanted.port,
    path: wanted.path,
    agent: wanted.agent,
    method: body === undefined ? "GET" : "POST",
    headers: body === undefined ? {} : bodyHeaders(body, wanted.inChunks),
  });

  return new Promise((resolve) => {
    const facts = (): {
      sentAt: number;
      reusedConnection: boolean;
      bodyBytes: number;
    } => ({
      sentAt,
      reusedConnection: request.reusedSocket,
      bodyBytes: body?.length ?? 0,
    });
    // The first end counts: what follows is our own destroying.
    const lose = (reason: LossReason, detail: string): void => {
      clearTimeout(timer);
      const lostAt = performance.now();
      resolve({ kind: "lost", ...facts(), reason, detail, lostAt });
      request.destroy();
    };
    const timer = setTimeout(() => {
      lose("timeout", `no whole answer within ${wanted.timeoutMs} ms`);
    }, wanted.timeoutMs);

    request.on("error", (error: NodeJS.ErrnoException) => {
      lose(reasonOf(error), error.code ?? error.message);
    });
    request.on("response", (response) => {
      const receivedAt = performance.now();
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => {
        lose("truncated", `${error.message} after ${total(chunks)} bytes`);
      });
      response.on("end", () => {
        const received = Buffer.concat(chunks);
        const wrong = fault(response, received, body);
        if (wrong !== undefined) {
          lose(wrong.reason, wrong.detail);
          return;
        }
        clearTimeout(timer);
        const { headers } = response;
        const answer = { headers, body: received, receivedAt };
        resolve({ kind: "answered", ...facts(), ...answer });
      });
    });

    if (body === undefined) request.end();
    else if (wanted.inChunks) writeInPieces(request, body);
    else request.end(body);
  });
}

function bodyHeaders(
  body: Buffer,
  inChunks: boolean,
): http.OutgoingHttpHeaders {
  return {
    "content-type": CONTENT_TYPE,
    ...(inChunks
      ? { "transfer-encoding": "chunked" }
      : { "content-length": body.length }),
  };
}

/** One piece a turn of the event loop, with back-pressure. */
function writeInPieces(request: http.ClientRequest, body: Buffer): void {
  let at = 0;
  const next = (): void => {
    if (request.destroyed) return;
    if (at >= body.length) {
      request.end();
      return;
    }
    const piece = body.subarray(at, at + PIECE_BYTES);
    at += piece.length;
    if (request.write(piece)) setImmediate(next);
    else request.once("drain", next);
  };
  next();
}

interface Fault {
  readonly reason: LossReason;
  readonly detail: string;
}

/** What is wrong with a whole answer, if anything is. */
function fault(
  response: http.IncomingMessage,
  received: Buffer,
  sent: Buffer | undefined,
): Fault | undefined {
  if (!response.complete) {
    return { reason: "truncated", detail: `${received.length} bytes` };
  }
  if (response.statusCode !== 200) {
    const text = received.toString("utf8", 0, 200);
    return { reason: "status", detail: `${response.statusCode ?? 0} ${text}` };
  }
  if (sent === undefined) {
    return received.length === 0
      ? { reason: "wrong-body", detail: "an empty answer" }
      : undefined;
  }
  if (!received.equals(sent)) {
    const sizes = `sent ${sent.length} bytes, got ${received.length} back`;
    return { reason: "wrong-body", detail: sizes };
  }
  const type = response.headers["content-type"];
  return type === CONTENT_TYPE
    ? undefined
    : { reason: "wrong-body", detail: `content type ${String(type)}` };
}

function reasonOf(error: NodeJS.ErrnoException): LossReason {
  const code = error.code ?? "";
  if (code === "ECONNREFUSED") return "refused";
  return ["ECONNRESET", "EPIPE", "ECONNABORTED"].includes(code)
    ? "reset"
    : "other";
}

function total(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}
