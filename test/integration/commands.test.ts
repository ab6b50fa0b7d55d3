/** Commands: to real processes and back, everything that can go wrong with one, and the examples in `fixtures/`. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { copyFixture } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { mixinApp, SERVER, startMixed } from "./helpers/mixins.js";
import { startLoad } from "./helpers/load.js";
import { get, reloaded, versionModule } from "./helpers/session.js";
import type { MixedSession } from "./helpers/mixins.js";

const MIXIN = `
import { setTimeout as delay } from "node:timers/promises";
import { version } from "../src/version.ts";

export default [
  (Base) =>
    class extends Base {
      seen = [];
      onEcho(...args) {
        this.seen.push(["onEcho", ...args]);
      }
      async childEcho(...args) {
        await delay(1);
        this.seen.push(["childEcho", ...args]);
        return { index: this.index, port: this.port, pid: this.pid, seen: this.seen.splice(0) };
      }
      childWhat() {
        return { when: new Date(86_400_000), map: new Map([["a", 1n]]), bytes: Buffer.from("hi"), nothing: undefined };
      }
      childKinds(value) {
        return [value.when instanceof Date, value.map instanceof Map, value.map.get("a") === 1n, String(Buffer.from(value.bytes))];
      }
      childThrow(kind) {
        if (kind === "text") throw "just a text";
        if (kind === "odd") throw Object.create(null);
        throw Object.assign(new RangeError("too far"), { code: "E_FAR" });
      }
      childNever() {
        return new Promise(() => undefined);
      }
      childBlock(ms) {
        const until = Date.now() + ms;
        while (Date.now() < until);
        return "awake";
      }
      childFunction() {
        return { call: () => 1 };
      }
      childDie() {
        process.exit(3);
      }
      childVersion() {
        return version;
      }
      childReload() {
        return "reloaded " + this.index;
      }
    },
  (Base) =>
    class extends Base {
      async childEcho(...args) {
        return { ...(await super.childEcho(...args)), by: "the second" };
      }
    },
];
`;

/** An app with {@link MIXIN}. */
function commandApp(server = SERVER): TestApp {
  return mixinApp({
    "src/server.ts": server,
    "src/version.ts": versionModule("v1"),
    "mixins/all.js": MIXIN,
  });
}

const MIXINS = `mixins: ["mixins/all.js"]`;

/** What each worker said: its value, or its error's code. */
async function outcomes(
  { call }: MixedSession,
  send: string,
): Promise<unknown[]> {
  const { value, code } = await call(
    `return (await server.send(${send})).map(({ value, error }) => error?.code ?? value)`,
  );
  expect(code).toBeUndefined();
  return value as unknown[];
}

test("arguments and results go both ways as they are, onFoo first, super last", async () => {
  const session = await startMixed(commandApp(), `workers: 2, ${MIXINS}`);
  const { call, workerPorts } = session;
  const { value } = await call(
    `return await server.send("echo", 1, "a", null)`,
  );
  const pids = await call(
    `return server.status().workers.map(({ pid }) => pid)`,
  );
  const seen = ["onEcho", "childEcho"].map((name) => [name, 1, "a", null]);
  expect(value).toEqual(
    (pids.value as number[]).map((pid, worker) => {
      const port = workerPorts[worker];
      const echo = { index: worker, port, pid, seen, by: "the second" };
      return { worker, pid, value: echo };
    }),
  );
  const round = await call(`
    const what = await server.workers[1].send("what");
    const kinds = [what.when instanceof Date, what.map.get("a") === 1n, String(Buffer.from(what.bytes)), "nothing" in what];
    return [kinds, await server.workers[1].send("kinds", what)];
  `);
  expect(round.value).toEqual([
    [true, true, "hi", true],
    [true, true, true, "hi"],
  ]);
});

