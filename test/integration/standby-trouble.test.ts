/** Code that can't be evaluated ahead, or behaves differently then: nobody sees anything of it, and it isn't tried again and again. */
import { once } from "node:events";
import net from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { libraryRunner } from "./helpers/library.js";
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
const TROUBLE = "src/trouble.ts";

/** True in a process that stands by. Named in plain text, the variable alone would keep the source from being evaluated ahead. */
const IS_AHEAD = `process.env[["PREFORK", "WORKER"].join("_")] === undefined`;

function app(trouble: string): TestApp {
  return makeApp({
    "run.mjs": libraryRunner(`{ workers: 1, standbys: 1, port: 0 }`),
    "src/fine.ts": `export const fine: string = ["fine"].join();\n`,
    [TROUBLE]: trouble,
    [VERSION]: versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { fine } from "./fine.ts";
import "./trouble.ts";
import { version } from "./version.ts";
http.createServer((_request, response) => response.end(version + " " + fine)).listen(3000);
`,
  });
}

async function start(project: TestApp): Promise<Session> {
  return await startSession(project, { script: project.path("run.mjs") });
}

/** `status()` now. */
async function statusOf({ cli }: Session): Promise<LogLine> {
  const from = cli.lines.length;
  cli.signal("SIGUSR2");
  const isStatus = (line: LogLine): boolean => line["event"] === "status";
  const line = await cli.waitFor("the status", isStatus, { from });
  return line["status"] as LogLine;
}

/** Saves the version, and waits for the standby behind it. */
async function saveVersion(
  session: Session,
  version: string,
): Promise<LogLine> {
  const { app: files, cli, port } = session;
  const from = cli.lines.length;
  files.write(VERSION, versionModule(version));
  const reload = await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe(`${version} fine`);
  await standbyEvent(cli, "ready", from);
  return reload;
}

/** Counts connections, and ends them. */
interface Peer {
  readonly port: number;
  count(): number;
  /** Resolves when there were so many. */
  connections(count: number): Promise<void>;
}

async function startPeer(): Promise<Peer> {
  let seen = 0;
  const server = net.createServer((socket) => {
    seen++;
    socket.on("error", () => undefined).destroy();
    server.emit("seen");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return {
    port: (server.address() as net.AddressInfo).port,
    count: () => seen,
    async connections(count) {
      while (seen < count) await once(server, "seen");
    },
  };
}

const TROUBLES: Readonly<Record<string, readonly [string, RegExp]>> = {
  throws: [
    `if (${IS_AHEAD}) throw new Error("not ahead");`,
    /^throws: Error: not ahead$/,
  ],
  exits: [`if (${IS_AHEAD}) process.exit(3);`, /^calls process\.exit\(\)$/],
  "ends itself by a signal": [
    `if (${IS_AHEAD}) process.kill(process.pid);`,
    /^was killed by SIGTERM$/,
  ],
  listens: [
    `import net from "node:net";\nnet.createServer().listen(0, "127.0.0.1").unref();`,
    /^calls listen\(\)$/,
  ],
  "opens a connection to a Unix socket": [
    `import net from "node:net";\nnet.connect(process.cwd() + "/none").on("error", () => undefined);`,
    /^opens a connection to a Unix socket$/,
  ],
  "starts a process": [
    `import { spawn } from "node:child_process";\nspawn(process.execPath, ["--version"]);`,
    /^starts a process$/,
  ],
  "starts a thread": [
    `import { Worker } from "node:worker_threads";\nnew Worker("1", { eval: true });`,
    /^starts a thread$/,
  ],
  "has a top-level await": [
    `await null;\nexport {};`,
    /^has a top-level await$/,
  ],
};

describe("a source that, evaluated ahead,", () => {
  test.each(Object.entries(TROUBLES))("%s", async (_, [code, reason]) => {
    const project = app(`${code}\n`);
    const session = await start(project);
    const { cli, port } = session;
    expect(await standbyEvent(cli, "barred")).toMatchObject({
      path: project.path(TROUBLE),
      reason: expect.stringMatching(reason) as string,
    });
    expect(await standbyEvent(cli, "ready")).toMatchObject({
      stoppedBy: project.path(TROUBLE),
    });
    expect(await statusOf(session)).toMatchObject({
      notAhead: [
        {
          path: project.path(TROUBLE),
          reason: expect.stringMatching(reason) as string,
        },
      ],
    });
    expect((await get(port)).text).toBe("v0 fine");
    await saveVersion(session, "v1");
    const reload = await saveVersion(session, "v2");
    expect(reload).toMatchObject({ isStandby: true });
    // One that came to nothing, and one for each time that one was wanted.
    expect(linesOf(cli, "standby", "forked").length).toBeLessThanOrEqual(4);
    expect(linesOf(cli, "standby", "barred")).toHaveLength(1);

    // A new version gets a new chance.
    const from = cli.lines.length;
    project.write(TROUBLE, "");
    await reloaded(cli, "done", from);
    expect(await statusOf(session)).toMatchObject({ notAhead: [] });
    expect((await get(port)).text).toBe("v2 fine");
    expect(linesOf(cli, "output")).toEqual([]);
    expect(cli.stderr()).toBe("");
  });

  test("hangs: it is given up after a while, and barred", async () => {
    const project = app(`if (${IS_AHEAD}) for (;;);\n`);
    const { cli, port } = await start(project);
    expect(await standbyEvent(cli, "barred")).toMatchObject({
      path: project.path(TROUBLE),
      reason: "takes longer than 10000 ms",
    });
    await standbyEvent(cli, "ready");
    expect(linesOf(cli, "standby", "forked")).toHaveLength(2);
    expect((await get(port)).text).toBe("v0 fine");
  });

  test.each([
    `net.connect(PORT, "127.0.0.1").on("error", () => undefined);`,
    `net.connect(PORT, "localhost").on("error", () => undefined);`,
    `http.get("http://127.0.0.1:PORT/").on("error", () => undefined);`,
    `fetch("http://127.0.0.1:PORT/").catch(() => undefined);`,
  ])(
    "opens a connection: that happens when it is a worker's: %s",
    async (code) => {
      const peer = await startPeer();
      const imports = `import http from "node:http";\nimport net from "node:net";\n`;
      const project = app(
        `${imports}void [http, net];\n${code.replace("PORT", String(peer.port))}\n`,
      );
      const session = await start(project);
      const { cli } = session;
      expect(await standbyEvent(cli, "ready")).toMatchObject({ evaluated: 3 });
      await saveVersion(session, "v1");
      await peer.connections(2);
      // Of two cold boots; two standbys have evaluated it meanwhile.
      expect(peer.count()).toBe(2);
      expect(await saveVersion(session, "v2")).toMatchObject({
        isStandby: true,
      });
      await peer.connections(3);
      expect(peer.count()).toBe(3);
    },
  );

  test("reads which worker it is: it is never evaluated ahead", async () => {
    const project = app(`export const worker = process.env.PREFORK_WORKER;\n`);
    const session = await start(project);
    const { cli } = session;
    expect(await standbyEvent(cli, "ready")).toMatchObject({
      evaluated: 1,
      stoppedBy: project.path(TROUBLE),
    });
    await saveVersion(session, "v1");
    expect(await saveVersion(session, "v2")).toMatchObject({ isStandby: true });
    expect(linesOf(cli, "standby", "barred")).toEqual([]);
  });

  test("prints: its lines are shown once, when the process is a worker's", async () => {
    const lines = [0, 1, 2].map((n) => `console.log("line ${n}");`);
    const project = app(`${lines.join("\n")}\nconsole.error("and one");\n`);
    const session = await start(project);
    const { cli } = session;
    await standbyEvent(cli, "ready");
    await saveVersion(session, "v1");
    const shown = cli.lines.length;
    const from = shown;
    // Two standbys have evaluated it by now, one of them in vain; two cold boots have.
    expect(linesOf(cli, "output")).toHaveLength(8);
    await saveVersion(session, "v2");
    const { pid } = linesOf(cli, "process", "activated", from)[0] ?? {};
    const printed = linesOf(cli, "output", undefined, from);
    expect(printed.map((line) => line["line"]).sort()).toEqual([
      "and one",
      "line 0",
      "line 1",
      "line 2",
    ]);
    for (const line of printed) expect(line).toMatchObject({ pid, worker: 0 });
  });
});
