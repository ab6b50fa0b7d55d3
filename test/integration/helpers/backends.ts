/** Plain HTTP servers in place of workers, for tests of external fronts: they answer what the load asks for. */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { UpstreamServer } from "../../../src/upstream/types.js";

const TICK_MS = 50;

/** A server that stands for a worker. */
export interface Backend extends UpstreamServer {
  /** Requests that it has begun to answer. */
  requests(): number;
  /** As when a worker is unregistered: what it has in hand is finished, and the port refuses from now on. */
  close(): Promise<void>;
}

/** Starts so many, as workers 0, 1, …; they are closed when the test is over. */
export async function startBackends(count: number): Promise<Backend[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, worker) => startBackend(worker)),
  );
}

async function startBackend(worker: number): Promise<Backend> {
  let requests = 0;
  const server = http.createServer((request, response) => {
    requests++;
    response.setHeader("x-prefork-worker", worker);
    if (request.url === "/stream") {
      // As event streams do: so that who is in between sees that the client has gone.
      const ticks = setInterval(() => response.write("tick\n"), TICK_MS);
      response.on("close", () => clearInterval(ticks));
      response.write("first\n");
      return;
    }
    if (request.method !== "POST") {
      response.end(`worker ${worker}`);
      return;
    }
    const type = request.headers["content-type"] ?? "text/plain";
    response.setHeader("content-type", type);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => response.end(Buffer.concat(chunks)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let closed: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    closed ??= once(server.close(), "close");
    await closed;
  };
  onTestFinished(async () => {
    server.closeAllConnections();
    // What is still in hand is the test's: it's over.
    server.on("connection", (socket) => socket.destroy());
    await close();
  });
  return { worker, host: "127.0.0.1", port, requests: () => requests, close };
}