test("each trouble is an error with its own code; the worker, other commands and requests go on", async () => {
  const session = await startMixed(
    commandApp(),
    `workers: 2, commandTimeoutMs: 700, ${MIXINS}`,
  );
  const { call, port, workerPorts } = session;
  const pids = await call(
    `return server.status().workers.map(({ pid }) => pid)`,
  );
  const both = (code: string): string[] => [code, code];
  for (const name of ["nothing", "seen", "constructor", "toString", "start"])
    expect(await outcomes(session, JSON.stringify(name))).toEqual(
      both("ERR_PREFORK_COMMAND_UNKNOWN"),
    );
  expect(await outcomes(session, `"throw"`)).toEqual(
    both("ERR_PREFORK_COMMAND_FAILED"),
  );
  expect(await outcomes(session, `"function"`)).toEqual(
    both("ERR_PREFORK_COMMAND_VALUE"),
  );
  const never = outcomes(session, `"never"`);
  expect((await outcomes(session, `"version"`))[0]).toBe("v1");
  expect(await never).toEqual(both("ERR_PREFORK_COMMAND_TIMEOUT"));
  const blocked = outcomes(session, `"block", 1_500`);
  expect(await blocked).toEqual(both("ERR_PREFORK_COMMAND_TIMEOUT"));
  // Answered once their event loops turn again.
  for (const worker of workerPorts) await get(worker);

  expect((await call(`return server.send("echo", () => 1)`)).code).toBe(
    "ERR_PREFORK_COMMAND_VALUE",
  );
  const before = MIXIN.slice(0, MIXIN.indexOf("new RangeError"));
  const thrownAt = before.split("\n").length;
  const thrown = await call(`
    const error = await server.workers[0].send("throw").catch((error) => error);
    const { name, message, code, stack } = error.cause;
    return { error: error.code, name, message, code, stack };
  `);
  expect(thrown.value).toMatchObject({
    error: "ERR_PREFORK_COMMAND_FAILED",
    name: "RangeError",
    message: "too far",
    code: "E_FAR",
    stack: expect.stringMatching(
      new RegExp(`childThrow .*mixins/all\\.js:${String(thrownAt)}:`),
    ) as string,
  });
  for (const kind of ["text", "odd"])
    expect(
      (await call(`return server.workers[0].send("throw", "${kind}")`)).code,
    ).toBe("ERR_PREFORK_COMMAND_FAILED");

  expect(await outcomes(session, `"version"`)).toEqual(both("v1"));
  expect((await get(port)).text).toBe("v1");
  const after = await call(
    `return server.status().workers.map(({ pid }) => pid)`,
  );
  expect(after.value).toEqual(pids.value);
});

test("a process that ends meanwhile, and a worker that has none", async () => {
  const session = await startMixed(commandApp(), `workers: 2, ${MIXINS}`);
  const { call, cli } = session;
  const from = cli.lines.length;
  const died = await call(`return await server.workers[1].send("die")`);
  expect(died.code).toBe("ERR_PREFORK_WORKER_GONE");
  expect(died.message).toContain("worker 1");
  await cli.waitFor(
    "its successor",
    ({ what, worker }) => what === "ready" && worker === 1,
    { from },
  );
  expect(await outcomes(session, `"version"`)).toEqual(["v1", "v1"]);

  await call(`await server.workers[0].stop()`);
  const { value } = await call(`
    const outcomes = await server.send("version");
    return outcomes.map(({ worker, value, error }) => [worker, error?.code ?? value]);
  `);
  expect(value).toEqual([
    [0, "ERR_PREFORK_WORKER_GONE"],
    [1, "v1"],
  ]);
  const { code } = await call(`
    const [, last] = server.workers;
    await server.workers[0].start();
    await server.scale(1);
    return await last.send("version");
  `);
  expect(code).toBe("ERR_PREFORK_WORKER_GONE");
  await call(`void server.stop()`);
  expect(await cli.exited).toEqual({ code: 0, signal: null });
});

test("a saved mixin rolls a new generation, and commands and app share one instance of what both import", async () => {
  const app = commandApp();
  app.write(
    "src/server.ts",
    `
import http from "node:http";
import { count } from "./counter.ts";
http.createServer((_, response) => response.end(String(count()))).listen(3000);
`,
  );
  app.write(
    "src/counter.ts",
    `let counted = 0; export const count = (): number => ++counted;`,
  );
  const mixin = (word: string): string => `
import { count } from "../src/counter.ts";
export default (Base) => class extends Base { childCount() { return "${word}" + count(); } };
`;
  app.write("mixins/count.ts", mixin("a"));
  const session = await startMixed(
    app,
    `workers: 1, mixins: ["mixins/count.ts"]`,
  );
  const { cli, port } = session;
  expect(await outcomes(session, `"count"`)).toEqual(["a1"]);
  expect((await get(port)).text).toBe("2");
  expect(await outcomes(session, `"count"`)).toEqual(["a3"]);

  for (const word of ["b", "c"]) {
    const from = cli.lines.length;
    app.write("mixins/count.ts", mixin(word));
    await reloaded(cli, "done", from);
    expect(await outcomes(session, `"count"`)).toEqual([`${word}1`]);
  }
});

test("reload and stop: a mixin extends them, and nothing is lost", async () => {
  const session = await startMixed(commandApp(), `workers: 2, ${MIXINS}`);
  const { call, port } = session;
  const load = startLoad({
    targets: [{ name: "front", port }],
    path: "/",
    post: false,
  });
  const pids = `server.status().workers.map(({ pid }) => pid)`;
  const { value } = await call(`
    const before = ${pids};
    const outcomes = await server.send("reload");
    const after = ${pids};
    return { values: outcomes.map(({ value }) => value), same: before.filter((pid) => after.includes(pid)) };
  `);
  expect(value).toEqual({ values: ["reloaded 0", "reloaded 1"], same: [] });
  const stopped = await call(`
    const outcomes = await server.send("stop");
    return [outcomes.map(({ error }) => error?.code), server.status().workers.map(({ state }) => state)];
  `);
  expect(stopped.value).toEqual([
    [undefined, "ERR_PREFORK_OPTION"].map((code) => code ?? null),
    ["stopped", "ready"],
  ]);
  await call(`await server.workers[0].start()`);
  expect(await outcomes(session, `"version"`)).toEqual(["v1", "v1"]);
  expect((await load.stop()).lost).toEqual([]);
});

