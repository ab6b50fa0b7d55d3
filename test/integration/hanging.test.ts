/** Workers whose event loop is blocked: reported once, replaced if asked; and a master that was suspended blames nobody. */
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { libraryRunner } from "./helpers/library.js";
import { get, startSession } from "./helpers/session.js";
import type { Session } from "./helpers/session.js";

const blockable = (): TestApp =>
  makeApp({
    "src/server.ts": `
import http from "node:http";
http
  .createServer((request, response) => {
    const ms = Number(new URL(request.url ?? "/", "http://app").searchParams.get("block") ?? 0);
    const until = performance.now() + ms;
    while (performance.now() < until);
    response.end(String(process.pid));
  })
  .listen(3000);
`,
  });

function start(app: TestApp, options: string): Promise<Session> {
  app.write("run.mjs", libraryRunner(`{ port: 0, standbys: 0, ${options} }`));
  return startSession(app, { script: app.path("run.mjs") });
}

function said({ cli }: Session, what: string, from = 0): Promise<unknown> {
  return cli.waitFor(what, (line) => line["what"] === what, { from });
}

test("a blocked event loop is reported once, and again when it turns", async () => {
  const session = await start(blockable(), `workers: 2, hangTimeoutMs: 300`);
  const { cli, port } = session;
  const blocked = get(port, "/?block=2500");
  expect(await said(session, "hung")).toMatchObject({ isReplaced: false });
  // The other worker goes on.
  expect((await get(port)).status).toBe(200);
  const pid = Number((await blocked).text);
  expect(await said(session, "responsive")).toMatchObject({ pid });
  const hung = cli.lines.filter(({ what }) => what === "hung");
  expect(hung.map((line) => line["pid"])).toEqual([pid]);
});

test("a hung worker is replaced if that was asked for: first the new process, then the old one's end", async () => {
  const session = await start(
    blockable(),
    `workers: 1, hangTimeoutMs: 300, replaceHung: true`,
  );
  const { cli, port } = session;
  const pid = Number((await get(port)).text);
  process.kill(pid, "SIGSTOP");
  const from = cli.lines.length;
  const waiting = get(port);
  expect(await said(session, "hung", from)).toMatchObject({ pid });
  expect(await said(session, "ready", from)).toMatchObject({ worker: 0 });
  expect(await said(session, "stopped", from)).toMatchObject({
    pid,
    reason: "hung",
  });
  // A GET that had no answer yet is repeated elsewhere.
  expect(Number((await waiting).text)).not.toBe(pid);
  const events = cli.lines.slice(from).map(({ what }) => what);
  expect(events.filter(Boolean)).toEqual([
    "hung",
    "forked",
    "ready",
    "draining",
    "stopped",
  ]);
});

test("a master that was suspended does not mistake that for hung workers", async () => {
  const session = await start(
    blockable(),
    `workers: 2, hangTimeoutMs: 400, replaceHung: true`,
  );
  const { cli, port } = session;
  const from = cli.lines.length;
  cli.signal("SIGSTOP");
  // The time of the suspension is the matter of this test: five times the timeout.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  cli.signal("SIGCONT");
  expect((await get(port)).status).toBe(200);
  // Whoever hangs after that is still found out.
  const pid = Number((await get(port)).text);
  process.kill(pid, "SIGSTOP");
  expect(await said(session, "hung", from)).toMatchObject({ pid });
  await said(session, "stopped", from);
  const hung = cli.lines.slice(from).filter(({ what }) => what === "hung");
  expect(hung.length).toBe(1);
});
