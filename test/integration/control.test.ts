/** A running server, asked and told from outside: sub-commands, the control socket itself, signals, the pid file. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { copyFixture, makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { startCli } from "./helpers/cli.js";
import { startLoad } from "./helpers/load.js";
import { runCommand } from "./helpers/run-command.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

async function json(app: TestApp, ...args: string[]): Promise<unknown> {
  return JSON.parse(
    (await runCommand(app, ...args, "--json")).stdout,
  ) as unknown;
}

const app = (): TestApp =>
  makeApp({
    "src/version.ts": versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { version } from "./version.ts";
http.createServer((_request, response) => response.end(version)).listen(3000);
`,
  });

test("status, scale, reload and stop from another terminal, under load", async () => {
  const session = await startSession(copyFixture("express-app"), {
    target: ".",
    workers: 2,
  });
  const { app, cli, port } = session;
  const load = startLoad({ targets: [{ name: "front", port }] });
  await get(port, "/version");
  const status = await json(app, "status");
  expect(status).toMatchObject({
    pid: cli.pid,
    url: `http://127.0.0.1:${port}`,
    generation: 1,
    workers: [
      { index: 0, state: "ready", generation: 1 },
      { index: 1, state: "ready", generation: 1 },
    ],
    lastRoll: { outcome: "done", generation: 1 },
  });
  const { stdout } = await runCommand(app, "status");
  expect(stdout).toContain(String(cli.pid));
  expect(stdout).toContain(`127.0.0.1:${port}`);

  expect(await runCommand(app, "scale", "4")).toMatchObject({ code: 0 });
  expect((await json(app, "status")) as object).toMatchObject({
    workers: [{}, {}, {}, { index: 3, state: "ready" }],
  });
  expect(await runCommand(app, "scale", "-2")).toMatchObject({ code: 0 });
  expect(await json(app, "reload")).toMatchObject({
    ok: true,
    outcome: "done",
    generation: 2,
  });
  const { lost } = await load.stop();
  expect(lost).toEqual([]);
  expect(await runCommand(app, "stop")).toMatchObject({ code: 0 });
  expect(await cli.exited).toEqual({ code: 0, signal: null });
  const none = await runCommand(app, "status");
  expect(none.code).toBe(1);
  expect(none.stderr).toContain("prefork-dev");
});

test("a reload that fails exits with 1 and says why; the old code serves on", async () => {
  const { app: made, port } = await startSession(app(), {
    args: ["--no-watch"],
  });
  made.write("src/version.ts", "export const version = ;\n");
  const failed = await runCommand(made, "reload");
  expect(failed.code).toBe(1);
  expect(failed.stdout + failed.stderr).toContain("src/version.ts:1:24");
  expect((await get(port)).text).toBe("v0");
  made.write("src/version.ts", versionModule("v1"));
  expect((await runCommand(made, "reload")).code).toBe(0);
  expect((await get(port)).text).toBe("v1");
});

test("events are streamed as they happen", async () => {
  const { app: made, cli } = await startSession(app(), { workers: 1 });
  const [directory = ""] = fs
    .readdirSync(made.temporary)
    .filter((name) => !/-\d+-/.test(name));
  const sockets = path.join(made.temporary, directory);
  const [socket = ""] = fs
    .readdirSync(sockets)
    .filter((name) => name.endsWith(".sock"));
  const file = path.join(sockets, socket);
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  const curl = spawn(
    "curl",
    ["-sN", "--unix-socket", file, "http://localhost/events"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  let seen = "";
  const rolled = new Promise<void>((resolve) =>
    curl.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes('"type":"reload"')) resolve();
    }),
  );
  const closed = new Promise((resolve) => curl.once("close", resolve));
  made.write("src/version.ts", versionModule("v1"));
  await reloaded(cli, "done", 4);
  await rolled;
  const types = seen
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types).toContain("process");
  await cli.stop();
  await closed;
});

test("signals change the number of workers and reload, with --no-watch", async () => {
  const session = await startSession(app(), {
    workers: 1,
    args: ["--no-watch"],
  });
  const { app: made, cli, port } = session;
  const from = cli.lines.length;
  cli.signal("SIGTTIN");
  await cli.waitFor(
    "a second worker",
    ({ what, worker }) => what === "ready" && worker === 1,
    { from },
  );
  cli.signal("SIGTTOU");
  await cli.waitFor("its end", ({ what }) => what === "unregistered", { from });
  made.write("src/version.ts", versionModule("v1"));
  expect((await get(port)).text).toBe("v0");
  for (const [signal, version] of [
    ["SIGUSR2", "v1"],
    ["SIGHUP", "v2"],
  ] as const) {
    made.write("src/version.ts", versionModule(version));
    const behind = cli.lines.length;
    cli.signal(signal);
    await reloaded(cli, "done", behind);
    expect((await get(port)).text).toBe(version);
  }
});

test("the pid file has exactly the given name, keeps a second server out, and goes with the first", async () => {
  const made = app();
  const { cli } = await startSession(made, { args: ["--pid-file", "dev.pid"] });
  expect(fs.readFileSync(made.path("dev.pid"), "utf8")).toBe(`${cli.pid}\n`);
  const second = startCli({
    app: made,
    args: ["src/server.ts", "--port", "0", "--pid-file", "dev.pid"],
  });
  try {
    expect(await second.exited).toEqual({ code: 1, signal: null });
    const fatal = second.lines.find(({ event }) => event === "fatal");
    expect(fatal).toMatchObject({ code: "ERR_PREFORK_PID_FILE" });
    expect(fatal?.["message"]).toContain(String(cli.pid));
  } finally {
    await second.untilGone(2_000);
  }
  expect(fs.readFileSync(made.path("dev.pid"), "utf8")).toBe(`${cli.pid}\n`);
  await cli.stop();
  expect(fs.existsSync(made.path("dev.pid"))).toBe(false);
});

test("the same project may run twice: the sub-commands are for the first, and a warning says so", async () => {
  const made = app();
  const { cli } = await startSession(made, { workers: 1 });
  const second = startCli({
    app: made,
    args: ["src/server.ts", "--port", "0", "--workers", "1"],
  });
  try {
    const warning = await second.waitFor(
      "the warning",
      ({ event }) => event === "warning",
    );
    expect(warning["message"]).toContain(String(cli.pid));
    await reloaded(second, "done");
    expect(await json(made, "status")).toMatchObject({ pid: cli.pid });
  } finally {
    await second.stop();
    await second.untilGone(2_000);
  }
  expect(await json(made, "status")).toMatchObject({ pid: cli.pid });
});
