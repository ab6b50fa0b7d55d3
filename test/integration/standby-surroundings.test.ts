/** What surrounds a program: environment, arguments, packages, entry. Standbys see it as a cold boot does, or are discarded. */
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import { linesOf, standbyEvent } from "./helpers/standbys.js";
import { saveAndAsk, startTwins } from "./helpers/twin.js";

const VERSION = "src/version.ts";

test.each([
  [
    "the env file",
    (each: TestApp): void => each.write(".env", "GREETING=hello\n"),
    "v1, hello",
  ],
  [
    "the packages",
    (each: TestApp): void => {
      each.write("package-lock.json", `{ "lockfileVersion": 3 }\n`);
    },
    "v1, ",
  ],
  [
    "the entry",
    (each: TestApp): void => {
      each.write(
        "prefork.config.ts",
        `export default { entry: "src/new.ts" };\n`,
      );
    },
    "new",
  ],
])("a change of %s discards all standbys", async (_what, change, answer) => {
  const project = makeApp({
    [VERSION]: versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { version } from "./version.ts";
http
  .createServer((_request, response) => response.end([version, process.env.GREETING].join(", ")))
  .listen(3000);
`,
    "prefork.config.ts": `export default { entry: "src/server.ts" };\n`,
    "package-lock.json": `{ "lockfileVersion": 2 }\n`,
    "src/new.ts": `
import http from "node:http";
http.createServer((_request, response) => response.end("new")).listen(3000);
`,
  });
  const session = await startSession(project, {
    target: ".",
    workers: 1,
    args: ["--standby", "2"],
  });
  const { cli, port } = session;
  await standbyEvent(cli, "ready");
  let from = cli.lines.length;
  project.write(VERSION, versionModule("v1"));
  await reloaded(cli, "done", from);
  await standbyEvent(cli, "ready", from);
  from = cli.lines.length;
  change(project);
  expect(await reloaded(cli, "done", from)).toMatchObject({ isStandby: false });
  expect(linesOf(cli, "process", "activated", from)).toEqual([]);
  expect(linesOf(cli, "standby", "discarded", from).length).toBeGreaterThan(0);
  expect((await get(port)).text).toBe(answer);
});

test("what is evaluated ahead sees arguments, directory and environment as in a cold boot", async () => {
  const project = makeApp({
    [VERSION]: versionModule("v0"),
    ".env": "GREETING=hello\n",
    "src/seen.ts": `
const { PORT, GREETING, NODE_ENV } = process.env;
export const seen = { argv: process.argv, cwd: process.cwd(), env: { PORT, GREETING, NODE_ENV }, title: process.title };
`,
    "src/server.ts": `
import http from "node:http";
import { seen } from "./seen.ts";
import { version } from "./version.ts";
const { PREFORK_WORKER, PREFORK_WORKER_PORT } = process.env;
http
  .createServer((request, response) => {
    response.end(JSON.stringify(request.url === "/" ? { version, seen } : { PREFORK_WORKER, PREFORK_WORKER_PORT }));
  })
  .listen(3000);
`,
  });
  const session = await startTwins(project, VERSION, versionModule("v1"));
  const { standby, cold } = await saveAndAsk(
    session,
    VERSION,
    versionModule("v2"),
  );
  expect(standby).toBe(cold);
  expect(JSON.parse(standby)).toMatchObject({
    seen: {
      argv: [process.execPath, project.path("src/server.ts")],
      cwd: project.directory,
      env: { PORT: String(session.port), GREETING: "hello" },
    },
  });
  for (let each = 0; each < 4; each++) {
    const { text, headers } = await get(session.port, "/worker");
    const worker = Number(headers["x-prefork-worker"]);
    expect(JSON.parse(text)).toEqual({
      PREFORK_WORKER: String(worker),
      PREFORK_WORKER_PORT: String(session.workerPorts[worker]),
    });
  }
});

test("what reads require.main isn't evaluated ahead of a CommonJS entry", async () => {
  const file = "src/main-reader.cjs";
  const project = makeApp({
    "src/version.cjs": `exports.version = "v0";\n`,
    [file]: `exports.seen = [require.main === undefined, require.main?.filename];\n`,
    "src/server.cjs": `
const http = require("node:http");
const { seen } = require("./main-reader.cjs");
const { version } = require("./version.cjs");
http.createServer((_request, response) => response.end(JSON.stringify([version, ...seen]))).listen(3000);
`,
  });
  const session = await startTwins(
    project,
    "src/version.cjs",
    `exports.version = "v1";\n`,
    "src/server.cjs",
  );
  expect(await standbyEvent(session.cli, "barred")).toMatchObject({
    path: project.path(file),
    reason: "reads require.main",
  });
  const { standby, cold } = await saveAndAsk(
    session,
    "src/version.cjs",
    `exports.version = "v2";\n`,
  );
  expect(standby).toBe(cold);
});
