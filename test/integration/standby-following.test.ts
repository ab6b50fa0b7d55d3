/** The workers behind a roll's canary: the next save's standby comes first, and each of them gets one of its own. */
import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import type { Cli } from "./helpers/cli.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import type { Session } from "./helpers/session.js";
import { countStandbys, linesOf, standbyEvent } from "./helpers/standbys.js";

const VERSION = "src/version.ts";
/** What it takes to make a standby of this app, at the least. */
const SLOW_MS = 700;

const app = (): TestApp =>
  makeApp({
    [VERSION]: versionModule("v0"),
    "src/slow.ts": `
const until = Date.now() + ${SLOW_MS};
while (Date.now() < until);
export const slow: string = ["slow"].join();
`,
    "src/server.ts": `
import http from "node:http";
import { slow } from "./slow.ts";
import { version } from "./version.ts";
http.createServer((_request, response) => response.end([version, slow].join())).listen(3000);
`,
  });

/** Starts, and waits until there are so many standbys. */
async function standing(workers: number, standbys: number): Promise<Session> {
  const session = await startSession(app(), {
    workers,
    args: ["--standby", String(standbys)],
  });
  const { cli } = session;
  await cli.waitFor(
    `${standbys} standbys that are ready`,
    () => linesOf(cli, "standby", "ready").length >= standbys,
  );
  return session;
}

/** As `ps` shows it: `T` is stopped (proc_pid_stat(5)). */
function stateOf(pid: unknown): string | undefined {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2)[0];
}

/** A reload that can use no standby that there is. */
async function reloadAll(cli: Cli): Promise<number> {
  const from = cli.lines.length;
  cli.signal("SIGHUP");
  await reloaded(cli, "done", from);
  return from;
}

/** The workers whose processes came about so, in this order. */
function workersOf(cli: Cli, what: string, from: number): unknown[] {
  return linesOf(cli, "process", what, from).map(({ worker }) => worker);
}

/** How many standbys were ready whenever one had just been activated. */
function leftWhenActivated(cli: Cli, from: number): number[] {
  const ready = new Set<unknown>();
  const left: number[] = [];
  for (const { event, what, pid } of cli.lines.slice(from)) {
    if (event === "standby" && what === "ready") ready.add(pid);
    if (event === "standby" && what === "discarded") ready.delete(pid);
    if (event !== "process" || what !== "activated") continue;
    ready.delete(pid);
    left.push(ready.size);
  }
  return left;
}

test.each([1, 3])(
  "--standby %i: only the canary boots cold; whoever follows leaves a standby for the next save",
  async (standbys) => {
    const { cli } = await standing(3, standbys);
    const from = await reloadAll(cli);
    expect(workersOf(cli, "forked", from)).toEqual([0]);
    expect(workersOf(cli, "activated", from)).toEqual([1, 2]);
    const left = leftWhenActivated(cli, from);
    expect(left).toHaveLength(2);
    expect(Math.min(...left)).toBeGreaterThanOrEqual(1);
    // One more than asked for, while workers wait.
    const { most, mostPrepared } = countStandbys(cli);
    expect(most).toBeLessThanOrEqual(Math.max(standbys, 2));
    expect(mostPrepared).toBe(1);
  },
);

test("a save while workers wait has its standby, and goes to a worker that waits", async () => {
  const { app: files, cli, port } = await standing(3, 2);
  // From now on it's likely to change.
  let from = cli.lines.length;
  files.write(VERSION, versionModule("v1"));
  await reloaded(cli, "done", from);
  from = cli.lines.length;
  cli.signal("SIGHUP");
  await standbyEvent(cli, "ready", from);
  // The next one takes its time.
  const saved = cli.lines.length;
  files.write(VERSION, versionModule("v2"));
  await cli.waitFor(
    "the canary",
    ({ event, what }) => event === "process" && what === "ready",
    { from: saved },
  );
  expect((await get(port)).text).toBe("v2,slow");
  const [canary] = linesOf(cli, "process", "ready", saved);
  expect(canary).toMatchObject({ worker: 1, isStandby: true });
  await reloaded(cli, "superseded", from);
  await reloaded(cli, "done", saved);
  expect(workersOf(cli, "forked", from)).toEqual([0]);
  expect(workersOf(cli, "activated", saved).toSorted()).toEqual([0, 1, 2]);
});

test.runIf(process.platform === "linux")(
  "a standby that is being made takes no time from a save, and goes on afterwards",
  async () => {
    const { app: files, cli } = await standing(2, 2);
    let from = cli.lines.length;
    files.write(VERSION, versionModule("v1"));
    await reloaded(cli, "done", from);
    from = cli.lines.length;
    cli.signal("SIGHUP");
    await standbyEvent(cli, "ready", from);
    // Two of them would end the wait: this one is in the middle of its work.
    const { pid } = await standbyEvent(
      cli,
      "forked",
      cli.lines.findLastIndex(({ what }) => what === "ready"),
    );
    from = cli.lines.length;
    files.write(
      VERSION,
      `const until = Date.now() + ${SLOW_MS};\nwhile (Date.now() < until);\n${versionModule("v2")}`,
    );
    await vi.waitFor(() => expect(stateOf(pid)).toBe("T"), { timeout: 10_000 });
    expect(linesOf(cli, "process", "ready", from)).toEqual([]);
    await standbyEvent(cli, "ready", from, (line) => line["pid"] === pid);
    await reloaded(cli, "done", from);
  },
);

test("where no standbys can be had the roll goes on without", async () => {
  const { cli } = await standing(3, 2);
  const from = cli.lines.length;
  cli.signal("SIGHUP");
  const { pid } = await standbyEvent(cli, "forked", from);
  // It comes to nothing, and nobody is to blame for it.
  process.kill(pid as number, "SIGKILL");
  await reloaded(cli, "done", from);
  expect(workersOf(cli, "ready", from)).toEqual([0, 1, 2]);
  expect(workersOf(cli, "forked", from)).toContain(1);
  expect(linesOf(cli, "standby", "barred", from)).toEqual([]);
});

test.each([
  { name: "--standby 0", args: ["--standby", "0"] },
  {
    name: "--consistency available",
    args: ["--standby", "2", "--consistency", "available"],
  },
  { name: "--no-front", args: ["--standby", "2", "--no-front"] },
])(
  "$name: nobody waits, since old processes are asked as well or none could come",
  async ({ args }) => {
    const { cli } = await startSession(app(), { workers: 3, args });
    const from = await reloadAll(cli);
    expect(workersOf(cli, "forked", from)).toEqual([0, 1, 2]);
  },
);
