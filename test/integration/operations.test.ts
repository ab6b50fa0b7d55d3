/** What operators rely on: log files that are rotated, the service manager's messages, commands from the shell, staggered starts. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { expect, onTestFinished, test, vi } from "vitest";
import { notifyReceiver } from "../unit/notify-receiver.js";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { caller, CONTROLLABLE, libraryRunner } from "./helpers/library.js";
import { runCommand } from "./helpers/run-command.js";
import type { Ran } from "./helpers/run-command.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const chatty = (): TestApp =>
  makeApp({
    "src/version.ts": versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { version } from "./version.ts";
let count = 0;
http
  .createServer((request, response) => {
    console.log("request " + request.url);
    console.error("count " + ++count);
    response.end(version);
  })
  .listen(3000);
`,
  });

test("the workers' output goes to a file, and after a rotation to a new one; no line is lost", async () => {
  const app = chatty();
  app.write(
    "run.mjs",
    libraryRunner(`{ port: 0, workers: 2, standbys: 0, output: "app.log" }`) +
      CONTROLLABLE,
  );
  const { cli, port } = await startSession(app, {
    script: app.path("run.mjs"),
  });
  const call = await caller(cli);
  const requests = (from: number, to: number): Promise<unknown[]> =>
    Promise.all(
      Array.from({ length: to - from }, (_, index) =>
        get(port, `/${from + index}`),
      ),
    );
  await requests(0, 20);
  fs.renameSync(app.path("app.log"), app.path("app.log.1"));
  await requests(20, 40);
  await call("await server.reopenLogs()");
  await requests(40, 60);
  await cli.stop();
  const lines = ["app.log.1", "app.log"].map((file) =>
    fs.readFileSync(app.path(file), "utf8").trim().split("\n"),
  );
  const paths = lines.map((each) =>
    each.flatMap((line) => /^\[[01]\] request \/(\d+)$/.exec(line)?.[1] ?? []),
  );
  expect(
    paths
      .flat()
      .map(Number)
      .sort((a, b) => a - b),
  ).toEqual(Array.from({ length: 60 }, (_, index) => index));
  expect(paths[1]).toEqual(expect.arrayContaining(["40", "59"]));
  expect(paths[0]).not.toContain("40");
  for (const line of lines.flat())
    expect(line).toMatch(/^\[[01]\] (request \/\d+|count \d+)$/);
});

test("a service manager is told of readiness, reloads and the stop, and workers don't see its socket", async () => {
  const app = chatty();
  app.write(
    "src/version.ts",
    `export const version = String(process.env.NOTIFY_SOCKET ?? "none");\n`,
  );
  const socket = path.join(app.temporary, "notify");
  const receiver = spawn("python3", ["-c", notifyReceiver, socket], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void receiver.kill("SIGKILL"));
  const said: string[] = [];
  const bound = new Promise<void>((resolve) =>
    readline.createInterface({ input: receiver.stdout }).on("line", (line) => {
      if (line === "bound") resolve();
      else
        said.push(...(JSON.parse(line) as { variables: string[] }).variables);
    }),
  );
  await bound;
  const { cli, port } = await startSession(app, {
    workers: 1,
    args: ["--no-watch"],
    env: { NOTIFY_SOCKET: socket },
  });
  const untilSaid = (...expected: string[]): Promise<void> =>
    vi.waitFor(
      () =>
        expect(
          said.filter((each) => !each.startsWith("MONOTONIC_USEC=")),
        ).toEqual(expected),
      { timeout: 20_000 },
    );
  await untilSaid("READY=1");
  expect((await get(port)).text).toBe("none");
  const from = cli.lines.length;
  cli.signal("SIGHUP");
  await reloaded(cli, "done", from);
  await untilSaid("READY=1", "RELOADING=1", "READY=1");
  await cli.stop();
  await untilSaid("READY=1", "RELOADING=1", "READY=1", "STOPPING=1");
  fs.rmSync(socket, { force: true });
});

test("a command of the manifest's mixins from the shell: an outcome for each worker, and an exit code", async () => {
  const app = chatty();
  app.write(
    "prefork.config.ts",
    `import { defineProject } from "prefork-dev";
export default defineProject({ entry: "src/server.ts", mixins: ["greeter.ts"] });
`,
  );
  app.write(
    "greeter.ts",
    `export default (Base: any) => class extends Base {
  childGreet(who: string) { return { hello: who, from: this.index }; }
  childFail() { throw new Error("no way"); }
};
`,
  );
  await startSession(app, { target: ".", workers: 2 });
  const run = (...args: string[]): Promise<Ran> => runCommand(app, ...args);
  const greeted = await run("send", "greet", "you", "--json");
  expect(JSON.parse(greeted.stdout)).toMatchObject([
    { worker: 0, value: { hello: "you", from: 0 } },
    { worker: 1, value: { hello: "you", from: 1 } },
  ]);
  expect(greeted.code).toBe(0);
  const one = await run("send", "greet", "2", "--worker", "1", "--json");
  expect(JSON.parse(one.stdout)).toMatchObject([
    { worker: 1, value: { hello: 2 } },
  ]);
  const failed = await run("send", "fail");
  expect(failed.code).toBe(1);
  expect(failed.stdout + failed.stderr).toContain("no way");
  expect((await run("send", "nothing")).code).toBe(1);
});

test("slowStartMs: one worker's first start after the other, so far apart", async () => {
  const app = chatty();
  app.write(
    "run.mjs",
    libraryRunner(
      `{ port: 0, workers: 3, standbys: 0, slowStartMs: 400 }`,
    ).replace(
      "await server.start();",
      `const times = [];
server.on("process", ({ kind, worker }) => {
  if (kind === "forked") times.push([worker, performance.now()]);
});
process.on("SIGWINCH", () => say("times", { times }));
await server.start();`,
    ),
  );
  const { cli } = await startSession(app, { script: app.path("run.mjs") });
  cli.signal("SIGWINCH");
  const { times } = await cli.waitFor(
    "the times",
    ({ event }) => event === "times",
  );
  const starts = times as [number, number][];
  expect(starts.map(([worker]) => worker)).toEqual([0, 1, 2]);
  const gaps = starts
    .slice(1)
    .map(([, at], index) => at - (starts[index]?.[1] ?? 0));
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(395);
});
