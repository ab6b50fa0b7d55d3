/** What the manifest says about standbys: `standby: false` and `preload`. */
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import type { Session } from "./helpers/session.js";
import { linesOf, standbyEvent } from "./helpers/standbys.js";

const VERSION = "src/version.ts";

const order = (name: string): string =>
  `((globalThis as any).order ??= []).push("${name}");\n`;

const manifestApp = (config: string): TestApp =>
  makeApp({
    "prefork.config.ts": `export default { entry: "src/server.ts", ${config} };\n`,
    "node_modules/early/package.json": `{ "name": "early" }`,
    "node_modules/early/index.js": `(globalThis.order ??= []).push("early");\n`,
    [VERSION]: versionModule("v0") + order("version"),
    "src/fine.ts": order("fine"),
    "src/server.ts": `
import http from "node:http";
import { version } from "./version.ts";
import "./fine.ts";
import "early";
http
  .createServer((_request, response) => response.end(version + " " + (globalThis as any).order))
  .listen(3000);
`,
  });

async function afterTwoSaves(project: TestApp): Promise<Session> {
  const session = await startSession(project, {
    target: ".",
    workers: 1,
    args: ["--standby", "1"],
  });
  const { cli } = session;
  for (const version of ["v1", "v2"]) {
    await standbyEvent(cli, "ready");
    const from = cli.lines.length;
    project.write(VERSION, versionModule(version) + order("version"));
    await reloaded(cli, "done", from);
    await standbyEvent(cli, "ready", from);
  }
  return session;
}

test("`standby: false`: the source is never evaluated ahead", async () => {
  const { app: project, cli } = await startSession(
    manifestApp(`sources: [{ file: "${VERSION}", standby: false }]`),
    { target: ".", args: ["--standby", "1"], workers: 1 },
  );
  expect(await standbyEvent(cli, "ready")).toMatchObject({
    evaluated: 0,
    stoppedBy: project.path(VERSION),
  });
  expect(linesOf(cli, "standby", "barred")).toEqual([]);
});

test("`preload`: the package is evaluated before its turn", async () => {
  const { port } = await afterTwoSaves(manifestApp(`preload: ["early"]`));
  expect((await get(port)).text).toBe("v2 early,version,fine");
});

test("without it nothing is", async () => {
  const { port } = await afterTwoSaves(manifestApp(""));
  expect((await get(port)).text).toBe("v2 version,fine,early");
});
