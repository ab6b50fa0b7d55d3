/** Requests wait for new code, and streams survive what happens behind the front. */
import http from "node:http";
import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { makeApp } from "./helpers/app.js";
import {
  canaryBoots,
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const app = (): Readonly<Record<string, string>> => ({
  "src/version.ts": versionModule("v0"),
  "src/server.ts": `
import http from "node:http";
import { WebSocketServer } from "ws";
import { version } from "./version.ts";
const server = http.createServer((request, response) => {
  if (request.url === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: " + version + "\\n\\n");
    return;
  }
  if (request.url === "/abort") {
    response.writeHead(200, { "content-length": "1000" });
    response.write("a part");
    setTimeout(() => response.destroy(), 50);
    return;
  }
  if (request.url === "/wait") {
    response.once("close", () => console.log("client gone", response.writableFinished));
    return;
  }
  response.end(version);
});
new WebSocketServer({ server }).on("connection", (socket) => socket.send(version));
server.listen(3000);
`,
});

test("requests that come before anything is ready are held and answered", async () => {
  const { port } = await startSession(makeApp(app()), { untilReady: false });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => get(port)),
  );
  expect(answers.map(({ text }) => text)).toEqual(answers.map(() => "v0"));
});

test("fresh: a request sent after the save was seen is answered by the new code; headers name worker and generation", async () => {
  const project = makeApp(app());
  const { cli, port } = await startSession(project);
  for (let save = 1; save <= 3; save++) {
    const from = cli.lines.length;
    project.write("src/version.ts", versionModule(`v${save}`));
    await canaryBoots(cli, save + 1, from);
    // The canary boots: nothing of this generation can answer yet.
    const { text, headers } = await get(port);
    expect(text).toBe(`v${save}`);
    expect(headers["x-prefork-generation"]).toBe(String(save + 1));
    expect(headers["x-prefork-worker"]).toMatch(/^[01]$/);
    await reloaded(cli, "done", from);
  }
});

test("available: old workers answer while the new code boots", async () => {
  const project = makeApp(app());
  const { cli, port } = await startSession(project, {
    args: ["--consistency", "available"],
  });
  const from = cli.lines.length;
  project.write(
    "src/version.ts",
    `await new Promise((resolve) => setTimeout(resolve, 1_000));\n${versionModule("v1")}`,
  );
  await canaryBoots(cli, 2, from);
  expect((await get(port)).text).toBe("v0");
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v1");
});

test("a worker's abort is the client's abort, never a short answer", async () => {
  const { port } = await startSession(makeApp(app()), { workers: 1 });
  await expect(get(port, "/abort")).rejects.toMatchObject({
    code: "ECONNRESET",
  });
});

test("a client that goes away is gone for the worker, too", async () => {
  const { cli, port } = await startSession(makeApp(app()), { workers: 1 });
  const request = http.get({
    host: "127.0.0.1",
    port,
    path: "/wait",
    agent: false,
  });
  request.on("error", () => undefined);
  await once(request, "finish");
  // Another answer shows that the first request has reached the worker.
  await get(port);
  request.destroy();
  await cli.waitFor(
    "the worker's notice",
    ({ line }) => line === "client gone false",
  );
});

test("stopping ends event streams cleanly and tells WebSockets to go away, without waiting for a deadline", async () => {
  const { cli, port } = await startSession(makeApp(app()), { workers: 1 });
  const [stream] = (await once(
    http.get({ host: "127.0.0.1", port, path: "/events", agent: false }),
    "response",
  )) as [http.IncomingMessage];
  stream.resume();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "message");
  const ended = Promise.all([once(stream, "end"), once(socket, "close")]);
  cli.signal("SIGTERM");
  const [, [code]] = (await ended) as [unknown, [number]];
  expect(code).toBe(1001);
  expect(stream.complete).toBe(true);
  expect(await cli.exited).toEqual({ code: 0, signal: null });
});
