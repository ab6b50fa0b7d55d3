import http from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { RawClient, World, signal } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const UPGRADE = [
  "GET /up HTTP/1.1",
  "Host: x",
  "Connection: keep-alive, Upgrade",
  "Upgrade: Raw/1",
  "",
  "",
];

/** An app that upgrades to a protocol of its own: says hello early, then echoes. */
function rawServer(): http.Server {
  const server = http.createServer((_request, response) => {
    response.end("plain");
  });
  server.on("upgrade", (request, socket, head: Buffer) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${String(request.headers.upgrade)}\r\nX-L: \xe9\r\n\r\nhello;`,
      "latin1",
    );
    socket.write(head);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => socket.write(chunk));
    socket.on("end", () => socket.end(";bye"));
  });
  return server;
}

describe("any upgrade", () => {
  it("is passed through: header, early bytes of both sides, half-close", async () => {
    const { port, front, process } = await world.simple(rawServer());
    const client = await RawClient.connect(port);
    client.send(...UPGRADE.slice(0, -1), "early,");
    const text = await client.sees("early,");
    expect(text).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\nX-L: \xe9\r\nx-prefork-worker: 0\r\nx-prefork-generation: 1\r\nConnection: Upgrade\r\nUpgrade: Raw\/1\r\n\r\nhello;early,$/,
    );
    expect(front.leases(process.target.id)).toBe(1);
    client.send("more");
    await client.sees("more");
    client.socket.end();
    expect(await client.closed()).toMatch(/more;bye$/);
    await front.drain(process.target.id);
    expect(front.stats().upgrades).toBe(1);
  });

  it("moves large amounts both ways", async () => {
    const { port } = await world.simple(rawServer());
    const client = await RawClient.connect(port);
    client.send(...UPGRADE);
    await client.sees("hello;");
    const size = 4 * 1024 * 1024;
    client.socket.write(Buffer.alloc(size, "x"));
    client.socket.end();
    const text = await client.closed();
    expect(text.slice(text.indexOf("hello;"))).toHaveLength(
      size + "hello;;bye".length,
    );
  });

  it("that the process refuses has its refusal relayed whole", async () => {
    const server = http.createServer();
    server.on("upgrade", (_request, socket) => {
      socket.end(
        "HTTP/1.1 401 Unauthorized\r\nX-Why: because\r\nContent-Length: 9\r\nConnection: close\r\n\r\nno entry!",
      );
    });
    const { port, front, process } = await world.simple(server);
    const client = await RawClient.connect(port);
    client.send(...UPGRADE);
    const text = await client.closed();
    expect(text).toMatch(
      /^HTTP\/1\.1 401 Unauthorized\r\nX-Why: because\r\n[^]*\r\n\r\nno entry!$/,
    );
    expect(text).toContain("x-prefork-worker: 0");
    await front.drain(process.target.id);
  });

  it("that the app knows nothing of is answered as an ordinary request, large answers too", async () => {
    const body = "y".repeat(3_000_000);
    const { port } = await world.simple((_request, response) => {
      response.end(body);
    });
    const client = await RawClient.connect(port);
    client.send(...UPGRADE);
    const text = await client.closed();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text.endsWith(body)).toBe(true);
  });

  it("to h2c, or with a body, is served as plain HTTP", async () => {
    const { port } = await world.simple(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      response.end(
        `${request.method ?? ""} [${body}] ${String(request.headers.upgrade)} ${String(request.headers["http2-settings"])}`,
      );
    });
    const client = await RawClient.connect(port);
    client.send(
      "GET / HTTP/1.1",
      "Host: x",
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABk",
      "",
      "",
    );
    await client.sees("GET [] undefined undefined");
    client.send(
      "POST / HTTP/1.1",
      "Host: x",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Content-Length: 4",
      "",
      "bo",
    );
    client.send("dy");
    await client.sees("POST [body] undefined undefined");
    client.send(
      "PUT / HTTP/1.1",
      "Host: x",
      "Content-Length: 5",
      "Connection: close",
      "",
      "after",
    );
    expect(await client.closed()).toContain("PUT [after]");
  });

  it("waits for a process, and for the answers of earlier requests on its connection", async () => {
    const { front, port } = await world.front();
    const client = await RawClient.connect(port);
    client.send("GET /1 HTTP/1.1", "Host: x", "", ...UPGRADE);
    const process = await world.process(rawServer());
    front.admit(process.target);
    const text = await client.sees("hello;");
    expect(text).toMatch(/^HTTP\/1\.1 200 OK[^]*plain[^]*HTTP\/1\.1 101 /);
    client.socket.destroy();
  });

  it("ends for the client when the process ends, and the other way round", async () => {
    const closed = signal();
    const server = rawServer();
    server.on("upgrade", (_request, socket) =>
      socket.once("close", () => closed.resolve()),
    );
    const { port, front, process } = await world.simple(server);
    const one = await RawClient.connect(port);
    one.send(...UPGRADE);
    await one.sees("hello;");
    one.socket.resetAndDestroy();
    await closed.promise;

    const two = await RawClient.connect(port);
    two.send(...UPGRADE);
    await two.sees("hello;");
    await process.die();
    front.remove(process.target.id);
    await two.closed();
  });
});

describe("WebSocket", () => {
  it("talks through the front, with messages from the first moment on", async () => {
    const server = http.createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (socket) => {
      socket.send("welcome");
      socket.on("message", (data, isBinary) =>
        socket.send(data, { binary: isBinary }),
      );
    });
    const { url } = await world.simple(server);
    const client = new WebSocket(url.replace("http", "ws"));
    const messages: Buffer[] = [];
    const two = signal();
    client.on("message", (data: Buffer) => {
      messages.push(data);
      if (messages.length === 2) two.resolve();
    });
    await once(client, "open");
    const large = Buffer.alloc(2_000_000, 7);
    client.send(large);
    await two.promise;
    expect(messages[0]?.toString()).toBe("welcome");
    expect(messages[1]?.equals(large)).toBe(true);
    const closed = once(client, "close");
    sockets.clients.forEach((socket) => {
      socket.close(1001, "going");
    });
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1001, "going"]);
  });

  it("is refused as the app refuses it", async () => {
    const server = http.createServer();
    const sockets = new WebSocketServer({ server, verifyClient: () => false });
    sockets.on("error", () => undefined);
    const { url } = await world.simple(server);
    const client = new WebSocket(url.replace("http", "ws"));
    client.on("error", () => undefined);
    const [, answer] = (await once(client, "unexpected-response")) as [
      unknown,
      http.IncomingMessage,
    ];
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["x-prefork-worker"]).toBe("0");
    answer.destroy();
  });
});

it("the front listens where it says", async () => {
  const { url, port } = await world.front();
  expect(url).toBe(`http://127.0.0.1:${port}`);
  const server = http.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  expect((server.address() as AddressInfo).port).not.toBe(port);
  server.close();
});
