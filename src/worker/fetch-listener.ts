/** A web-standard `fetch(request)` handler as a `node:http` request listener. */
import type {
  IncomingMessage,
  RequestListener,
  ServerResponse,
} from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The handler's shape (WHATWG Fetch: `Request` in, `Response` out). */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

function requestOf(request: IncomingMessage, signal: AbortSignal): Request {
  const secure = "encrypted" in request.socket;
  const url = new URL(
    request.url ?? "/",
    `${secure ? "https" : "http"}://${request.headers.host ?? "localhost"}`,
  );
  const headers = new Headers();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    // Fetch forbids none of these to a server, but a `Headers` refuses pseudo headers.
    if (!name.startsWith(":"))
      headers.append(name, request.rawHeaders[index + 1] ?? "");
  }
  const method = request.method ?? "GET";
  const init: RequestInit = { method, headers, signal };
  if (method !== "GET" && method !== "HEAD") {
    init.body = Readable.toWeb(request) as ReadableStream<Uint8Array>;
    init.duplex = "half";
  }
  return new Request(url, init);
}

async function sendResponse(
  answer: Response,
  response: ServerResponse,
): Promise<void> {
  const headers: [string, string][] = [];
  for (const [name, value] of answer.headers) headers.push([name, value]);
  // `Headers` iterates over each Set-Cookie apart (WHATWG Fetch, 5.2), so none is joined.
  response.writeHead(
    answer.status,
    answer.statusText || undefined,
    headers.flat(),
  );
  if (answer.body === null) {
    response.end();
    return;
  }
  // Headers first: an event stream may say nothing for a while.
  response.flushHeaders();
  await pipeline(Readable.fromWeb(answer.body), response);
}

/** Makes a request listener of a fetch handler. What it throws is a 500 and goes to stderr. */
export function fetchListener(handler: FetchHandler): RequestListener {
  return (request, response) => {
    const gone = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) gone.abort();
    });
    const respond = async (): Promise<void> => {
      const answer = await handler(requestOf(request, gone.signal));
      await sendResponse(answer, response);
    };
    respond().catch((error: unknown) => {
      if (gone.signal.aborted) return;
      console.error(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end("Internal Server Error");
    });
  };
}
