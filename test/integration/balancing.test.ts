/** Long requests harm nobody else: concurrency, blocked event loops, and what waits while things change. */
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const app = (server: object = {}): TestApp =>
  makeApp({
    "prefork.config.json": manifest(server),
    "src/version.ts": versionModule("v0"),
    "src/server.ts": `
import fs from "node:fs";
import http from "node:http";
import { version } from "./version.ts";
let inHand = 0;
const waiting: (() => void)[] = [];
http
  .createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://app");
    const ms = Number(searchParams.get("ms"));
    const most = ++inHand;
    if (pathname === "/slow") await new Promise((resolve) => setTimeout(resolve, ms));
    if (pathname === "/wait") {
      console.log("waits");
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    if (pathname === "/go") for (const go of waiting.splice(0)) go();
    if (pathname === "/block") {
      console.log("blocks");
      // Its event loop doesn't turn before the test says so.
      const cell = new Int32Array(new SharedArrayBuffer(4));
      while (!fs.existsSync("go-on")) Atomics.wait(cell, 0, 0, 20);
    }
    response.end(version + " " + most);
    inHand--;
  })
  .listen(3000);
`,
  });

const manifest = (server: object): string =>
  `${JSON.stringify({ entry: "src/server.ts", server }, undefined, 2)}\n`;

const MANIFEST = { target: "prefork.config.json" };

test("--concurrency 1: each worker answers one request at a time, and all are answered", async () => {
  const { port } = await startSession(app(), {
    ...MANIFEST,
    args: ["--concurrency", "1"],
  });
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => get(port, "/slow?ms=20")),
  );
  expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(
    answers.map(() => "200 v0 1"),
  );
  const workers = answers.map(({ headers }) => headers["x-prefork-worker"]);
  expect(new Set(workers).size).toBe(2);
});

test("the manifest's concurrency takes effect when it's saved: what waits goes on", async () => {
  // With nothing else that would let it go on: neither the end of a fresh window nor that of its wait.
  const endless = {
    ...{ maxHeld: 1, consistency: "available" },
    ...{ freshTimeoutMs: 600_000, holdTimeoutMs: 600_000 },
  };
  const project = app({ concurrency: 1, ...endless });
  const { cli, port } = await startSession(project, {
    ...MANIFEST,
    workers: 1,
  });
  const first = get(port, "/wait");
  await cli.waitFor("the first request", ({ line }) => line === "waits");
  const second = get(port, "/go");
  // That there's no room for a third says that the second waits.
  expect((await get(port)).status).toBe(503);
  const from = cli.lines.length;
  project.write(
    "prefork.config.json",
    manifest({ concurrency: 2, ...endless }),
  );
  await reloaded(cli, "any", from);
  expect((await second).text).toBe("v0 2");
  expect((await first).text).toBe("v0 1");
});

test("a save while requests wait for their turn: the new code answers them, at once", async () => {
  const project = app({ concurrency: 1, drainTimeoutMs: 500 });
  const { cli, port } = await startSession(project, {
    ...MANIFEST,
    workers: 1,
  });
  const first = get(port, "/wait");
  await cli.waitFor("the first request", ({ line }) => line === "waits");
  const waiting = [get(port, "/"), get(port, "/")];
  const from = cli.lines.length;
  project.write("src/version.ts", versionModule("v1"));
  await reloaded(cli, "done", from);
  const texts = (await Promise.all(waiting)).map(({ text }) => text);
  expect(texts).toEqual(["v1 1", "v1 1"]);
  // Its process drains, and is ended when the drain deadline has passed.
  first.catch(() => undefined);
});

test("a stop while requests wait for their turn: they are answered before it", async () => {
  const { cli, port } = await startSession(app({ concurrency: 1 }), MANIFEST);
  const answers = Array.from({ length: 10 }, () => get(port, "/slow?ms=50"));
  await Promise.race(answers);
  cli.signal("SIGTERM");
  const all = await Promise.all(answers);
  expect(all.map(({ text }) => text)).toEqual(all.map(() => "v0 1"));
  expect(await cli.exited).toEqual({ code: 0, signal: null });
});

test("a scale up while requests wait for their turn: they go to the new worker", async () => {
  const { cli, port } = await startSession(
    app({ concurrency: 1, drainTimeoutMs: 500 }),
    {
      ...MANIFEST,
      workers: 1,
    },
  );
  const first = get(port, "/wait");
  await cli.waitFor("the first request", ({ line }) => line === "waits");
  const second = get(port, "/");
  cli.signal("SIGTTIN");
  expect((await second).headers["x-prefork-worker"]).toBe("1");
  first.catch(() => undefined);
});

test("a blocked event loop gets no more requests, however many there are, and what blocks it isn't repeated", async () => {
  const project = app({ hangTimeoutMs: 1_000 });
  const { cli, port } = await startSession(project, {
    ...MANIFEST,
    workers: 3,
  });
  const blocking = get(port, "/block");
  await cli.waitFor("the block", ({ line }) => line === "blocks");
  // The front finds out long before this is told.
  await cli.waitFor("the hang", ({ what }) => what === "hung");
  for (let round = 0; round < 20; round++) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => get(port)),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  }
  project.write("go-on", "");
  const worker = (await blocking).headers["x-prefork-worker"];
  // Now it's one of them again.
  const seen = new Set<unknown>();
  while (!seen.has(worker))
    seen.add((await get(port)).headers["x-prefork-worker"]);
  const blocks = cli.lines.filter(({ line }) => line === "blocks");
  expect(blocks).toHaveLength(1);
});
