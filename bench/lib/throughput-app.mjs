/**
 * The app that `bench/throughput.mjs` measures: two answers, both with a length. By itself it listens on `PORT`, a number or a
 * socket's path; with `WORKERS` it is a `node:cluster` of so many, with Node's round robin.
 */
import cluster from "node:cluster";
import http from "node:http";

const { PORT = "3000", WORKERS } = process.env;
const large = Buffer.alloc(64 * 1024, "x");

if (WORKERS !== undefined && cluster.isPrimary) {
  for (let worker = 0; worker < Number(WORKERS); worker++) cluster.fork();
} else {
  const server = http.createServer((request, response) => {
    const body = request.url === "/large" ? large : "ok";
    response.setHeader("Content-Type", "text/plain");
    response.setHeader("Content-Length", body.length);
    response.end(body);
  });
  // As the tools set it: longer than the fronts keep an idle connection.
  server.keepAliveTimeout = 75_000;
  const port = Number(PORT);
  if (Number.isInteger(port)) server.listen(port, "127.0.0.1");
  else server.listen(PORT);
}
