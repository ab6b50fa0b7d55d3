/**
 * The app that `bench/fairness.mjs` measures: answers at once, but blocks its event loop when it's asked to. By itself it
 * listens on `PORT`; with `WORKERS` it is a `node:cluster` of so many, with Node's round robin.
 */
import cluster from "node:cluster";
import http from "node:http";

const { PORT = "3000", WORKERS } = process.env;
const cell = new Int32Array(new SharedArrayBuffer(4));

/** A call that doesn't return: `spin` keeps a core busy as well. */
function block(ms, spin) {
  const until = performance.now() + ms;
  if (!spin) Atomics.wait(cell, 0, 0, ms);
  while (performance.now() < until);
}

if (WORKERS !== undefined && cluster.isPrimary) {
  for (let worker = 0; worker < Number(WORKERS); worker++) cluster.fork();
} else {
  http
    .createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, "http://app");
      if (pathname === "/block") {
        block(Number(searchParams.get("ms")), searchParams.has("spin"));
      }
      response.end("ok");
    })
    .listen(Number(PORT), "127.0.0.1");
}
