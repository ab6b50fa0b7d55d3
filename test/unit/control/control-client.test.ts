import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ControlClient } from "../../../src/control/control-client.js";
import { PreforkError } from "../../../src/errors.js";
import {
  deferred,
  failure,
  openSocket,
  temporaryDirectory,
} from "./harness.js";

/** A server that isn't ours, and does this with each connection. */
async function strange(serve: (socket: net.Socket) => void): Promise<string> {
  const file = path.join(temporaryDirectory(), "c.sock");
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => serve(socket));
  });
  server.listen(file);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return file;
}

describe("the client", () => {
  it("asks all that can be asked", async () => {
    const { path: file } = await openSocket();
    const client = new ControlClient(file);
    expect(await client.status()).toEqual({ pid: process.pid });
    expect(await client.reload()).toEqual({ ok: true, kind: "done" });
    expect(await client.scale({ by: -1 })).toMatchObject({
      request: { by: -1 },
    });
    expect(await client.command({ name: "heap", args: [1] })).toEqual({
      request: { name: "heap", args: [1] },
    });
    const one = { name: "heap", args: [], worker: 2 };
    expect(await client.command(one)).toEqual({ request: one });
    expect(await client.stop()).toEqual({ ok: true });
  });

  it("throws the server's error under its own code, or what comes nearest", async () => {
    const { path: file } = await openSocket({
      reload: () =>
        Promise.reject(new PreforkError("ERR_PREFORK_NOT_RUNNING", "not yet")),
    });
    const client = new ControlClient(file);
    expect(await failure(client.reload())).toEqual([
      "ERR_PREFORK_NOT_RUNNING",
      "not yet",
    ]);
    const body = '{"error":{"code":"ERR_PREFORK_OF_TOMORROW","message":"new"}}';
    const newer = await strange((socket) =>
      socket.end(
        `HTTP/1.1 500 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      ),
    );
    expect(await failure(new ControlClient(newer).stop())).toEqual([
      "ERR_PREFORK_CONTROL",
      "new",
    ]);
  });

  it("says that nobody is there", async () => {
    const missing = path.join(temporaryDirectory(), "c.sock");
    const client = new ControlClient(missing);
    for (const asking of [client.status(), client.stop(), client.events()])
      expect(await failure(asking)).toEqual([
        "ERR_PREFORK_NO_MASTER",
        expect.stringContaining(missing),
      ]);
  });

  it("says that the server ended before it had answered", async () => {
    const file = await strange((socket) => socket.destroy());
    const asking = new ControlClient(file).reload();
    expect(await failure(asking)).toEqual([
      "ERR_PREFORK_CONTROL",
      expect.stringContaining("before it had answered"),
    ]);
  });

  it("says that the server ended amid the events", async () => {
    let hangUp = (): void => undefined;
    const file = await strange((socket) => {
      socket.write(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n{"type":"one"}\n\r\n',
      );
      hangUp = () => socket.destroy();
    });
    const events = await new ControlClient(file).events();
    expect(await events.next()).toMatchObject({ value: { type: "one" } });
    hangUp();
    expect(await failure(events.next())).toEqual([
      "ERR_PREFORK_CONTROL",
      expect.stringContaining("GET /events"),
    ]);
  });

  it("doesn't take any answer for one", async () => {
    const text = await strange((socket) =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    );
    const [code, message] = await failure(new ControlClient(text).status());
    expect(code).toBe("ERR_PREFORK_CONTROL");
    expect(message).toContain("no JSON");
    const { path: file } = await openSocket({
      reload: () => Promise.resolve([] as unknown as { ok: boolean }),
    });
    expect(await failure(new ControlClient(file).reload())).toEqual([
      "ERR_PREFORK_CONTROL",
      expect.stringContaining('no "ok"'),
    ]);
  });

  it("waits no longer than it was told to", async () => {
    const file = await strange(() => undefined);
    const client = new ControlClient(file);
    const [code, message] = await failure(client.status({ timeoutMs: 50 }));
    expect(code).toBe("ERR_PREFORK_CONTROL");
    expect(message).toContain("no answer within 50 ms");
    const controller = new AbortController();
    const asking = client.reload({ signal: controller.signal });
    const enough = new Error("enough");
    controller.abort(enough);
    await expect(asking).rejects.toBe(enough);
  });

  it("ends events by a signal", async () => {
    const subscribed = deferred();
    const unsubscribed = deferred();
    const { path: file } = await openSocket({
      subscribe: () => {
        subscribed.resolve();
        return () => unsubscribed.resolve();
      },
    });
    const controller = new AbortController();
    const { signal } = controller;
    const events = await new ControlClient(file).events({ signal });
    await subscribed.promise;
    const enough = new Error("enough");
    const next = events.next();
    controller.abort(enough);
    await expect(next).rejects.toBe(enough);
    await unsubscribed.promise;
  });
});
