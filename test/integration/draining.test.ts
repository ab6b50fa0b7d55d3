/** Event streams and WebSockets of replaced processes: how long they live, and how they end. */
import http from "node:http";
import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { libraryRunner } from "./helpers/library.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import type { Session } from "./helpers/session.js";

const ROLLS = 20;
const MAX_DRAINING = 3;

const streaming = (): TestApp =>
  makeApp({
    "src/version.ts": versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { WebSocketServer } from "ws";
import { version } from "./version.ts";
const held: http.ServerResponse[] = [];
const server = http.createServer((request, response) => {
  if (request.url === "/held") {
    held.push(response);
    console.log("held");
    return;
  }
  if (request.url === "/ticks") {
    let count = 0;
    response.writeHead(200, { "content-type": "text/event-stream", "x-pid": process.pid }).flushHeaders();
    process.on("SIGUSR2", () => response.write("data: " + ++count + "\\n\\n"));
    return;
  }
  if (request.url !== "/events") return void response.end(version);
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: " + version + "\\n\\n");
  // What is held is answered when a stream has ended.
  response.once("close", () => setImmediate(() => held.forEach((each) => each.end(version))));
});
new WebSocketServer({ server }).on("connection", (socket) => {
  socket.send(version);
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(3000);
`,
  });

function start(options: string): Promise<Session> {
  const app = streaming();
  app.write("run.mjs", libraryRunner(`{ port: 0, workers: 1, ${options} }`));
  return startSession(app, { script: app.path("run.mjs") });
}

async function save({ app, cli }: Session, version: string): Promise<void> {
  const from = cli.lines.length;
  app.write("src/version.ts", versionModule(version));
  await reloaded(cli, "done", from);
}

/** A WebSocket to an echo. */
interface Client {
  readonly socket: WebSocket;
  /** The version that greeted it. */
  readonly version: string;
  /** Fulfils with the code of its end. */
  readonly closed: Promise<number>;
}

async function connect(port: number): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  const closed = once(socket, "close").then(([code]) => code as number);
  const [greeting] = (await once(socket, "message")) as [Buffer];
  return { socket, version: String(greeting), closed };
}

/** Sends, and compares what comes back; rejects when the socket ends before. */
async function echo({ socket, closed }: Client, bytes: Buffer): Promise<void> {
  const answer = once(socket, "message") as Promise<[Buffer]>;
  socket.send(bytes);
  const outcome = await Promise.race([answer, closed]);
  if (typeof outcome === "number") throw new Error(`closed with ${outcome}`);
  expect(outcome[0].equals(bytes)).toBe(true);
}

async function events(port: number): Promise<http.IncomingMessage> {
  const request = http.get({
    host: "127.0.0.1",
    port,
    path: "/events",
    agent: false,
  });
  const [stream] = (await once(request, "response")) as [http.IncomingMessage];
  await once(stream, "data");
  return stream.resume();
}

test(
  `WebSockets live through ${ROLLS} rolls, through the front and directly, until too many old processes have some: then the oldest get 1001`,
  { timeout: 180_000 },
  async () => {
    const session = await start(
      `endStreams: false, maxDraining: ${MAX_DRAINING}, drainTimeoutMs: 200`,
    );
    const [direct = 0] = session.workerPorts;
    const generations: Client[][] = [];
    for (let roll = 1; roll <= ROLLS; roll++) {
      const clients = [await connect(session.port), await connect(direct)];
      expect(clients.map(({ version }) => version)).toEqual([
        ...[`v${roll - 1}`, `v${roll - 1}`],
      ]);
      generations.push(clients);
      await save(session, `v${roll}`);
      // That many replaced processes may go on for their sockets' sake.
      const [oldest = []] =
        generations.length > MAX_DRAINING ? generations.splice(0, 1) : [];
      expect(await Promise.all(oldest.map(({ closed }) => closed))).toEqual(
        oldest.map(() => 1001),
      );
      for (const client of generations.flat())
        await echo(client, Buffer.alloc(1 + 30_000 * roll, roll));
    }
    expect(generations).toHaveLength(MAX_DRAINING);
    session.cli.signal("SIGTERM");
    const codes = generations.flat().map(({ closed }) => closed);
    expect(await Promise.all(codes)).toEqual(codes.map(() => 1001));
    expect(await session.cli.exited).toEqual({ code: 0, signal: null });
  },
);

test("at the drain deadline event streams end whole, and WebSockets get 1001, through the front and directly", async () => {
  const session = await start(`drainTimeoutMs: 300`);
  const ports = [session.port, ...session.workerPorts];
  const clients = await Promise.all(ports.map(connect));
  const streams = await Promise.all(ports.map(events));
  const ends = streams.map((stream) => once(stream, "end"));
  await save(session, "v1");
  const codes = await Promise.all(clients.map(({ closed }) => closed));
  expect(codes).toEqual([1001, 1001]);
  await Promise.all(ends);
  expect(streams.map(({ complete }) => complete)).toEqual([true, true]);
  expect((await connect(session.port)).version).toBe("v1");
});

test("too many draining processes: requests in hand go on, only streams end", async () => {
  const session = await start(`maxDraining: 0, drainTimeoutMs: 600_000`);
  const client = await connect(session.port);
  const stream = await events(session.port);
  const held = get(session.port, "/held");
  await session.cli.waitFor("the request", ({ line }) => line === "held");
  const ended = once(stream, "end");
  await save(session, "v1");
  expect(await client.closed).toBe(1001);
  await ended;
  expect(stream.complete).toBe(true);
  expect((await held).text).toBe("v0");
});

test("server-sent events: the header comes before the first one, each at once, from replaced processes as well", async () => {
  const session = await start(`drainTimeoutMs: 100, endStreams: false`);
  const request = http.get({
    ...{ host: "127.0.0.1", port: session.port, path: "/ticks", agent: false },
  });
  // No event was sent yet, and no other is before this one is here: whoever collects them waits for ever.
  const [stream] = (await once(request, "response")) as [http.IncomingMessage];
  expect(stream.headers["content-type"]).toBe("text/event-stream");
  const pid = Number(stream.headers["x-pid"]);
  let count = 0;
  for (let roll = 1; roll <= 3; roll++) {
    for (let event = 0; event < 3; event++) {
      process.kill(pid, "SIGUSR2");
      const [data] = (await once(stream, "data")) as [Buffer];
      expect(String(data)).toBe(`data: ${++count}\n\n`);
    }
    await save(session, `v${roll}`);
    expect((await get(session.port, "/")).text).toBe(`v${roll}`);
  }
  const ended = once(stream, "end");
  session.cli.signal("SIGTERM");
  await ended;
  expect(stream.complete).toBe(true);
});
