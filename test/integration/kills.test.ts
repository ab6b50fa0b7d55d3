/**
 * SIGKILL and SIGSTOP, of every process that takes part in a roll and of the master, at every state: in the end all workers run the newest
 * code, each was started once, and nothing is left behind.
 */
import fs from "node:fs";
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import type { LogLine } from "./helpers/log.js";
import { caller, CONTROLLABLE, libraryRunner } from "./helpers/library.js";
import type { Called } from "./helpers/library.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import type { Session } from "./helpers/session.js";

const SIGNALS = ["SIGKILL", "SIGSTOP"] as const;

/** An app that takes a moment to start, with an answer that takes as long as it's asked to. */
const slowApp = (): TestApp =>
  makeApp({
    "src/version.ts": versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { version } from "./version.ts";
const server = http.createServer((request, response) => {
  const { searchParams, pathname } = new URL(request.url ?? "/", "http://app");
  if (pathname === "/block") for (;;);
  setTimeout(() => response.end(version), Number(searchParams.get("ms") ?? 0));
});
setTimeout(() => server.listen(3000), 300);
`,
  });

interface Killable extends Session {
  readonly call: (code: string) => Promise<Called>;
}

async function start(standbys = 0): Promise<Killable> {
  const app = slowApp();
  app.write(
    "run.mjs",
    libraryRunner(
      `{ port: 0, workers: 2, standbys: ${standbys}, bootTimeoutMs: 4_000, drainTimeoutMs: 2_000, stopTimeoutMs: 300, hangTimeoutMs: 600, replaceHung: true, control: true, pidFile: "server.pid" }`,
    ) + CONTROLLABLE,
  );
  const session = await startSession(app, { script: app.path("run.mjs") });
  return { ...session, call: await caller(session.cli) };
}

/** The next line about a process. */
function said(
  { cli }: Session,
  from: number,
  what: string,
  fits: (line: LogLine) => boolean = () => true,
): Promise<LogLine> {
  return cli.waitFor(
    `a process: ${what}`,
    (line) =>
      line["event"] === "process" && line["what"] === what && fits(line),
    { from },
  );
}

const pidOf = (line: LogLine): number => line["pid"] as number;
const isNew = (line: LogLine): boolean => line["generation"] === 2;

/** Who is killed when. Each waits for its moment in the roll to generation 2, and says whom. */
const victims: Readonly<
  Record<
    string,
    (session: Session, from: number, old: readonly number[]) => Promise<number>
  >
> = {
  "the old process beside the canary, while that boots": async (
    session,
    from,
    old,
  ) =>
    old[(await said(session, from, "forked", isNew))["worker"] as number] ?? 0,
  "the other worker's old process, while the canary boots": async (
    session,
    from,
    old,
  ) =>
    old[
      1 - ((await said(session, from, "forked", isNew))["worker"] as number)
    ] ?? 0,
  "the canary while it boots": async (session, from) =>
    pidOf(await said(session, from, "forked", isNew)),
  "the canary as soon as it is ready": async (session, from) =>
    pidOf(await said(session, from, "ready", isNew)),
  "the old process while it drains": async (session, from) =>
    pidOf(await said(session, from, "draining")),
  "the follower while it boots": async (session, from) => {
    const first = await said(session, from, "ready", isNew);
    const { cli } = session;
    const behind = cli.lines.indexOf(first);
    return pidOf(await said(session, behind, "forked", isNew));
  },
};

/** Every process that was started became ready, or failed, or was given up; and no worker ever has two that boot. */
function expectEachStartedOnce(lines: readonly LogLine[]): void {
  const booting = new Map<unknown, unknown>();
  for (const line of lines.filter(({ event }) => event === "process")) {
    const { what, worker, pid } = line;
    if (what === "forked" || what === "activated") {
      // What is superseded or abandoned is killed without a word, before the next one is forked.
      booting.set(worker, pid);
    } else if (what === "ready" || what === "boot-failed") {
      expect(
        booting.get(worker),
        `what boots in worker ${String(worker)}`,
      ).toBe(pid);
      booting.delete(worker);
    }
  }
}

describeEach(victims, (name, victim) => {
  test.each(SIGNALS)(`${name}: %s`, async (signal) => {
    const session = await start();
    const { app, cli, port, workerPorts, call } = session;
    const { value } = await call(
      `return server.status().workers.map(({ pid }) => pid)`,
    );
    const old = value as number[];
    // Something in hand, so that the drain takes its time.
    const slow = (name.includes("drains") ? workerPorts : []).map((each) =>
      get(each, "/?ms=1800").catch(() => undefined),
    );
    await get(port, "/?ms=50");
    const from = cli.lines.length;
    app.write("src/version.ts", versionModule("v1"));
    const pid = await victim(session, from, old);
    expect(pid).toBeGreaterThan(1);
    process.kill(pid, signal);
    await reloaded(cli, "any", from);
    await Promise.all(slow);

    // Whether that roll went through or not: the next one does.
    const next = cli.lines.length;
    app.write("src/version.ts", versionModule("v2"));
    await reloaded(cli, "done", next);
    for (const each of [port, ...workerPorts])
      expect((await get(each)).text).toBe("v2");
    expectEachStartedOnce(cli.lines);
    const states = await call(
      `return server.status().workers.map(({ state }) => state)`,
    );
    expect(states.value).toEqual(["ready", "ready"]);
    // The victim doesn't stay, stopped or not.
    await expect
      .poll(() => cli.alive().some((each) => each.pid === pid), {
        timeout: 5_000,
      })
      .toBe(false);
  });
});

/** When the master is killed. */
const moments: Readonly<Record<string, (session: Killable) => Promise<void>>> =
  {
    "while it serves": () => Promise.resolve(),
    "while the canary boots": async ({ app, cli, ...rest }) => {
      const from = cli.lines.length;
      app.write("src/version.ts", versionModule("v1"));
      await said({ app, cli, ...rest }, from, "forked", isNew);
    },
    "while a follower boots": async (session) => {
      const from = session.cli.lines.length;
      session.app.write("src/version.ts", versionModule("v1"));
      const first = await said(session, from, "ready", isNew);
      // There are standbys here: it's given one.
      const behind = session.cli.lines.indexOf(first);
      await said(session, behind, "activated", isNew);
    },
    "while an old process drains": async (session) => {
      const { app, cli, workerPorts } = session;
      for (const each of workerPorts)
        get(each, "/?ms=5000").catch(() => undefined);
      await get(session.port, "/?ms=50");
      const from = cli.lines.length;
      app.write("src/version.ts", versionModule("v1"));
      await said(session, from, "draining");
    },
    "while workers are added": async (session) => {
      const from = session.cli.lines.length;
      session.call("return await server.scale(4)").catch(() => undefined);
      await said(session, from, "forked", ({ worker }) => worker === 2);
    },
    "while a worker leaves": async (session) => {
      const from = session.cli.lines.length;
      session.call("return await server.scale(1)").catch(() => undefined);
      await said(session, from, "draining");
    },
    "while it stops": async (session) => {
      const { cli, workerPorts } = session;
      for (const each of workerPorts)
        get(each, "/?ms=5000").catch(() => undefined);
      await get(session.port, "/?ms=50");
      const from = cli.lines.length;
      cli.signal("SIGTERM");
      await said(session, from, "draining");
    },
  };

describeEach(moments, (name, moment) => {
  test(`the master ${name}: SIGKILL leaves nothing`, async () => {
    const session = await start(1);
    const { app, cli } = session;
    await moment(session);
    cli.signal("SIGKILL");
    await cli.exited;
    await cli.untilGone(3_000);
    expect(app.leftovers()).toEqual([]);
    expect(fs.existsSync(app.path("server.pid"))).toBe(false);
  });

  test(`the master ${name}: SIGSTOP and SIGCONT change nothing`, async () => {
    const session = await start(1);
    const { app, cli, port, call } = session;
    await moment(session);
    cli.signal("SIGSTOP");
    // Longer than any deadline of the run: none of them may be taken for passed.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    cli.signal("SIGCONT");
    if (name === "while it stops") {
      expect(await cli.exited).toEqual({ code: 0, signal: null });
      return;
    }
    const from = cli.lines.length;
    app.write("src/version.ts", versionModule("v9"));
    await cli.waitFor(
      "the roll to the newest version",
      ({ event, outcome }) => event === "reload" && outcome === "done",
      { from },
    );
    expect((await get(port)).text).toBe("v9");
    const { value } = await call(
      `return server.status().workers.map(({ state, restarts }) => [state, restarts])`,
    );
    expect(new Set((value as unknown[]).map(String))).toEqual(
      new Set(["ready,0"]),
    );
  });
});

test("the master, while a worker's event loop is blocked for ever: SIGKILL leaves nothing", async () => {
  const session = await start(0);
  const { app, cli, workerPorts } = session;
  const [port = 0] = workerPorts;
  const blocked = get(port, "/block").catch(() => undefined);
  await said(session, 0, "hung");
  cli.signal("SIGKILL");
  await cli.exited;
  await cli.untilGone(3_000);
  await blocked;
  expect(app.leftovers()).toEqual([]);
});

function describeEach<Value>(
  table: Readonly<Record<string, Value>>,
  define: (name: string, value: Value) => void,
): void {
  for (const [name, value] of Object.entries(table)) define(name, value);
}
