/** Saves that come while standbys are being prepared, and many of them: the last state is served, nothing is lost. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { startLoad } from "./helpers/load.js";
import { get, reloaded, startSession } from "./helpers/session.js";
import type { Session } from "./helpers/session.js";
import { countStandbys, standbyEvent } from "./helpers/standbys.js";

const FILES = ["a", "b", "c"] as const;
const STANDBYS = 2;

const part = (name: string, version: number): string =>
  `export const ${name}: string = ["${name}${version}"].join();\n`;

const app = (): TestApp =>
  makeApp({
    ...Object.fromEntries(
      FILES.map((name) => [`src/${name}.ts`, part(name, 0)]),
    ),
    "src/server.ts": `
import http from "node:http";
${FILES.map((name) => `import { ${name} } from "./${name}.ts";`).join("\n")}
http
  .createServer((request, response) => {
    if (request.method === "POST") {
      response.setHeader("content-type", request.headers["content-type"] ?? "");
      return void request.pipe(response);
    }
    response.end([${FILES.join(", ")}].join());
  })
  .listen(3000);
`,
  });

/** Starts two workers, waits for a standby, runs the saves under load, and waits until `last` is served. */
async function underLoad(
  saves: (session: Session) => Promise<void>,
  last: string,
): Promise<Session> {
  const session = await startSession(app(), {
    args: ["--standby", String(STANDBYS)],
  });
  const { cli, port } = session;
  await standbyEvent(cli, "ready");
  const load = startLoad({
    targets: [{ name: "front", port }],
    keepAlive: 2,
    freshPerSecond: 10,
    pauseMs: 10,
    path: "/",
    postEvery: 10,
  });
  await saves(session);
  let from = 0;
  while ((await get(port)).text !== last) {
    await reloaded(cli, "done", from);
    from = cli.lines.length;
  }
  // Until the standbys are complete again.
  await standbyEvent(cli, "ready", lastReload(session));
  expect((await load.stop()).lost).toEqual([]);
  expect((await get(port)).text).toBe(last);
  const { most, mostPrepared } = countStandbys(cli);
  expect(most).toBeLessThanOrEqual(STANDBYS + 1);
  expect(mostPrepared).toBeLessThanOrEqual(1);
  expect(cli.stderr()).toBe("");
  return session;
}

function lastReload({ cli }: Session): number {
  return cli.lines.findLastIndex(({ event }) => event === "reload");
}

test("a save every 300 ms, ten times", async () => {
  await underLoad(async ({ app: files }) => {
    for (let version = 1; version <= 10; version++) {
      files.write("src/b.ts", part("b", version));
      await delay(300);
    }
  }, "a0,b10,c0");
});

test("two saves in a row of the same file", async () => {
  await underLoad(async ({ app: files, cli }) => {
    for (let version = 2; version <= 10; version += 2) {
      const from = cli.lines.length;
      files.write("src/b.ts", part("b", version - 1));
      await delay(10 * version - 20);
      files.write("src/b.ts", part("b", version));
      await reloaded(cli, "done", from);
    }
  }, "a0,b10,c0");
});

test("three files in turn", async () => {
  await underLoad(async ({ app: files, cli }) => {
    for (let version = 1; version <= 4; version++) {
      for (const name of FILES) {
        const from = cli.lines.length;
        files.write(`src/${name}.ts`, part(name, version));
        await reloaded(cli, "done", from);
      }
    }
  }, "a4,b4,c4");
});

test("a save while a standby is being prepared, again and again", async () => {
  await underLoad(async ({ app: files, cli }) => {
    for (let version = 1; version <= 8; version++) {
      const from = cli.lines.length;
      files.write("src/c.ts", part("c", version));
      await standbyEvent(cli, "forked", from);
    }
  }, "a0,b0,c8");
});
