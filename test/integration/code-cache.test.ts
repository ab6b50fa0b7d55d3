/** V8's code cache, on versions of Node that have one: written by a process that has served, used by the next. */
import { readdirSync } from "node:fs";
import module from "node:module";
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const VERSION = "src/version.ts";
const hasCodeCache = "flushCompileCache" in module;

const app = (): TestApp =>
  makeApp({
    [VERSION]: versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import module from "node:module";
import { version } from "./version.ts";
http
  .createServer((_request, response) => response.end([version, module.getCompileCacheDir?.() ?? "none"].join()))
  .listen(3000);
`,
  });

/** The entries of all caches in the project's cache directory. */
function entries(project: TestApp): string[] {
  return readdirSync(project.path("node_modules/.cache/prefork-dev"), {
    recursive: true,
  })
    .map(String)
    .filter((path) => /^[^/]+\/code\/[^/]+\/[^/]+$/.test(path));
}

test.runIf(hasCodeCache)(
  "a process that was replaced has written it, and the user's own comes first",
  async () => {
    const project = app();
    const { cli, port } = await startSession(project, { workers: 1 });
    const [, directory] = (await get(port)).text.split(",");
    expect(directory).toContain(project.path("node_modules/.cache"));
    const from = cli.lines.length;
    project.write(VERSION, versionModule("v1"));
    await reloaded(cli, "done", from);
    await cli.waitFor(
      "the end of the first process",
      ({ event, what }) => event === "process" && what === "stopped",
      { from },
    );
    expect(entries(project).length).toBeGreaterThan(1);

    const other = app();
    const own = other.path("own-cache");
    const session = await startSession(other, {
      workers: 1,
      env: { NODE_COMPILE_CACHE: own },
    });
    expect((await get(session.port)).text).toContain(own);
    expect(entries(other)).toEqual([]);
  },
);

test.skipIf(hasCodeCache)("where there's none, none is made", async () => {
  const project = app();
  const { port } = await startSession(project, { workers: 1 });
  expect((await get(port)).text).toBe("v0,none");
  expect(entries(project)).toEqual([]);
});
