/** What clients are told while nothing is ready: the compile error, or the worker's last words. */
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import { libraryRunner } from "./helpers/library.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const runner = libraryRunner(`{ port: 0, workers: 1, holdTimeoutMs: 1 }`);
const HTML = { accept: "text/html" };
const JSON_ONLY = { accept: "application/json" };

const SERVER = `
import http from "node:http";
import { version } from "./version.ts";
http.createServer((_request, response) => response.end(version)).listen(3000);
`;

interface Told {
  readonly detail: string;
  readonly diagnostics: readonly Record<string, unknown>[];
  readonly lastWords: readonly string[];
}

test("a compile error before anything serves: file, line and frame, escaped; the mended code is live at once", async () => {
  const app = makeApp({
    "src/version.ts": `export const version: string = "</pre><script>" "b";\n`,
    "src/server.ts": SERVER,
    "run.mjs": runner,
  });
  const { cli, port } = await startSession(app, {
    script: app.path("run.mjs"),
    untilReady: false,
  });
  await reloaded(cli, "failed");
  const page = await get(port, "/", HTML);
  expect([page.status, page.headers["retry-after"]]).toEqual([503, "1"]);
  expect(page.text).toContain("&lt;/pre&gt;&lt;script&gt;");
  expect(page.text).not.toContain("</pre><script>");
  expect(page.text).toContain("version.ts:1:");
  const { text } = await get(port, "/", JSON_ONLY);
  const told = JSON.parse(text) as Told;
  expect(told.detail).toMatch(/can't be compiled/);
  expect(told.diagnostics[0]).toMatchObject({
    file: app.path("src/version.ts"),
    line: 1,
  });
  await cli.waitFor("the watcher", ({ event }) => event === "watching");
  const from = cli.lines.length;
  app.write("src/version.ts", versionModule("v1"));
  await reloaded(cli, "done", from);
  expect((await get(port, "/", HTML)).text).toBe("v1");
});

test("all have crashed: the last words on stderr", async () => {
  const app = makeApp({
    "src/version.ts": versionModule("v0"),
    "src/die.ts": `setTimeout(() => {
  console.error("so long, <b>and</b> thanks");
  process.exit(7);
}, 50);\n`,
    "src/server.ts": `import "./die.ts";\n${SERVER}`,
    "run.mjs": runner,
  });
  const { cli, port } = await startSession(app, {
    script: app.path("run.mjs"),
    untilReady: false,
  });
  await cli.waitFor(
    "a death with backoff",
    ({ what, backoffMs }) => what === "died" && Number(backoffMs) >= 1_000,
  );
  const told = JSON.parse((await get(port, "/", JSON_ONLY)).text) as Told;
  expect(told.detail).toMatch(/Worker 0 has ended with code 7/);
  expect(told.lastWords).toContain("so long, <b>and</b> thanks");
  const page = await get(port, "/", HTML);
  expect(page.text).toContain("so long, &lt;b&gt;and&lt;/b&gt; thanks");
  // Its script sees at once when the app serves; without scripts it asks each second.
  expect(page.headers["refresh"]).toBe("10");
  expect(page.text).toContain(
    '<noscript><meta http-equiv="refresh" content="1"></noscript>',
  );
});
