/**
 * What the preforking server that this one descends from was specified to do, in this project's terms: address and ports, hooks on the right
 * side, commands with and without `onFoo`, io handlers, and the two that were left open there, `onStop` and `onUnregister`.
 */
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { freePorts } from "./helpers/free-ports.js";
import { caller, CONTROLLABLE, libraryRunner } from "./helpers/library.js";
import type { Called } from "./helpers/library.js";
import { get, reloaded, startSession } from "./helpers/session.js";
import type { Session } from "./helpers/session.js";

interface Served extends Session {
  readonly call: (code: string) => Promise<Called>;
  /** What hooks and commands wrote, in order: the process's pid and what it is. */
  readonly diary: () => string[];
}

const MIXIN = `
import fs from "node:fs";
const write = (what: string): void => fs.appendFileSync(process.env.DIARY ?? "", process.pid + " " + what + "\\n");
export default (Base: any) => class extends Base {
  onRegister() { write("onRegister " + this.index); return { since: "registered " + this.index }; }
  onUnregister() { write("onUnregister " + this.index); }
  onStart() { write("onStart " + this.index + " " + this.state.since); }
  onStop() { write("onStop " + this.index); }
  onGreet(who: string) { write("onGreet " + who); }
  childGreet(who: string) { write("childGreet " + who); return "hello " + who; }
  childPlain() { return this.port; }
};
`;

async function serve(
  options: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const app: TestApp = makeApp({
    "mixin.ts": MIXIN,
    "src/server.ts": `
import http from "node:http";
http.createServer((_request, response) => response.end(String(process.pid))).listen(3000);
`,
    ...extra,
  });
  app.write(
    "run.mjs",
    libraryRunner(
      `{ port: 0, workers: 2, standbys: 0, mixins: ["mixin.ts"], ${options} }`,
    ) + CONTROLLABLE,
  );
  const file = app.path("diary");
  const session = await startSession(app, {
    script: app.path("run.mjs"),
    env: { DIARY: file },
  });
  return {
    ...session,
    call: await caller(session.cli),
    diary: () =>
      fs.existsSync(file)
        ? fs.readFileSync(file, "utf8").trim().split("\n")
        : [],
  };
}

test("j workers listen on the address given, on ports n to n + j - 1", async () => {
  const first = await freePorts(3);
  const { workerPorts, cli } = await serve(
    `host: "127.0.0.1", front: false, port: ${first}, workers: 3`,
  );
  expect(workerPorts).toEqual([first, first + 1, first + 2]);
  const pids = new Set<string>();
  for (const port of workerPorts) pids.add((await get(port)).text);
  expect(pids.size).toBe(3);
  // The port that a worker got was told the moment it listened.
  const ready = cli.lines.filter(({ what }) => what === "ready");
  expect(ready.map(({ worker, port }) => [worker, port])).toEqual([
    [0, first],
    [1, first + 1],
    [2, first + 2],
  ]);
});

test("onRegister runs in the master before a worker is started, onStart in each process, with the state that onRegister made", async () => {
  const { cli, diary, port } = await serve("workers: 2");
  const lines = diary();
  expect(lines.slice(0, 2)).toEqual([
    `${cli.pid} onRegister 0`,
    `${cli.pid} onRegister 1`,
  ]);
  const starts = lines.slice(2);
  const ready = cli.lines.filter(({ what }) => what === "ready");
  expect(starts).toEqual(
    ready.map(
      ({ pid, worker }) =>
        `${String(pid)} onStart ${String(worker)} registered ${String(worker)}`,
    ),
  );
  expect((await get(port)).status).toBe(200);
});

test("a command runs onFoo and then childFoo in the process; without onFoo childFoo alone; without childFoo it's an error", async () => {
  const { call, diary, workerPorts } = await serve("workers: 2");
  const before = diary().length;
  const greeted = await call(
    `return await server.workers[1].send("greet", "you")`,
  );
  expect(greeted.value).toBe("hello you");
  const { value: pid } = await call(`return server.status().workers[1].pid`);
  expect(diary().slice(before)).toEqual([
    `${String(pid)} onGreet you`,
    `${String(pid)} childGreet you`,
  ]);
  const plain = await call(
    `return (await server.send("plain")).map(({ value }) => value)`,
  );
  expect(plain.value).toEqual(workerPorts);
  const unknown = await call(`return await server.workers[0].send("nothing")`);
  expect(unknown.code).toBe("ERR_PREFORK_COMMAND_UNKNOWN");
  expect((await get(workerPorts[0] ?? 0)).status).toBe(200);
});

test("onStop runs in each process before it ends, onUnregister in the master after that", async () => {
  const { cli, call, diary } = await serve("workers: 2");
  const { value } = await call(
    `return server.status().workers.map(({ pid }) => pid)`,
  );
  const [first, second] = value as [number, number];
  const before = diary().length;
  expect((await call(`return await server.scale(1)`)).value).toEqual({
    kind: "done",
    workers: 1,
  });
  expect(diary().slice(before)).toEqual([
    `${second} onStop 1`,
    `${cli.pid} onUnregister 1`,
  ]);
  expect(await cli.stop()).toEqual({ code: 0, signal: null });
  expect(diary().slice(before + 2)).toEqual([
    `${first} onStop 0`,
    `${cli.pid} onUnregister 0`,
  ]);
});

test("an io handler is called when there is something to read, and may reload, scale and stop", async () => {
  const app = makeApp({
    "src/server.ts": `
import http from "node:http";
http.createServer((_request, response) => response.end("ok")).listen(3000);
`,
  });
  app.write(
    "run.mjs",
    `${libraryRunner(`{ port: 0, workers: 1, standbys: 0 }`)}
import net from "node:net";
const orders = net.createServer();
server.addIoHandler(orders, async ({ kind, socket }) => {
  if (kind !== "connection") return;
  for await (const chunk of socket) {
    const order = String(chunk).trim();
    if (order === "reload") socket.write((await server.reload()).kind);
    if (order === "more") socket.write((await server.scale({ by: 1 })).kind);
    if (order === "stop") void server.stop();
  }
});
orders.listen(process.env.ORDERS, () => say("orders", {}));
server.once("stopped", () => orders.close());
`,
  );
  const socketPath = path.join(app.temporary, "orders");
  const { cli } = await startSession(app, {
    script: app.path("run.mjs"),
    env: { ORDERS: socketPath },
  });
  await cli.waitFor("the socket", ({ event }) => event === "orders");
  const socket = net.connect(socketPath);
  const answer = (order: string): Promise<string> =>
    new Promise((resolve, reject) => {
      socket.once("data", (chunk) => resolve(chunk.toString()));
      socket.once("error", reject);
      socket.write(`${order}\n`);
    });
  const from = cli.lines.length;
  expect(await answer("reload")).toBe("done");
  await reloaded(cli, "done", from);
  expect(await answer("more")).toBe("done");
  expect(cli.lines.at(-1)).toMatchObject({ what: "ready", worker: 1 });
  socket.end("stop\n");
  expect(await cli.exited).toEqual({ code: 0, signal: null });
});
