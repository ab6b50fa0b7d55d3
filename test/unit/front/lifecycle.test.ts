import http from "node:http";
import net from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createFront } from "../../../src/front/front.js";
import { urlHost } from "../../../src/front/listen.js";
import { RawClient, World, ask, signal } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

describe("listen", () => {
  it("says what to do about a port that is taken", async () => {
    const { port } = await world.front();
    const second = createFront({
      host: "127.0.0.1",
      port,
      consistency: "fresh",
    });
    await expect(second.listen()).rejects.toMatchObject({
      code: "ERR_PREFORK_PORT",
      message: expect.stringContaining(
        `port ${port} of 127.0.0.1: another program listens there`,
      ) as string,
    });
    await second.close({ deadlineMs: 0 });
  });

  it("gives a URL that a browser can open", () => {
    expect(urlHost("::1")).toBe("[::1]");
    expect(urlHost("0.0.0.0")).toBe("localhost");
    expect(urlHost("127.0.0.1")).toBe("127.0.0.1");
  });
});

describe("holding", () => {
  it("lets requests wait for the first process, bodies unread", async () => {
    const { front, url, port } = await world.front();
    const body = "b".repeat(300_000);
    const replies = Promise.all([ask(url), ask(url, { method: "POST", body })]);
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1", "Host: x", "", "");
    const process = await world.process((request, response) => {
      request.pipe(response);
    });
    await front.connect(process.target);
    front.admit(process.target);
    const [got, posted] = await replies;
    expect(got.status).toBe(200);
    expect(posted.text).toBe(body);
    await client.sees("200 OK");
    client.socket.destroy();
  });

  it("ends with an answer that says why", async () => {
    const { front, url } = await world.front({ holdTimeoutMs: 1 });
    const plain = await ask(url);
    expect(plain.status).toBe(503);
    expect(plain.headers["retry-after"]).toBe("1");
    expect(plain.headers["x-prefork-worker"]).toBeUndefined();
    expect(plain.text).toMatch(/No worker is ready/);
    front.setOutage({
      title: "The code can't be compiled.",
      diagnostics: [
        { message: "unexpected }", file: "src/a.ts", line: 3, column: 1 },
      ],
    });
    expect((await ask(url, { method: "POST", body: "x" })).text).toMatch(
      /can't be compiled\.\n\nsrc\/a\.ts:3:1\nunexpected }/,
    );
    const head = await ask(url, { method: "HEAD" });
    expect([head.status, head.text]).toEqual([503, ""]);
  });

  it("drops requests whose client has gone", async () => {
    const seen: (string | undefined)[] = [];
    const { front, port, url, process } = await world.simple(
      (request, response) => {
        seen.push(request.url);
        response.end();
      },
    );
    const release = front.hold();
    const client = await RawClient.connect(port);
    client.send("GET /gone HTTP/1.1", "Host: x", "", "");
    const kept = ask(`${url}/kept`);
    const dropped = signal();
    const check = (): void => {
      // Each request that arrives is counted; both have, then one is gone.
      if (front.stats().heldTotal === 2) client.socket.destroy();
      if (front.stats().heldTotal === 2 && front.stats().held === 1)
        dropped.resolve();
      else setImmediate(check);
    };
    check();
    await dropped.promise;
    release();
    await kept;
    expect(seen).toEqual(["/kept"]);
    expect(front.leases(process.target.id)).toBe(0);
  });

  it("in the fresh window ends with the new generation", async () => {
    const { front, url, process } = await world.simple((_request, response) => {
      response.end("old");
    });
    expect((await ask(url)).text).toBe("old");
    const release = front.hold();
    const replies = Promise.all(Array.from({ length: 5 }, () => ask(url)));
    const next = await world.process(
      (_request, response) => {
        response.end("new");
      },
      { generation: 2 },
    );
    await front.connect(next.target);
    front.admit(next.target, process.target.id);
    release();
    for (const reply of await replies) {
      expect(reply.text).toBe("new");
      expect(reply.headers["x-prefork-generation"]).toBe("2");
    }
  });
});

describe("close", () => {
  it("lets what is in hand finish, tells clients to go, and is done once", async () => {
    const began = signal();
    const go = signal();
    const { front, url, port, process } = await world.simple(
      async (_request, response) => {
        began.resolve();
        await go.promise;
        response.end("done");
      },
    );
    const idle = await RawClient.connect(port);
    const agent = new http.Agent({ keepAlive: true });
    const reply = ask(url, { agent });
    await began.promise;
    const closed = front.close({ deadlineMs: 60_000 });
    expect(front.close({ deadlineMs: 0 })).toBe(closed);
    await idle.closed();
    await expect(ask(url)).rejects.toThrow(/ECONNREFUSED/);
    go.resolve();
    const { text, headers } = await reply;
    expect(text).toBe("done");
    expect(headers.connection).toBe("close");
    await closed;
    expect(front.leases(process.target.id)).toBe(0);
    agent.destroy();
  });

  it("closes kept-alive connections whose answer began before", async () => {
    const go = signal();
    const { front, port } = await world.simple(async (_request, response) => {
      response.write("begun,");
      await go.promise;
      response.end("done");
    });
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1", "Host: x", "", "");
    await client.sees("begun,");
    const closed = front.close({ deadlineMs: 60_000 });
    go.resolve();
    expect(await client.closed()).toMatch(/done\r\n0\r\n\r\n$/);
    await closed;
  });

  it("destroys what is left at the deadline, and answers what still waits", async () => {
    const began = signal();
    const { url, front } = await world.simple((_request, response) => {
      response.write("for ever");
      began.resolve();
    });
    const stuck = ask(url);
    stuck.catch(() => undefined);
    await began.promise;
    await front.close({ deadlineMs: 0 });
    await expect(stuck).rejects.toThrow();

    const { front: empty, url: other } = await world.front();
    const waiting = ask(other);
    const held = signal();
    const check = (): void => {
      if (empty.stats().held === 1) held.resolve();
      else setImmediate(check);
    };
    check();
    await held.promise;
    await empty.close({ deadlineMs: 60_000 });
    expect((await waiting).text).toMatch(/stopping/);
  });
});

it("connections made ahead are used, and closed when not", async () => {
  const process = await world.process((_request, response) => {
    response.end("x");
  });
  let accepted = 0;
  process.server.on("connection", () => accepted++);
  const { front, url } = await world.front();
  await front.connect(process.target);
  front.admit(process.target);
  expect(front.stats().targets).toEqual([
    {
      id: process.target.id,
      worker: 0,
      generation: 1,
      state: "admitted",
      leases: 0,
      streams: 0,
      isBlocked: false,
      requests: 0,
    },
  ]);
  await ask(url);
  await ask(url);
  expect(accepted).toBe(1);
  const spare = await world.process(() => undefined);
  await front.connect(spare.target);
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      spare.server.getConnections((error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      }),
    );
  expect(await connections()).toBe(1);
  const closed = new Promise((resolve) => spare.server.close(resolve));
  await front.drain(spare.target.id);
  front.remove(spare.target.id);
  await closed;
});

it("unknown ids do no harm", async () => {
  const { front } = await world.front();
  await front.drain(99);
  front.remove(99);
  expect(front.leases(99)).toBe(0);
});

it("nothing is taken for the port that isn't", async () => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const front = createFront({ host: "127.0.0.1", port, consistency: "fresh" });
  await expect(front.listen()).rejects.toThrow(String(port));
  server.close();
  await front.close({ deadlineMs: 0 });
});
