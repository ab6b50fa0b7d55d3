import http from "node:http";
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";

import type { FakeProcess } from "./helpers.js";
import { World, ask, signal } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const WORKERS = 3;
const ROLLS = 8;

/** An app that echoes, some of it slowly: answers are under way whenever a process is replaced. */
const app: http.RequestListener = (request, response) => {
  if (request.method === "GET") {
    response.write("begun ");
    setImmediate(() => response.end(request.url));
    return;
  }
  request.pipe(response);
};

it(
  "replacing every process again and again loses nothing and answers nothing stale",
  { timeout: 120_000 },
  async () => {
    const { front, url } = await world.front();
    const pool: FakeProcess[] = [];
    for (let worker = 0; worker < WORKERS; worker++) {
      const process = await world.process(app, { worker });
      await front.connect(process.target);
      front.admit(process.target);
      pool.push(process);
    }

    const payloads = [1 << 10, 50_000, 1 << 20].map((size) =>
      randomBytes(size),
    );
    const agent = new http.Agent({ keepAlive: true });
    const lost: string[] = [];
    const stale: string[] = [];
    let newest = 1;
    let answered = 0;
    let rolling = true;
    const check = async (
      options: http.RequestOptions & { body?: Buffer },
      expected: Buffer,
    ): Promise<void> => {
      const before = newest;
      try {
        const reply = await ask(`${url}/page`, options);
        const generation = Number(reply.headers["x-prefork-generation"]);
        if (reply.status !== 200 || !reply.body.equals(expected))
          lost.push(
            `${String(options.method)} ${reply.status} ${reply.text.slice(0, 80)}`,
          );
        if (generation < before) stale.push(`${generation} after ${before}`);
        newest = Math.max(newest, generation);
        answered++;
      } catch (error) {
        lost.push(`${String(options.method)} ${String(error)}`);
      }
    };
    const client = async (index: number): Promise<void> => {
      for (let turn = index; rolling; turn++) {
        const how = turn % 2 === 0 ? { agent } : {};
        if (turn % 3 === 0)
          await check({ method: "GET", ...how }, Buffer.from("begun /page"));
        else {
          const body = payloads[turn % payloads.length] ?? Buffer.alloc(0);
          const framing =
            turn % 5 === 0
              ? { "Transfer-Encoding": "chunked" }
              : { "Content-Length": body.length };
          await check({ method: "POST", body, headers: framing, ...how }, body);
        }
      }
    };
    const clients = Promise.all(
      Array.from({ length: 12 }, (_, index) => client(index)),
    );

    for (let generation = 2; generation <= ROLLS + 1; generation++) {
      const release = front.hold();
      for (let worker = 0; worker < WORKERS; worker++) {
        const old = pool[worker];
        const next = await world.process(app, { worker, generation });
        await front.connect(next.target);
        front.admit(next.target, old?.target.id);
        release();
        pool[worker] = next;
        if (old === undefined) continue;
        await front.drain(old.target.id);
        expect(front.leases(old.target.id)).toBe(0);
        // As hard as SIGKILL: a lease that is back really is, or something is lost now.
        await old.die();
        front.remove(old.target.id);
      }
    }
    rolling = false;
    await clients;
    agent.destroy();
    expect(lost).toEqual([]);
    expect(stale).toEqual([]);
    expect(newest).toBe(ROLLS + 1);
    expect(answered).toBeGreaterThan(ROLLS * WORKERS * 3);
    expect(front.stats()).toMatchObject({ held: 0, ownAnswers: 0, retries: 0 });
    expect(front.stats().targets).toHaveLength(WORKERS);
  },
);

it("a drain lasts as long as the last answer, event streams included", async () => {
  const go = signal();
  const { front, url, process } = await world.simple(
    async (_request, response) => {
      response.write("event 1;");
      await go.promise;
      response.end("event 2;");
    },
  );
  const began = signal();
  process.server.once("request", () => began.resolve());
  const reply = ask(url);
  await began.promise;
  const next = await world.process(
    (_request, response) => response.end("next"),
    { generation: 2 },
  );
  front.admit(next.target, process.target.id);
  let drained = false;
  const drain = front.drain(process.target.id).then(() => (drained = true));
  expect((await ask(url)).text).toBe("next");
  expect(drained).toBe(false);
  expect(front.leases(process.target.id)).toBe(1);
  go.resolve();
  expect((await reply).text).toBe("event 1;event 2;");
  await drain;
});
