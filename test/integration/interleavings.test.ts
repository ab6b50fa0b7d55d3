/** What may happen in the middle of something else: the table in docs/architecture.md, one test a row. */
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import type { Cli } from "./helpers/cli.js";
import type { LogLine } from "./helpers/log.js";
import { startLoad } from "./helpers/load.js";
import {
  canaryBoots,
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

/** Loading it waits until the gate is open, so that a boot can be caught in the middle. */
const app = (): TestApp =>
  makeApp({
    "src/version.ts": versionModule("v0"),
    "src/gate.ts": "",
    "src/server.ts": `
import http from "node:http";
import "./gate.ts";
import { version } from "./version.ts";
http
  .createServer((request, response) => {
    if (request.method === "POST") {
      response.setHeader("content-type", request.headers["content-type"] ?? "");
      return void request.pipe(response);
    }
    const { searchParams } = new URL(request.url ?? "", "http://x");
    if (searchParams.get("unanswered-by") === version) return;
    const wait = Number(searchParams.get("wait") ?? 0);
    if (wait === 0) response.end(version);
    else setTimeout(() => response.end(version), wait);
  })
  .listen(3000);
`,
  });

const closedGate = `await new Promise((resolve) => setTimeout(resolve, 3_600_000));\n`;

function processEvent(
  cli: Cli,
  what: string,
  fits: Partial<Record<string, unknown>>,
  from: number,
): Promise<LogLine> {
  return cli.waitFor(
    `a process that ${what} (${JSON.stringify(fits)})`,
    (line) =>
      line["event"] === "process" &&
      line["what"] === what &&
      Object.entries(fits).every(([name, value]) => line[name] === value),
    { from },
  );
}

/** The pid of the newest ready process of a worker. */
function pidOf(cli: Cli, worker: number): number {
  const line = cli.lines.findLast(
    (each) =>
      each["event"] === "process" &&
      each["what"] === "ready" &&
      each["worker"] === worker,
  );
  return line?.["pid"] as number;
}

test("a save while the canary boots: the canary is abandoned, its roll superseded", async () => {
  const project = app();
  const { cli, port } = await startSession(project);
  const from = cli.lines.length;
  project.write("src/gate.ts", closedGate);
  const { pid } = await canaryBoots(cli, 2, from);
  project.write("src/gate.ts", "");
  project.write("src/version.ts", versionModule("v1"));
  expect(await reloaded(cli, "any", from)).toMatchObject({
    outcome: "superseded",
    generation: 2,
  });
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v1");
  expect(cli.alive().map((each) => each.pid)).not.toContain(pid);
});

test("the death of an old worker while the canary boots: it is refilled with the old generation", async () => {
  const project = app();
  const { cli, port } = await startSession(project, {
    args: ["--consistency", "available"],
  });
  const from = cli.lines.length;
  project.write("src/gate.ts", closedGate);
  await canaryBoots(cli, 2, from);
  process.kill(pidOf(cli, 1), "SIGKILL");
  await processEvent(cli, "died", { worker: 1, generation: 1 }, from);
  await processEvent(cli, "ready", { worker: 1, generation: 1 }, from);
  expect((await get(port)).text).toBe("v0");
  project.write("src/gate.ts", "");
  project.write("src/version.ts", versionModule("v1"));
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v1");
});

test("the death of the canary's process right after it was ready: it is refilled with the new generation", async () => {
  const project = app();
  const { cli, port } = await startSession(project, { workers: 3 });
  const from = cli.lines.length;
  project.write("src/version.ts", versionModule("v1"));
  const { pid } = await processEvent(cli, "ready", { generation: 2 }, from);
  process.kill(pid as number, "SIGKILL");
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v1");
});

test("the death of a process while it drains: a request that may be repeated is answered by the new code", async () => {
  const project = app();
  const { cli, port } = await startSession(project, { workers: 1 });
  const from = cli.lines.length;
  const waiting = get(port, "/?unanswered-by=v0");
  await get(port);
  const old = pidOf(cli, 0);
  project.write("src/version.ts", versionModule("v1"));
  await processEvent(cli, "draining", { pid: old }, from);
  process.kill(old, "SIGKILL");
  await processEvent(cli, "stopped", { pid: old }, from);
  expect((await waiting).text).toBe("v1");
});

test("a stop while the first process boots", async () => {
  const project = app();
  project.write("src/gate.ts", closedGate);
  const { cli } = await startSession(project, { untilReady: false });
  await canaryBoots(cli, 1, 0);
  cli.signal("SIGTERM");
  expect(await cli.exited).toEqual({ code: 0, signal: null });
});

test("a stop while a canary boots, with a request in hand and one held: the first is answered", async () => {
  const project = app();
  const { cli, port } = await startSession(project);
  const from = cli.lines.length;
  const inHand = get(port, "/?wait=1500");
  await get(port);
  project.write("src/gate.ts", closedGate);
  await canaryBoots(cli, 2, from);
  cli.signal("SIGTERM");
  expect((await inHand).text).toBe("v0");
  expect(await cli.exited).toEqual({ code: 0, signal: null });
});

test("a stop in the middle of a roll", async () => {
  const project = app();
  const { cli } = await startSession(project, { workers: 3 });
  const from = cli.lines.length;
  project.write("src/version.ts", versionModule("v1"));
  await processEvent(cli, "ready", { generation: 2 }, from);
  cli.signal("SIGTERM");
  expect(await cli.exited).toEqual({ code: 0, signal: null });
});

test("a stop while a process drains", async () => {
  const project = app();
  const { cli, port } = await startSession(project, { workers: 1 });
  const from = cli.lines.length;
  const inHand = get(port, "/?wait=1500");
  await get(port);
  project.write("src/version.ts", versionModule("v1"));
  await processEvent(cli, "draining", { generation: 1 }, from);
  cli.signal("SIGTERM");
  expect((await inHand).text).toBe("v0");
  expect(await cli.exited).toEqual({ code: 0, signal: null });
});

test("SIGHUP during a roll, and twice at once: the newest wins, all workers end on it", async () => {
  const project = app();
  const { cli, port } = await startSession(project);
  const from = cli.lines.length;
  project.write("src/version.ts", versionModule("v1"));
  await processEvent(cli, "ready", { generation: 2 }, from);
  cli.signal("SIGHUP");
  cli.signal("SIGHUP");
  // The roll of the save may have been through before the signals came.
  await cli.waitFor(
    "the end of what the signals asked for",
    ({ event, outcome, generation }) =>
      event === "reload" && outcome === "done" && Number(generation) >= 3,
    { from },
  );
  expect((await get(port)).text).toBe("v1");
});

test("a burst of saves under load: nothing lost, the last one is live", async () => {
  const project = app();
  const session = await startSession(project);
  const { cli, port } = session;
  const load = startLoad({
    targets: [{ name: "front", port }],
    keepAlive: 2,
    freshPerSecond: 10,
    path: "/",
    postEvery: 10,
  });
  const from = cli.lines.length;
  for (let save = 1; save <= 12; save++) {
    project.write("src/version.ts", versionModule(`v${save}`));
    // Each save comes while something of the one before is under way.
    await canaryBoots(cli, save + 1, from);
  }
  await cli.waitFor(
    "the last save's reload",
    ({ event, outcome, generation }) =>
      event === "reload" && outcome === "done" && Number(generation) >= 13,
    { from },
  );
  expect((await get(port)).text).toBe("v12");
  expect((await load.stop()).lost).toEqual([]);
});

test("a replaced process that may still accept: the roll isn't done before it says that it doesn't", async () => {
  const project = app();
  const { cli, workerPorts } = await startSession(project, {
    workers: 1,
    args: ["--no-front"],
  });
  const [port = 0] = workerPorts;
  const old = pidOf(cli, 0);
  process.kill(old, "SIGSTOP");
  const from = cli.lines.length;
  try {
    project.write("src/version.ts", versionModule("v1"));
    await processEvent(cli, "draining", { pid: old }, from);
    expect((await get(port)).text).toBe("v1");
    const reloads = cli.lines.slice(from).map(({ outcome }) => outcome);
    expect(reloads).not.toContain("done");
  } finally {
    process.kill(old, "SIGCONT");
  }
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v1");
});
