/**
 * Fronts made of other libraries for `bench/throughput.mjs`, each as its users would write it: requests in turn to Unix
 * sockets that are kept open, headers of the hop left out, `X-Forwarded-*` added.
 *
 * Usage: node throughput-front.mjs KIND PORT SOCKET...
 */
import http from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { installed } from "./peers.mjs";

const [kind, port, ...socketPaths] = process.argv.slice(2);
const fronts = { httpxy, undici };
const listener = await fronts[kind]();
http.createServer(listener).listen(Number(port), "127.0.0.1");

/** Makes a function that gives the processes' own things in turn. */
function inTurn(make) {
  const all = socketPaths.map(make);
  let next = 0;
  return () => all[next++ % all.length];
}

async function library(name) {
  const { resolve } = createRequire(installed("x"));
  return import(pathToFileURL(resolve(name)).href);
}

async function httpxy() {
  const { createProxyServer } = await library("httpxy");
  const proxy = createProxyServer({ xfwd: true });
  const next = inTurn((socketPath) => ({
    target: { protocol: "http:", host: "localhost", socketPath },
    agent: new http.Agent({ keepAlive: true }),
  }));
  return (request, response) => {
    proxy.web(request, response, next()).catch(() => response.destroy());
  };
}

/** Nobody ships a front of undici alone: this is the least that forwards correctly. */
async function undici() {
  const { Pool } = await library("undici");
  const next = inTurn(
    (socketPath) => new Pool("http://localhost", { socketPath }),
  );
  const hop = new Set(
    "connection keep-alive proxy-connection te transfer-encoding upgrade trailer expect".split(
      " ",
    ),
  );
  const endToEnd = (raw, connection) => {
    const named = connection?.toLowerCase().split(/\s*,\s*/) ?? [];
    const headers = [];
    for (let i = 0; i < raw.length; i += 2) {
      const key = raw[i].toLowerCase();
      if (!hop.has(key) && !named.includes(key))
        headers.push(raw[i], raw[i + 1]);
    }
    return headers;
  };
  return (request, response) => {
    const headers = endToEnd(request.rawHeaders, request.headers.connection);
    headers.push("X-Forwarded-For", request.socket.remoteAddress);
    headers.push("X-Forwarded-Proto", "http");
    headers.push("X-Forwarded-Host", request.headers.host);
    const { "content-length": length, "transfer-encoding": coding } =
      request.headers;
    const hasBody = coding !== undefined || Number(length ?? 0) > 0;
    let aborted;
    next().dispatch(
      {
        path: request.url,
        method: request.method,
        headers,
        body: hasBody ? request : null,
      },
      {
        onRequestStart(controller) {
          aborted = () => controller.abort(new Error("the client has gone"));
          response.on("close", () => {
            if (!response.writableFinished) aborted();
          });
          response.on("drain", () => controller.resume());
        },
        onResponseStart(controller, status, parsed, message) {
          if (status < 200) return;
          const raw = (controller.rawHeaders ?? []).map(String);
          response.writeHead(status, message, endToEnd(raw, parsed.connection));
        },
        onResponseData(controller, chunk) {
          if (!response.write(chunk)) controller.pause();
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.destroy();
        },
      },
    );
  };
}
