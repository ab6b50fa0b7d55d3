/** What becomes of standbys: used, discarded, replaced. The code that is served is right in any case. */
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import type { Cli } from "./helpers/cli.js";
import type { LogLine } from "./helpers/log.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import type { Session } from "./helpers/session.js";
import { linesOf, standbyEvent } from "./helpers/standbys.js";

const VERSION = "src/version.ts";

const app = (files: Readonly<Record<string, string>> = {}): TestApp =>
  makeApp({
    [VERSION]: versionModule("v0"),
    "src/first.ts": `export const first: string = ["first 0"].join();\n`,
    "src/other.ts": `export const other: string = ["other 0"].join();\n`,
    "src/server.ts": `
import http from "node:http";
import { first } from "./first.ts";
import { other } from "./other.ts";
import { version } from "./version.ts";
http
  .createServer((_request, response) => response.end([version, first, other, process.env.GREETING].join(", ")))
  .listen(3000);
`,
    ...files,
  });

interface Standing {
  readonly session: Session;
  /** Their `ready` lines, the deep one first. */
  readonly standbys: readonly LogLine[];
}

/** Starts one worker, with standbys that stand by before `version.ts`. */
async function standing(project: TestApp, count: number): Promise<Standing> {
  const session = await startSession(project, {
    workers: 1,
    args: ["--standby", String(count)],
  });
  const { cli } = session;
  await standbysReady(cli, count, 0);
  const from = cli.lines.length;
  project.write(VERSION, versionModule("v1"));
  await reloaded(cli, "done", from);
  const deep = await standbyEvent(cli, "ready", from, isDeep);
  if (count === 1) return { session, standbys: [deep] };
  const isShallow = (line: LogLine): boolean => !isDeep(line);
  const shallow = await standbyEvent(cli, "ready", from, isShallow);
  return { session, standbys: [deep, shallow] };
}

function isDeep(line: LogLine): boolean {
  return line["depth"] === "deep";
}

async function standbysReady(
  cli: Cli,
  count: number,
  from: number,
): Promise<void> {
  await cli.waitFor(
    `${count} standbys that are ready`,
    () => linesOf(cli, "standby", "ready", from).length >= count,
  );
}

/** Saves, and waits until it's live. */
async function save(
  { app: files, cli }: Session,
  file: string,
  text: string,
): Promise<LogLine> {
  const from = cli.lines.length;
  files.write(file, text);
  return await reloaded(cli, "done", from);
}

function activatedPids(cli: Cli, from: number): unknown[] {
  return linesOf(cli, "process", "activated", from).map(({ pid }) => pid);
}

test("the next save is served by the standby", async () => {
  const { session, standbys } = await standing(app(), 1);
  const { cli, port } = session;
  expect(standbys[0]).toMatchObject({
    evaluated: 2,
    stoppedBy: session.app.path("src/server.ts"),
  });
  const from = cli.lines.length;
  const reload = await save(session, VERSION, versionModule("v2"));
  expect(reload).toMatchObject({ isStandby: true });
  expect(activatedPids(cli, from)).toEqual([standbys[0]?.["pid"]]);
  expect(linesOf(cli, "process", "ready", from)).toMatchObject([
    { pid: standbys[0]?.["pid"], isStandby: true },
  ]);
  expect((await get(port)).text).toBe("v2, first 0, other 0, ");
});

test("a surprise: the standby that had evaluated the file is discarded, a shallower one is used", async () => {
  const { session, standbys } = await standing(app(), 2);
  const { cli, port } = session;
  const [deep, shallow] = standbys;
  const from = cli.lines.length;
  const text = `export const first: string = ["first 1"].join();\n`;
  await save(session, "src/first.ts", text);
  expect(
    await standbyEvent(
      cli,
      "discarded",
      from,
      ({ pid }) => pid === deep?.["pid"],
    ),
  ).toMatchObject({
    reason: `it had evaluated ${session.app.path("src/first.ts")}`,
  });
  expect(activatedPids(cli, from)).toEqual([shallow?.["pid"]]);
  expect((await get(port)).text).toBe("v1, first 1, other 0, ");
});

test("a surprise without a shallower one boots cold", async () => {
  const { session, standbys } = await standing(app(), 1);
  const { cli, port } = session;
  const from = cli.lines.length;
  const text = `export const first: string = ["first 1"].join();\n`;
  const reload = await save(session, "src/first.ts", text);
  expect(reload).toMatchObject({ isStandby: false });
  expect(linesOf(cli, "standby", "discarded", from)).toMatchObject([
    { pid: standbys[0]?.["pid"] },
  ]);
  expect((await get(port)).text).toBe("v1, first 1, other 0, ");
});

test("a forced reload discards all standbys", async () => {
  const { session, standbys } = await standing(app(), 1);
  const { cli } = session;
  const from = cli.lines.length;
  cli.signal("SIGHUP");
  expect(await reloaded(cli, "done", from)).toMatchObject({ isStandby: false });
  expect(linesOf(cli, "standby", "discarded", from)).toMatchObject([
    { pid: standbys[0]?.["pid"], reason: "everything is reloaded" },
  ]);
  expect(activatedPids(cli, from)).toEqual([]);
});

test("broken code: a standby fails once, the last good code serves on, mending it is served by a standby again", async () => {
  const { session } = await standing(app(), 1);
  const { app: files, cli, port } = session;
  const from = cli.lines.length;
  files.write(
    VERSION,
    `throw new Error("broken on purpose");\nexport const version = "";\n`,
  );
  const failed = await reloaded(cli, "any", from);
  expect(failed).toMatchObject({
    outcome: "failed",
    phase: "boot",
    diagnostics: [
      {
        message: "Error: broken on purpose",
        file: files.path(VERSION),
        line: 1,
      },
    ],
  });
  expect(activatedPids(cli, from)).toHaveLength(1);
  expect(linesOf(cli, "process", "forked", from)).toEqual([]);
  expect((await get(port)).text).toBe("v1, first 0, other 0, ");
  await standbyEvent(cli, "ready", from);
  const mended = await save(session, VERSION, versionModule("v2"));
  expect(mended).toMatchObject({ isStandby: true });
  expect((await get(port)).text).toBe("v2, first 0, other 0, ");
  expect(cli.stderr()).toBe("");
});

test("a standby that is killed from outside is replaced, and not used", async () => {
  const { session, standbys } = await standing(app(), 1);
  const { cli, port } = session;
  const killed = new Set<unknown>();
  const start = cli.lines.length;
  let pid = standbys[0]?.["pid"] as number;
  for (let round = 0; round < 3; round++) {
    const from = cli.lines.length;
    killed.add(pid);
    process.kill(pid, "SIGKILL");
    await standbyEvent(cli, "discarded", from);
    pid = (await standbyEvent(cli, "ready", from))["pid"] as number;
  }
  expect(linesOf(cli, "standby", "forked", start)).toHaveLength(3);
  expect(linesOf(cli, "standby", "barred", start)).toEqual([]);
  const from = cli.lines.length;
  await save(session, VERSION, versionModule("v2"));
  expect(activatedPids(cli, from)).toEqual([pid]);
  expect(killed.has(pid)).toBe(false);
  expect((await get(port)).text).toBe("v2, first 0, other 0, ");
});

test("--standby 0 forks none", async () => {
  const session = await startSession(app(), {
    workers: 1,
    args: ["--standby", "0"],
  });
  const reload = await save(session, VERSION, versionModule("v1"));
  expect(reload).toMatchObject({ isStandby: false });
  await save(session, VERSION, versionModule("v2"));
  expect(linesOf(session.cli, "standby")).toEqual([]);
});
