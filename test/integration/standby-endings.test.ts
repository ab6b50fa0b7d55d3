/** Nothing is left of standbys, whatever they are at when everything ends: DESIGN, promise 4. */
import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { startSession } from "./helpers/session.js";
import type { Session } from "./helpers/session.js";
import { standbyEvent } from "./helpers/standbys.js";

const MODULES = 300;
const GONE_WITHIN_MS = 5_000;

/** Takes a while to link, and a while to evaluate; says when it began to be evaluated ahead. */
function app(): TestApp {
  const names = Array.from({ length: MODULES }, (_, index) => `m${index}`);
  return makeApp({
    ...Object.fromEntries(
      names.map((name) => [
        `src/many/${name}.ts`,
        `export const ${name}: string = "${name}";\n`,
      ]),
    ),
    "src/slow.ts": `
import fs from "node:fs";
import path from "node:path";
const file = process.cwd() + "/evaluating";
fs.appendFileSync(file, "x");
const begun = Date.now();
while (Date.now() - begun < 500);
`,
    "src/server.ts": `
import http from "node:http";
${names.map((name) => `import "./many/${name}.ts";`).join("\n")}
import "./slow.ts";
http.createServer((_request, response) => response.end("ok")).listen(3000);
`,
  });
}

/** Waits for the `count`th evaluation of the slow module. A process's work is no event for others, so this looks again and again. */
async function evaluating(project: TestApp, count: number): Promise<void> {
  const file = project.path("evaluating");
  while (!fs.existsSync(file) || fs.statSync(file).size < count) await delay(5);
}

/** What standbys can be at, and how to wait for it. */
const PHASES: Readonly<Record<string, (session: Session) => Promise<unknown>>> =
  {
    "starts Node": ({ cli }) => standbyEvent(cli, "forked"),
    "is about to link": async ({ cli }) => {
      await standbyEvent(cli, "forked");
      await delay(120);
    },
    links: async ({ cli }) => {
      await standbyEvent(cli, "forked");
      await delay(200);
    },
    evaluates: ({ app: project }) => evaluating(project, 2),
    "stands by": ({ cli }) => standbyEvent(cli, "ready"),
  };

describe.each(Object.entries(PHASES))("while a standby %s", (_, reached) => {
  const start = (): Promise<Session> =>
    startSession(app(), { workers: 1, args: ["--standby", "2"] });

  test("SIGTERM: all is gone", async () => {
    const session = await start();
    await reached(session);
    session.cli.signal("SIGTERM");
    expect(await session.cli.exited).toEqual({ code: 0, signal: null });
    await session.cli.untilGone(GONE_WITHIN_MS);
    expect(session.app.leftovers()).toEqual([]);
    expect(session.cli.stderr()).toBe("");
  });

  test("SIGQUIT: all is gone", async () => {
    const session = await start();
    await reached(session);
    session.cli.signal("SIGQUIT");
    expect(await session.cli.exited).toEqual({ code: 131, signal: null });
    await session.cli.untilGone(GONE_WITHIN_MS);
    expect(session.app.leftovers()).toEqual([]);
  });

  test("SIGKILL of the master: all is gone", async () => {
    const session = await start();
    await reached(session);
    session.cli.signal("SIGKILL");
    await session.cli.exited;
    await session.cli.untilGone(GONE_WITHIN_MS);
    expect(session.app.leftovers()).toEqual([]);
  });
});

test("SIGQUIT in the middle of a graceful stop, while a standby evaluates: all is gone", async () => {
  const session = await startSession(app(), {
    workers: 1,
    args: ["--standby", "2"],
  });
  const { cli } = session;
  await evaluating(session.app, 2);
  cli.signal("SIGINT");
  await cli.waitFor("the stop", ({ event }) => event === "stopping");
  cli.signal("SIGQUIT");
  const { code } = await cli.exited;
  // The first may have been done already.
  expect([0, 131]).toContain(code);
  await cli.untilGone(GONE_WITHIN_MS);
  expect(session.app.leftovers()).toEqual([]);
});

test("SIGKILL of the master after a standby was killed while it linked: all is gone", async () => {
  const session = await startSession(app(), {
    workers: 1,
    args: ["--standby", "1"],
  });
  const ready = await standbyEvent(session.cli, "ready");
  const directory = session.app
    .leftovers()
    .find((name) => /^prefork-dev-\d+-/.test(name));
  // What it leaves then; to catch one at it would be luck.
  const file = `l${ready["pid"] as number}-99.mjs`;
  fs.writeFileSync(path.join(session.app.temporary, directory ?? "", file), "");
  process.kill(ready["pid"] as number, "SIGKILL");
  await standbyEvent(session.cli, "discarded");
  session.cli.signal("SIGKILL");
  await session.cli.exited;
  await session.cli.untilGone(GONE_WITHIN_MS);
  expect(session.app.leftovers()).toEqual([]);
});

test("SIGKILL of the master without a front: all is gone", async () => {
  const session = await startSession(app(), {
    workers: 1,
    args: ["--standby", "1", "--no-front"],
  });
  await standbyEvent(session.cli, "ready");
  session.cli.signal("SIGKILL");
  await session.cli.exited;
  await session.cli.untilGone(GONE_WITHIN_MS);
  expect(session.app.leftovers()).toEqual([]);
});
