/** What plain HTTP gets on a port that speaks HTTPS: people who typed no `https://` are sent there, programs are told. */
import http from "node:http";

import type { PublicServerOptions } from "./public-server.js";
import { refusalMessage } from "./refusing.js";
import { pathOf } from "./target.js";
import type { FrontLimits } from "./types.js";

/** Makes the server that answers. It never listens itself: connections are given to it. */
export function createPlainAnswerer(
  limits: FrontLimits,
  faultOf: PublicServerOptions["faultOf"],
): http.Server {
  const server = http.createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    // No body is waited for.
    requestTimeout: limits.headersTimeoutMs,
    requireHostHeader: false,
  });
  const answer = (
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): void => {
    const { status, location, text } = answerTo(request, faultOf);
    const { fields, body } = refusalMessage({ status: 400, text }, request);
    response.writeHead(status, [
      ...fields,
      ...(location === undefined ? [] : ["Location", location]),
      ...["Connection", "close"],
    ]);
    response.end(body);
  };
  server.on("request", answer);
  server.on("checkContinue", answer);
  return server;
}

interface PlainAnswer {
  readonly status: number;
  readonly location?: string;
  readonly text: string;
}

function answerTo(
  request: http.IncomingMessage,
  faultOf: PublicServerOptions["faultOf"],
): PlainAnswer {
  const { method = "", url = "", headers } = request;
  const fault = faultOf(request);
  if (fault !== undefined) return fault;
  const { host } = headers;
  const text = "It is plain HTTP, and this port speaks HTTPS";
  if (host === undefined)
    return { status: 400, text: `${text}: ask for https://.` };
  const location = `https://${host}${pathOf(method, url) ?? "/"}`;
  const isVisit =
    (method === "GET" || method === "HEAD") && headers.upgrade === undefined;
  // Not 308: browsers would remember it, also when the port speaks HTTP again.
  return isVisit
    ? { status: 307, location, text: `${text}: ${location}` }
    : {
        status: 400,
        text: `${text}: ask for ${location.replace(/^https/, headers.upgrade === undefined ? "https" : "wss")}`,
      };
}