test("without mixins every worker still has stop and reload, and nothing else", async () => {
  const app = mixinApp({
    "src/server.ts": SERVER,
    "src/version.ts": versionModule("v1"),
  });
  const session = await startMixed(app, `workers: 2`);
  expect(await outcomes(session, `"heap"`)).toEqual(
    Array(2).fill("ERR_PREFORK_COMMAND_UNKNOWN"),
  );
  expect(await outcomes(session, `"reload"`)).toEqual([null, null]);
  expect(
    (await session.call(`return await server.workers[0].send("stop")`)).code,
  ).toBe(undefined);
  expect((await get(session.port)).text).toBe("v1");
});

test("the app's own messages never meet commands", async () => {
  const app = commandApp(`
import http from "node:http";
const messages = [];
process.on("message", (message) => messages.push(message));
process.send?.({ type: "answer", id: 1, value: "forged" });
process.send?.({ cmd: "anything" });
http.createServer((_, response) => {
  process.send?.({ type: "command", name: "version" });
  response.end(JSON.stringify(messages));
}).listen(3000);
`);
  const session = await startMixed(app, `workers: 1, ${MIXINS}`);
  await get(session.port);
  expect(await outcomes(session, `"version"`)).toEqual(["v1"]);
  expect(await outcomes(session, `"nothing"`)).toEqual([
    "ERR_PREFORK_COMMAND_UNKNOWN",
  ]);
  expect((await get(session.port)).text).toBe("[]");
});

test("a hundred commands at once, while the workers are replaced: each has one outcome", async () => {
  const session = await startMixed(commandApp(), `workers: 2, ${MIXINS}`);
  const { value } = await session.call(`
    const commands = Array.from({ length: 100 }, (_, index) => server.send("echo", index));
    const reloaded = server.reload();
    for (let index = 0; index < 20; index++) commands.push(server.send("version"));
    const outcomes = await Promise.all(commands);
    const codes = outcomes.flat().map(({ error }) => error?.code ?? "fine");
    return { outcomes: codes.length, codes: [...new Set(codes)], reloaded: (await reloaded).kind };
  `);
  const {
    outcomes: count,
    codes,
    reloaded: end,
  } = value as {
    outcomes: number;
    codes: string[];
    reloaded: string;
  };
  expect([count, end]).toEqual([240, "done"]);
  expect(codes).toContain("fine");
  const others = codes.filter((code) => code !== "fine");
  expect(others.every((code) => code === "ERR_PREFORK_WORKER_GONE")).toBe(true);
});

/** Starts the clock of `fixtures/mixins-app`. */
async function startClock(
  app: TestApp,
  port: number,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(
    process.execPath,
    [app.path("external/clock.mjs"), String(port)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, port: (JSON.parse(String(line)) as { port: number }).port };
}

test("fixtures/mixins-app: heap and uptime, a snapshot, and an external process that was restarted", async () => {
  const app = copyFixture("mixins-app");
  const clock = await startClock(app, 0);
  const session = await startMixed(app, `workers: 2`, {
    target: "prefork.config.ts",
    env: { CLOCK_PORT: String(clock.port) },
  });
  const { call, port, cli } = session;
  const pids = `server.status().workers.map(({ pid }) => pid)`;
  const before = await call(`return ${pids}`);
  const heap = await outcomes(session, `"heap"`);
  expect(heap).toEqual(
    (before.value as number[]).map((pid) => ({
      pid,
      uptimeSeconds: expect.any(Number) as number,
      usedBytes: expect.any(Number) as number,
      limitBytes: expect.any(Number) as number,
      rssBytes: expect.any(Number) as number,
    })),
  );
  const snapshot = await call(
    `return await server.workers[0].send("snapshot", ${JSON.stringify(app.directory)})`,
  );
  expect(fs.statSync(String(snapshot.value)).size).toBeGreaterThan(100_000);

  expect((await get(port)).text).toMatch(
    new RegExp(`^${String(clock.child.pid)} `),
  );
  clock.child.kill("SIGKILL");
  await once(clock.child, "exit");
  expect((await get(port)).status).toBe(503);
  expect(await outcomes(session, `"reconnect"`)).toEqual(
    Array(2).fill("ERR_PREFORK_COMMAND_FAILED"),
  );
  const restarted = await startClock(app, clock.port);
  const said = await outcomes(session, `"reconnect"`);
  expect(said).toHaveLength(2);
  for (const text of said)
    expect(text).toMatch(new RegExp(`^${String(restarted.child.pid)} `));
  for (let request = 0; request < 4; request++)
    expect((await get(port)).status).toBe(200);
  expect((await call(`return ${pids}`)).value).toEqual(before.value);
  expect(cli.lines.some(({ event }) => event === "warning")).toBe(false);
});
