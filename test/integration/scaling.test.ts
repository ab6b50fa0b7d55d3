/** The number of workers, changed while they serve: nothing is lost, ports go up and down in order, and the last call counts. */
import net from "node:net";
import { expect, test, vi } from "vitest";
import { copyFixture, makeApp } from "./helpers/app.js";
import { freePorts, isFree } from "./helpers/free-ports.js";
import { caller, CONTROLLABLE, libraryRunner } from "./helpers/library.js";
import type { Called } from "./helpers/library.js";
import { startLoad } from "./helpers/load.js";
import {
  canaryBoots,
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import type { Session } from "./helpers/session.js";

interface Controlled extends Session {
  readonly call: (code: string) => Promise<Called>;
}

/** A server that a test can call. */
async function controlled(
  options: string,
  app = copyFixture("express-app"),
): Promise<Controlled> {
  app.write("run.mjs", libraryRunner(`{ port: 0, ${options} }`) + CONTROLLABLE);
  const session = await startSession(app, { script: app.path("run.mjs") });
  return { ...session, call: await caller(session.cli) };
}

/** Each worker's state, by index. */
async function states({ call }: Controlled): Promise<unknown> {
  const { value } = await call(
    `return server.status().workers.map(({ state }) => state)`,
  );
  return value;
}

test("2 -> 6 -> 1 -> 3 under load: nothing is lost, and the ports follow", async () => {
  const first = await freePorts(6);
  const session = await controlled(`workers: 2, workerPort: ${first}`);
  const { call, port, cli } = session;
  const load = startLoad({
    targets: [
      { name: "front", port },
      { name: "worker 0", port: first },
    ],
    keepAlive: 3,
    freshPerSecond: 40,
  });
  expect(await call("return await server.scale(6)")).toEqual({
    value: { kind: "done", workers: 6 },
  });
  expect(await states(session)).toEqual(Array(6).fill("ready"));
  for (let index = 0; index < 6; index++)
    expect((await get(first + index, "/version")).status).toBe(200);
  expect(await call("return await server.scale(1)")).toEqual({
    value: { kind: "done", workers: 1 },
  });
  expect(await states(session)).toEqual(["ready"]);
  for (let index = 1; index < 6; index++)
    expect(await isFree(first + index), `port ${first + index}`).toBe(true);
  expect(await call("return await server.scale({ by: 2 })")).toEqual({
    value: { kind: "done", workers: 3 },
  });
  const { lost, requests } = await load.stop();
  expect(lost).toEqual([]);
  expect(requests).toBeGreaterThan(50);
  const events = cli.lines
    .filter(({ event }) => event === "worker")
    .map(({ what, worker, port }) => [what, worker, port]);
  const told = (what: string, ...workers: number[]): unknown[] =>
    workers.map((worker) => [what, worker, first + worker]);
  expect(events.slice(0, 6)).toEqual(told("registered", 0, 1, 2, 3, 4, 5));
  // They leave together; whose drain ends first is chance.
  expect(new Set(events.slice(6, 11))).toEqual(
    new Set(told("unregistered", 1, 2, 3, 4, 5)),
  );
  expect(events.slice(11)).toEqual(told("registered", 1, 2));
});

test("a scale that another one overtakes is superseded, and stop wins over both", async () => {
  const session = await controlled(`workers: 1`);
  const { call } = session;
  const { value } = await call(`
    const first = server.scale(4);
    const second = server.scale(2);
    return [await first, await second];
  `);
  expect(value).toEqual([
    { kind: "superseded", workers: 4 },
    { kind: "done", workers: 2 },
  ]);
  expect(await states(session)).toEqual(["ready", "ready"]);
  const stopped = await call(`
    const last = server.scale(5);
    void server.stop();
    return [await last, await server.scale(3).catch(({ code }) => code)];
  `);
  expect(stopped.value).toEqual([
    { kind: "stopped" },
    "ERR_PREFORK_NOT_RUNNING",
  ]);
  expect(await session.cli.exited).toEqual({ code: 0, signal: null });
});

test("a worker that is wanted again while it drains keeps its port", async () => {
  const session = await controlled(`workers: 2, drainTimeoutMs: 20_000`);
  const { call, workerPorts, cli } = session;
  const [, leaving = 0] = workerPorts;
  const slow = get(leaving, "/slow?ms=3000");
  await get(leaving, "/slow?ms=50");
  const { value } = await call(`
    const fewer = server.scale(1);
    const draining = new Promise((resolve) => server.on("process", ({ kind }) => kind === "draining" && resolve()));
    await draining;
    return [await server.scale(2), await fewer];
  `);
  expect(value).toEqual([
    { kind: "done", workers: 2 },
    { kind: "superseded", workers: 1 },
  ]);
  expect((await slow).status).toBe(200);
  expect((await get(leaving, "/version")).status).toBe(200);
  expect(cli.lines.some(({ what }) => what === "unregistered")).toBe(false);
});

test("a roll and a scale at the same time: both end well, all run the newest code", async () => {
  const app = makeApp({
    "src/version.ts": versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { version } from "./version.ts";
http.createServer((_request, response) => response.end(version)).listen(3000);
`,
  });
  const session = await controlled(`workers: 2`, app);
  const { cli, call, port } = session;
  const load = startLoad({
    targets: [{ name: "front", port }],
    path: "/",
    post: false,
  });
  for (const [round, workers] of [5, 1, 4].entries()) {
    const from = cli.lines.length;
    app.write("src/version.ts", versionModule(`v${round + 1}`));
    await canaryBoots(cli, round + 2, from);
    const scaled = call(`return await server.scale(${workers})`);
    await reloaded(cli, "done", from);
    expect(await scaled).toEqual({ value: { kind: "done", workers } });
    const { value } = await call(
      `return server.workers.map((worker) => worker.status().generation)`,
    );
    expect(value).toEqual(Array(workers).fill(round + 2));
    expect((await get(port)).text).toBe(`v${round + 1}`);
  }
  expect((await load.stop()).lost).toEqual([]);
});

test("a port that is taken is an error for who asked, and the workers that there are serve on", async () => {
  const first = await freePorts(3);
  const squatter = net.createServer();
  await new Promise<void>((resolve) =>
    squatter.listen(first + 2, "127.0.0.1", resolve),
  );
  try {
    const session = await controlled(`workers: 1, workerPort: ${first}`);
    const failed = await session.call("return await server.scale(3)");
    expect(failed.code).toBe("ERR_PREFORK_PORT");
    expect(failed.message).toContain(String(first + 2));
    await vi.waitFor(
      async () => expect(await states(session)).toEqual(["ready", "ready"]),
      { timeout: 20_000 },
    );
    expect((await session.call("return await server.scale(0)")).code).toBe(
      "ERR_PREFORK_OPTION",
    );
    expect((await get(session.port, "/version")).status).toBe(200);
  } finally {
    squatter.close();
  }
});

test("one worker's process is replaced on demand; a stopped worker stays stopped over a roll, and the last one can't be", async () => {
  const session = await controlled(`workers: 2`);
  const { call, port, cli } = session;
  const load = startLoad({ targets: [{ name: "front", port }] });
  const before = await call(`return server.status().workers[1].pid`);
  const restarted = await call(`return await server.workers[1].restart()`);
  expect(restarted.value).toMatchObject({ kind: "done" });
  const after = await call(`return server.status().workers[1].pid`);
  expect(after.value).not.toBe(before.value);
  expect(restarted.value).toMatchObject({ pid: after.value });

  // A restart that a stop overtakes comes to an end, too.
  const overtaken = await call(`
    const restart = server.workers[0].restart();
    await server.workers[0].stop();
    return await restart;
  `);
  expect(overtaken.value).toEqual({ kind: "stopped" });
  expect(await states(session)).toEqual(["stopped", "ready"]);
  expect((await call(`await server.workers[1].stop()`)).code).toBe(
    "ERR_PREFORK_OPTION",
  );
  const from = cli.lines.length;
  expect((await call(`return await server.reload()`)).value).toMatchObject({
    kind: "done",
  });
  await reloaded(cli, "done", from);
  expect(await states(session)).toEqual(["stopped", "ready"]);
  expect(
    (await call(`return await server.workers[0].start()`)).value,
  ).toMatchObject({ kind: "done" });
  expect(await states(session)).toEqual(["ready", "ready"]);
  expect((await load.stop()).lost).toEqual([]);
});
