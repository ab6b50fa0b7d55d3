/** Nothing is left behind, whatever ends: DESIGN, promises 4 and 5. */
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import { expect, test, vi } from "vitest";
import { copyFixture, makeApp } from "./helpers/app.js";
import { startLoad } from "./helpers/load.js";
import {
  canaryBoots,
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import type { Session } from "./helpers/session.js";

/** Can nobody be reached on this port? */
function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error) =>
      resolve("code" in error && error.code === "ECONNREFUSED"),
    );
  });
}

/**
 * All ports are free, within a second. A process may end with its copy of a socket still on the way to it, in a
 * message that it hadn't read; the kernel closes those a tick after the process is gone.
 */
async function expectPortsFree({ port, workerPorts }: Session): Promise<void> {
  for (const each of [port, ...workerPorts]) {
    await vi.waitFor(
      async () =>
        expect(await isRefused(each), `port ${each} is free`).toBe(true),
      { timeout: 1_000, interval: 10 },
    );
  }
}

/** An app with everything that keeps a process alive: timers, sockets, an open answer. */
const busyApp = (): Readonly<Record<string, string>> => ({
  "src/version.ts": versionModule("v0"),
  "src/server.ts": `
import http from "node:http";
import net from "node:net";
import { version } from "./version.ts";
setInterval(() => undefined, 1_000);
net.createServer().listen(0, "127.0.0.1");
process.on("SIGTERM", () => console.log("no thanks"));
http
  .createServer((request, response) => {
    if (request.url === "/open") return void response.write("open");
    response.end(version);
  })
  .listen(3000);
`,
});

test("SIGKILL of the master: no process, port or socket is left within a second", async () => {
  const session = await startSession(makeApp(busyApp()), { workers: 3 });
  const { app, cli, port, workerPorts } = session;
  // An answer that never ends, through the front and directly.
  for (const each of [port, ...workerPorts]) {
    http
      .get({ port: each, host: "127.0.0.1", path: "/open", agent: false })
      .on("error", () => undefined);
  }
  expect(cli.alive().length).toBeGreaterThanOrEqual(4);
  cli.signal("SIGKILL");
  await cli.exited;
  await cli.untilGone(1_000);
  await expectPortsFree(session);
  expect(app.leftovers()).toEqual([]);
});

test("SIGKILL of the master in the middle of a roll leaves nothing either", async () => {
  const session = await startSession(makeApp(busyApp()), { workers: 2 });
  const { app, cli } = session;
  const from = cli.lines.length;
  app.write("src/version.ts", versionModule("v1"));
  await canaryBoots(cli, 2, from);
  cli.signal("SIGKILL");
  await cli.exited;
  await cli.untilGone(1_000);
  await expectPortsFree(session);
  expect(app.leftovers()).toEqual([]);
});

test("SIGTERM under load: requests in hand are answered, nothing is left", async () => {
  const session = await startSession(copyFixture("express-app"));
  const { cli, port, workerPorts } = session;
  const slow = [port, ...workerPorts].map((each) => get(each, "/slow?ms=1500"));
  const load = startLoad({
    targets: [{ name: "front", port }],
    keepAlive: 2,
    freshPerSecond: 10,
    pauseMs: 5,
    postEvery: 20,
  });
  // The slow ones must be in hand before the signal: their first second has begun when others are answered.
  await get(port, "/slow?ms=300");
  const signalledAt = performance.now();
  cli.signal("SIGTERM");
  const answers = await Promise.all(slow);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(await cli.exited).toEqual({ code: 0, signal: null });
  const { lost } = await load.stop();
  // What was sent before is answered. What comes later may be refused, or reset while it waits to be accepted, but
  // is never answered wrongly or in part.
  expect(lost.filter(({ sentAt }) => sentAt < signalledAt)).toEqual([]);
  expect(
    lost.filter(({ reason }) => !["refused", "reset"].includes(reason)),
  ).toEqual([]);
  await cli.untilGone(1_000);
  await expectPortsFree(session);
});

test("a second SIGINT ends at once, with 130", async () => {
  const session = await startSession(makeApp(busyApp()));
  const { cli, port } = session;
  const open = http.get({
    port,
    host: "127.0.0.1",
    path: "/open",
    agent: false,
  });
  open.on("error", () => undefined);
  await new Promise((resolve) => open.once("response", resolve));
  cli.signal("SIGINT");
  await cli.waitFor("the stop", ({ event }) => event === "stopping");
  // npm relays Ctrl-C: a second signal within 250 ms is the same one. A person is slower.
  await new Promise((resolve) => setTimeout(resolve, 400));
  cli.signal("SIGINT");
  expect(await cli.exited).toEqual({ code: 130, signal: null });
  await cli.untilGone(1_000);
  await expectPortsFree(session);
});

test("a worker that is killed is replaced, and its requests that may be repeated are answered", async () => {
  const session = await startSession(copyFixture("express-app"), {
    workers: 2,
  });
  const { cli, port } = session;
  for (let round = 0; round < 3; round++) {
    const from = cli.lines.length;
    const { headers } = await get(port, "/version");
    const worker = Number(headers["x-prefork-worker"]);
    const ready = cli.lines.findLast(
      (line) => line["what"] === "ready" && line["worker"] === worker,
    );
    const slow = [get(port, "/slow?ms=500"), get(port, "/slow?ms=500")];
    // Both workers have one in hand: one of them dies.
    await get(port, "/slow?ms=100");
    process.kill(ready?.["pid"] as number, "SIGKILL");
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([
      200, 200,
    ]);
    await cli.waitFor("the death", ({ what }) => what === "died", { from });
    await cli.waitFor(
      "the replacement",
      (line) => line["what"] === "ready" && line["worker"] === worker,
      { from },
    );
  }
});

test("a worker that keeps dying is replaced with backoff, and a save mends it", async () => {
  const app = makeApp({
    "src/version.ts": versionModule("v0"),
    "src/die.ts": "setTimeout(() => process.exit(7), 50);\n",
    "src/server.ts": `
import http from "node:http";
import "./die.ts";
import { version } from "./version.ts";
http.createServer((_request, response) => response.end(version)).listen(3000);
`,
  });
  const { cli, port } = await startSession(app, {
    workers: 1,
    untilReady: false,
  });
  const death = await cli.waitFor(
    "a death with backoff",
    ({ what, backoffMs }) => what === "died" && Number(backoffMs) >= 500,
  );
  expect(death).toMatchObject({ code: 7 });
  const from = cli.lines.length;
  await cli.waitFor("the watcher", ({ event }) => event === "watching");
  app.write("src/die.ts", "");
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v0");
});

test("the private endpoints are the user's own: mode 0700", async () => {
  const { app } = await startSession(makeApp(busyApp()), { workers: 1 });
  const [directory = ""] = app.leftovers();
  expect(directory).toMatch(/^prefork-dev-/);
  expect(fs.statSync(`${app.temporary}/${directory}`).mode & 0o777).toBe(0o700);
});
