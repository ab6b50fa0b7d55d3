import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { openControlSocket } from "../../../src/control/control-server.js";
import { PreforkError } from "../../../src/errors.js";
import { children } from "./children.js";
import {
  deferred,
  fakeHandlers,
  openSocket,
  rawExchange,
  request,
  temporaryDirectory,
} from "./harness.js";

describe("what can be asked", () => {
  it("is answered by the handlers, as JSON", async () => {
    const { path } = await openSocket();
    const status = await request(path, "GET", "/status?pretty");
    expect(status.status).toBe(200);
    expect(status.headers["content-type"]).toContain("application/json");
    expect(JSON.parse(status.text)).toEqual({ pid: process.pid });
    const answers = await Promise.all([
      request(path, "POST", "/reload"),
      request(path, "POST", "/scale", '{"workers":6}'),
      request(path, "POST", "/scale", '{"by":-1}'),
      request(path, "POST", "/command", '{"command":"heap"}'),
      request(
        path,
        "POST",
        "/command",
        '{"command":"heap","args":[1,"ä"],"worker":0}',
      ),
    ]);
    expect(answers.map(({ status: code }) => code)).toEqual(
      answers.map(() => 200),
    );
    expect(answers.map(({ text }) => JSON.parse(text) as unknown)).toEqual([
      { ok: true, kind: "done" },
      { kind: "done", request: { workers: 6 } },
      { kind: "done", request: { by: -1 } },
      { request: { name: "heap", args: [] } },
      { request: { name: "heap", args: [1, "ä"], worker: 0 } },
    ]);
  });

  it("has a reload that failed as its outcome, not as an error", async () => {
    const { path } = await openSocket({
      reload: () => Promise.resolve({ ok: false, kind: "failed" }),
    });
    const { status, text } = await request(path, "POST", "/reload");
    expect([status, JSON.parse(text)]).toEqual([
      200,
      { ok: false, kind: "failed" },
    ]);
  });

  it("keeps what JSON has no word for readable", async () => {
    const { path } = await openSocket({
      status: () => undefined,
      command: () =>
        Promise.resolve([
          10n,
          new PreforkError("ERR_PREFORK_OPTION", "no"),
          new TypeError("odd"),
        ]),
    });
    expect((await request(path, "GET", "/status")).text).toBe("null\n");
    const { text } = await request(path, "POST", "/command", '{"command":"x"}');
    expect(JSON.parse(text)).toEqual([
      "10",
      { code: "ERR_PREFORK_OPTION", message: "no" },
      { name: "TypeError", message: "odd" },
    ]);
  });

  const curl = promisify(execFile);
  it("can be asked by curl", async ({ skip }) => {
    const { path } = await openSocket();
    const args = ["--silent", "--unix-socket", path, "--data", '{"by":1}'];
    const asked = curl("curl", [...args, "http://localhost/scale"]);
    const result = await asked.catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") skip();
      throw error;
    });
    expect(JSON.parse(result.stdout)).toMatchObject({ request: { by: 1 } });
  });
});

describe("a client that goes away", () => {
  it("while it's answered doesn't stop what it asked for", async () => {
    const begun = deferred();
    const may = deferred();
    const done = deferred();
    const { path, errors } = await openSocket({
      reload: async () => {
        begun.resolve();
        await may.promise;
        done.resolve();
        return { ok: true };
      },
    });
    const asking = http.request({
      socketPath: path,
      method: "POST",
      path: "/reload",
      agent: false,
    });
    const gone = deferred();
    // Hanging up is an error to it as well.
    asking.on("error", () => undefined);
    asking.on("close", gone.resolve);
    asking.end();
    await begun.promise;
    asking.destroy();
    await gone.promise;
    may.resolve();
    await done.promise;
    expect((await request(path, "GET", "/status")).status).toBe(200);
    expect(errors).toEqual([]);
  });

  it("before it has asked is none of ours", async () => {
    let commands = 0;
    const { path, errors } = await openSocket({
      command: () => Promise.resolve(commands++),
    });
    const socket = net.connect({ path });
    socket.write(
      'POST /command HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{"command":',
    );
    socket.end();
    socket.resume();
    await once(socket, "close");
    expect((await request(path, "GET", "/status")).status).toBe(200);
    expect([commands, errors]).toEqual([0, []]);
  });
});

describe("stop", () => {
  it("is answered also when the socket is closed right after the server", async () => {
    const begun = deferred();
    const stopping = deferred();
    const { path, control, directory } = await openSocket({
      stop: async () => {
        begun.resolve();
        await stopping.promise;
        return { ok: true, workers: 0 };
      },
    });
    // Registered first, as a program does that waits for its server's end.
    const closed = stopping.promise.then(() => control.close());
    const answer = request(path, "POST", "/stop");
    await begun.promise;
    stopping.resolve();
    expect(JSON.parse((await answer).text)).toEqual({ ok: true, workers: 0 });
    await closed;
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is answered also when it closes the socket itself", async () => {
    let close = (): Promise<void> => Promise.resolve();
    const { path, control } = await openSocket({
      stop: async () => {
        await close();
        return { ok: true };
      },
    });
    close = () => control.close();
    const { status, headers } = await request(path, "POST", "/stop");
    expect([status, headers.connection]).toEqual([200, "close"]);
  });

  it("gives the path back before it's answered", async () => {
    const { path, directory } = await openSocket();
    expect((await request(path, "POST", "/stop")).status).toBe(200);
    expect(existsSync(path)).toBe(false);
    const next = await openControlSocket({
      path,
      handlers: fakeHandlers({ status: () => "next" }),
      onError: () => undefined,
    });
    expect((await request(path, "GET", "/status")).text).toBe('"next"\n');
    await next.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("that fails leaves the socket open", async () => {
    const { path } = await openSocket({
      stop: () => Promise.reject(new Error("stuck")),
    });
    expect((await request(path, "POST", "/stop")).status).toBe(500);
    expect((await request(path, "GET", "/status")).status).toBe(200);
  });
});

describe("close", { timeout: 30_000 }, () => {
  it("lets answers out before the process exits, and gives the path back", async () => {
    const directory = temporaryDirectory();
    const child = await children(directory)();
    const path = join(directory, "c.sock");
    await child.tell({ kind: "open", path, at: 0 });
    const reloading = child.next();
    const reload = request(path, "POST", "/reload");
    expect(await reloading).toEqual({ kind: "reloading" });
    expect((await request(path, "POST", "/stop")).status).toBe(200);
    await child.tell({ kind: "exit" });
    expect(JSON.parse((await reload).text)).toMatchObject({ kind: "stopped" });
    expect(readdirSync(directory)).toEqual(["child.mjs"]);
  });

  it("is idempotent, and lets go of what isn't done", async () => {
    const begun = deferred();
    const never = deferred<{ ok: boolean }>();
    const { path, control } = await openSocket({
      reload: () => {
        begun.resolve();
        return never.promise;
      },
    });
    const reload = request(path, "POST", "/reload");
    await begun.promise;
    const half = rawExchange(
      path,
      "POST /scale HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
    );
    await request(path, "GET", "/status");
    expect(control.close()).toBe(control.close());
    await control.close();
    await half;
    never.resolve({ ok: false });
    // It has been under way all the time, and is answered.
    expect((await reload).status).toBe(200);
  });
});
