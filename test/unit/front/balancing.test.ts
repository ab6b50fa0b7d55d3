/** Who gets a request, and what waits: through a real front, to scripted processes. */
import http from "node:http";
import net from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import type { Front } from "../../../src/front/types.js";
import { cert, key } from "./certificate.js";
import { RawClient, World, ask, signal } from "./helpers.js";
import type { FakeProcess, Reply } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

/** A process whose answers wait until they're let go, and what it has in hand. */
interface Held {
  readonly process: FakeProcess;
  readonly inHand: string[];
  /** Fulfils when it has had so many requests. */
  readonly had: (count: number) => Promise<void>;
  /** Answers the oldest. */
  readonly answer: () => void;
  readonly mostAtATime: () => number;
}

async function held(): Promise<Held> {
  const inHand: string[] = [];
  const responses: http.ServerResponse[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let count = 0;
  let most = 0;
  const process = await world.process((request, response) => {
    inHand.push(request.url ?? "");
    responses.push(response);
    most = Math.max(most, inHand.length);
    count++;
    for (const each of waiting) if (each.count <= count) each.resolve();
  });
  return {
    process,
    inHand,
    had: (wanted) => {
      const { promise, resolve } = signal();
      waiting.push({ count: wanted, resolve });
      if (count >= wanted) resolve();
      return promise;
    },
    answer: () => {
      responses.shift()?.end(inHand.shift());
    },
    mostAtATime: () => most,
  };
}

/** Sends a request, and fulfils when the front has it: with what it will be answered. */
async function send(
  front: Front,
  url: string,
  options: http.RequestOptions = {},
): Promise<{ reply: Promise<Reply> }> {
  const before = front.stats().requests;
  const reply = ask(url, options);
  reply.catch(() => undefined);
  await until(() => front.stats().requests > before);
  return { reply };
}

/** Looks again with each turn of the loop: what is waited for is another part's doing. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition())
    await new Promise<void>((resolve) => setImmediate(resolve));
}

describe("with one request at a time for each process", () => {
  it("the others wait in the front, in order, and take turns with those that are done", async () => {
    const { front, url } = await world.front({ concurrency: 1 });
    const processes = [await held(), await held()] as const;
    for (const { process } of processes) front.admit(process.target);
    const replies: Promise<Reply>[] = [];
    for (let i = 0; i < 6; i++)
      replies.push((await send(front, `${url}/${i}`)).reply);
    await Promise.all(processes.map(({ had }) => had(1)));
    expect(front.stats()).toMatchObject({ held: 4 });
    for (let turn = 1; turn <= 3; turn++) {
      await Promise.all(processes.map(({ had }) => had(turn)));
      const urls = processes.flatMap(({ inHand }) => inHand);
      expect(urls.sort()).toEqual([`/${2 * turn - 2}`, `/${2 * turn - 1}`]);
      for (const { answer } of processes) answer();
    }
    const texts = (await Promise.all(replies)).map(({ text }) => text);
    expect(texts).toEqual(["/0", "/1", "/2", "/3", "/4", "/5"]);
    expect(processes.map(({ mostAtATime }) => mostAtATime())).toEqual([1, 1]);
  });

  it("a page with an open event stream and a WebSocket starves nobody", async () => {
    const server = http.createServer((request, response) => {
      if (request.url !== "/events") return void response.end("plain");
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
    });
    new WebSocketServer({ server }).on("connection", (socket) =>
      socket.on("message", (data: Buffer) => socket.send(data)),
    );
    const { front, url, port } = await world.simple(server, { concurrency: 1 });
    const events = await RawClient.connect(port);
    events.send("GET /events HTTP/1.1", "Host: x", "", "");
    await events.sees("data: 1");
    const socket = new WebSocket(url.replace("http", "ws"));
    await once(socket, "open");
    expect(front.stats().targets).toMatchObject([{ leases: 2, streams: 2 }]);
    expect((await ask(url)).text).toBe("plain");
    expect(front.isAnswering()).toBe(false);
    const echo = once(socket, "message");
    socket.send("still open");
    expect(String((await echo)[0])).toBe("still open");
    socket.terminate();
    events.socket.destroy();
  });

  it("those that wait are dropped with their client, and the queue has an end", async () => {
    const { front, url, port } = await world.front({
      ...{ concurrency: 1, maxHeld: 1, holdTimeoutMs: 60_000 },
    });
    const { process, had, answer, inHand } = await held();
    front.admit(process.target);
    const first = await send(front, `${url}/first`);
    const client = await RawClient.connect(port);
    client.send("GET /gone HTTP/1.1", "Host: x", "", "");
    await until(() => front.stats().held === 1);
    const { status, headers, text } = await ask(`${url}/too-many`);
    expect([status, headers["retry-after"]]).toEqual([503, "1"]);
    expect(text).toMatch(/concurrency.*maxHeld/);
    client.socket.destroy();
    await until(() => front.stats().held === 0);
    const last = await send(front, `${url}/last`);
    await had(1);
    answer();
    await had(2);
    expect(inHand).toEqual(["/last"]);
    answer();
    expect((await first.reply).text).toBe("/first");
    expect((await last.reply).text).toBe("/last");
  });

  it("a wait that is too long ends with 503, although a process is there", async () => {
    const { front, url } = await world.front({
      ...{ concurrency: 1, holdTimeoutMs: 1 },
    });
    const { process, had, answer } = await held();
    front.admit(process.target);
    const { reply } = await send(front, `${url}/first`);
    await had(1);
    const late = await ask(url, { headers: { accept: "application/json" } });
    expect(late.status).toBe(503);
    expect(JSON.parse(late.text)).toMatchObject({
      status: 503,
      detail: expect.stringMatching(/as many requests/) as string,
    });
    answer();
    expect((await reply).status).toBe(200);
  });

  it("a process more lets those that wait go on at once", async () => {
    const { front, url } = await world.front({ concurrency: 1 });
    const one = await held();
    const two = await held();
    front.admit(one.process.target);
    for (let i = 0; i < 3; i++) await send(front, `${url}/${i}`);
    await one.had(1);
    expect(front.stats().held).toBe(2);
    front.admit(two.process.target);
    await two.had(1);
    expect(two.inHand).toEqual(["/1"]);
    expect(front.stats().held).toBe(1);
  });

  it("what a process that dies had in hand goes before those that wait", async () => {
    const { front, url } = await world.front({ concurrency: 1 });
    const dying = await held();
    front.admit(dying.process.target);
    const first = await send(front, `${url}/first`);
    await dying.had(1);
    const second = await send(front, `${url}/second`);
    await until(() => front.stats().held === 1);
    await dying.process.die();
    front.remove(dying.process.target.id);
    await until(() => front.stats().held === 2);
    const next = await held();
    front.admit(next.process.target);
    await next.had(1);
    expect(next.inHand).toEqual(["/first"]);
    next.answer();
    await next.had(2);
    next.answer();
    expect((await first.reply).text).toBe("/first");
    expect((await second.reply).text).toBe("/second");
  });
});

describe("a process whose event loop is blocked", () => {
  /** Questions that are answered when the test says so; other processes answer at once. */
  function probes(): {
    probe: (id: number) => Promise<void>;
    block: (id: number) => void;
    turn: (id: number) => void;
  } {
    const blocked = new Map<number, ReturnType<typeof signal>>();
    return {
      probe: async (id) => {
        await blocked.get(id)?.promise;
      },
      block: (id) => blocked.set(id, signal()),
      turn: (id) => {
        blocked.get(id)?.resolve(undefined);
        blocked.delete(id);
      },
    };
  }
  const isBlocked = (front: Front, { target }: FakeProcess): boolean =>
    front
      .stats()
      .targets.some(({ id, isBlocked }) => id === target.id && isBlocked);

  it("gets nothing while another is responsive, and what it has stays there", async () => {
    const { probe, block, turn } = probes();
    const { front, url } = await world.front({ probe });
    const stuck = await held();
    front.admit(stuck.process.target);
    block(stuck.process.target.id);
    const { reply } = await send(front, `${url}/stuck`);
    await stuck.had(1);
    await until(() => isBlocked(front, stuck.process));
    const other = await world.process((_request, response) => {
      response.end("other");
    });
    front.admit(other.target);
    // All at a time: by leases alone it would be its turn as well.
    const replies = await Promise.all(
      Array.from({ length: 30 }, () => ask(url)),
    );
    expect(new Set(replies.map(({ text }) => text))).toEqual(
      new Set(["other"]),
    );
    expect(stuck.inHand).toEqual(["/stuck"]);
    turn(stuck.process.target.id);
    await until(() => !isBlocked(front, stuck.process));
    stuck.answer();
    expect((await reply).text).toBe("/stuck");
    expect(front.stats().retries).toBe(0);
  });

  it("that is the only one: requests wait until it turns, or another comes", async () => {
    const { probe, block, turn } = probes();
    const { front, url } = await world.front({ probe });
    const stuck = await held();
    const { id } = stuck.process.target;
    front.admit(stuck.process.target);
    for (const how of ["turns", "other"]) {
      block(id);
      await send(front, `${url}/stuck`);
      await until(() => isBlocked(front, stuck.process));
      const waiting = await send(front, `${url}/waiting`);
      expect(front.stats().held).toBe(1);
      if (how === "turns") {
        turn(id);
        await stuck.had(2);
        expect(stuck.inHand).toEqual(["/stuck", "/waiting"]);
        stuck.answer();
        stuck.answer();
        expect((await waiting.reply).text).toBe("/waiting");
        continue;
      }
      const other = await world.process((_request, response) => {
        response.end("other");
      });
      front.admit(other.target);
      expect((await waiting.reply).text).toBe("other");
      turn(id);
    }
  });

  it("that is the only one gets what has waited long enough", async () => {
    const { probe, block } = probes();
    const { front, url } = await world.front({ probe, holdTimeoutMs: 40 });
    const stuck = await held();
    front.admit(stuck.process.target);
    block(stuck.process.target.id);
    await send(front, `${url}/stuck`);
    await until(() => isBlocked(front, stuck.process));
    const { reply } = await send(front, `${url}/late`);
    await stuck.had(2);
    stuck.answer();
    stuck.answer();
    expect((await reply).text).toBe("/late");
  });

  it("loses what waits for it and was not sent yet, whatever the method", async () => {
    const { probe, block } = probes();
    const { front, url } = await world.front({ probe });
    // A TLS handshake needs the loop of the process: until it is done nothing is sent.
    const mute = await world.process(
      net.createServer((socket) => socket.resume()),
      { tls: { key, cert } },
    );
    front.admit(mute.target);
    block(mute.target.id);
    const replies = [
      await send(front, url),
      await send(front, url, { method: "DELETE" }),
      await send(front, url, { method: "POST" }),
    ];
    expect(front.leases(mute.target.id)).toBe(3);
    const other = await world.process((request, response) => {
      response.end(request.method);
    });
    front.admit(other.target);
    const got = await Promise.all(replies.map(({ reply }) => reply));
    expect(got.map(({ status, text }) => `${status} ${text}`)).toEqual([
      ...["200 GET", "200 DELETE", "200 POST"],
    ]);
    expect(front.leases(mute.target.id)).toBe(0);
  });
});
