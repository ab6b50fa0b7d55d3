/**
 * Serves one request over a Unix socket, through the code that serves the app's: Node compiles functions when they
 * first run, and loads parts of itself when they're first needed.
 */
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import process from "node:process";
import { Connections } from "./connections.js";

/** Resolves when the answer was read. A failure is no reason not to go on: it was only practice. */
export async function warmUpHttp(runDirectory: string): Promise<void> {
  const socketPath = join(runDirectory, `w${process.pid}`);
  const connections = new Connections();
  const server = http.createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "text/plain; charset=utf-8");
    response.end("ready");
  });
  connections.observe(server);
  const endpoint = net.createServer(
    { allowHalfOpen: true, noDelay: false },
    (socket) => connections.inject(server, socket, 0),
  );
  try {
    await new Promise<void>((resolve, reject) => {
      endpoint.once("error", reject);
      endpoint.listen(socketPath, resolve);
    });
    await new Promise<void>((resolve, reject) => {
      const request = http.request(
        { socketPath, path: "/", method: "POST", agent: false },
        (response) => response.resume().once("close", resolve),
      );
      request.once("error", reject);
      request.end("practice");
    });
  } catch {
    // See above.
  }
  await new Promise<void>((resolve) => endpoint.close(() => resolve()));
}
