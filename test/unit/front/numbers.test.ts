/** What the front counts: histograms, series that don't grow for ever, and sums that agree with what was sent. */
import net from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Histogram } from "../../../src/front/numbers/histogram.js";
import { NumberBook } from "../../../src/front/numbers/number-book.js";
import { RawClient, World, ask, signal } from "./helpers.js";

describe("a histogram", () => {
  it("counts each time once, up to the first bound that it isn't longer than", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 300_000, noNaN: true })),
        (times) => {
          const histogram = new Histogram();
          for (const time of times) histogram.observe(time);
          const { count, buckets } = histogram.value();
          expect(count).toBe(times.length);
          for (const bucket of buckets) {
            const exact = times.filter((time) => time <= bucket.upToMs).length;
            expect([bucket.upToMs, bucket.count]).toEqual([
              bucket.upToMs,
              exact,
            ]);
          }
        },
      ),
    );
  });

  it("estimates quantiles to a fifth, whatever the times are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.25, max: 100_000, noNaN: true }), {
          minLength: 1,
        }),
        fc.constantFrom(0.5, 0.99),
        (times, share) => {
          const histogram = new Histogram();
          for (const time of times) histogram.observe(time);
          const sorted = times.toSorted((a, b) => a - b);
          const exact = sorted[Math.ceil(share * times.length) - 1] ?? 0;
          const estimate = histogram.quantile(share) ?? 0;
          expect(estimate).toBeGreaterThan(exact / 1.2);
          expect(estimate).toBeLessThan(exact * 1.2);
        },
      ),
    );
  });

  it("has no quantile of nothing", () => {
    expect(new Histogram().quantile(0.5)).toBeUndefined();
  });
});

describe("the book", () => {
  it("forgets the latencies of old generations, and never a worker's numbers", () => {
    const book = new NumberBook();
    for (let generation = 1; generation <= 1_000; generation++) {
      for (const worker of [1, 0]) {
        book.totals(worker).requests++;
        book.latency(worker, generation).observe(1);
      }
    }
    expect(
      book.latencies().map(({ worker, generation }) => [generation, worker]),
    ).toEqual(
      [996, 997, 998, 999, 1_000].flatMap((generation) => [
        [generation, 0],
        [generation, 1],
      ]),
    );
    expect(book.workers().map(({ requests }) => requests)).toEqual([
      1_000, 1_000,
    ]);
  });
});

describe("the front's numbers", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.end());

  it("are those of the bytes on the wire, on both sides, also when all connections are closed", async () => {
    const { front, port, process } = await world.simple((request, response) => {
      request.resume().once("end", () => response.end("x".repeat(100_000)));
    });
    let sent = 0;
    let received = 0;
    for (const body of ["", "y".repeat(50_000)]) {
      const client = await RawClient.connect(port);
      client.send(
        "POST / HTTP/1.1",
        "Host: x",
        `Content-Length: ${body.length}`,
        "Connection: close",
        "",
        body,
      );
      await client.closed();
      sent += client.socket.bytesWritten;
      received += client.text.length;
    }
    await front.drain(process.target.id);
    const numbers = front.numbers();
    expect(numbers).toMatchObject({ requests: 2, connections: 0 });
    expect([numbers.bytesIn, numbers.bytesOut]).toEqual([sent, received]);
    const [worker] = numbers.workers;
    expect(worker).toMatchObject({ worker: 0, requests: 2, retries: 0 });
    // The front adds some fields, and the worker others.
    expect(worker?.bytesIn).toBeGreaterThan(50_000);
    expect(worker?.bytesOut).toBeGreaterThan(200_000);
    const [latency] = numbers.latencies;
    expect(latency).toMatchObject({ worker: 0, generation: 1 });
    expect(latency?.latency.count).toBe(2);
  });

  it("count an upgraded socket's bytes while it is open", async () => {
    const app = net.createServer((socket) => {
      socket.once("data", () => {
        socket.write(
          "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
        );
        socket.pipe(socket);
      });
    });
    const { front, port } = await world.simple(app);
    const client = await RawClient.connect(port);
    client.send(
      "GET / HTTP/1.1",
      ...["Host: x", "Connection: Upgrade", "Upgrade: echo", "", ""],
    );
    await client.sees("\r\n\r\n");
    client.send("z".repeat(5_000));
    await client.sees("z".repeat(5_000));
    const { upgrades, bytesIn, bytesOut, workers } = front.numbers();
    expect(upgrades).toBe(1);
    expect(bytesIn).toBe(client.socket.bytesWritten);
    expect(bytesOut).toBe(client.text.length);
    expect(workers).toMatchObject([{ upgrades: 1, requests: 1 }]);
    expect(workers[0]?.bytesOut).toBeGreaterThan(5_000);
  });

  it("say why requests were refused", async () => {
    const { front, url, port } = await world.simple(
      (_, response) => response.end(),
      { allowedHosts: [] },
    );
    await ask(url, { headers: { host: "evil.example" } });
    for (const line of ["GET / HTTP/1.1", "nonsense", "GET / HTTP/2.0"]) {
      const client = await RawClient.connect(port);
      client.send(line, "", "");
      await client.closed();
    }
    expect(front.numbers()).toMatchObject({
      requests: 0,
      refused: 4,
      refusals: { host: 1, malformed: 2, unsupported: 1, slow: 0 },
    });
  });

  it("say what had to wait, and what was tried again", async () => {
    const { front, url } = await world.front();
    const asked = ask(url);
    const held = signal();
    const look = (): void => {
      if (front.numbers().held === 1) held.resolve();
      else setImmediate(look);
    };
    look();
    await held.promise;
    const dying = await world.process((request) => request.socket.destroy(), {
      worker: 1,
    });
    front.admit(dying.target);
    const well = await world.process((_, response) => response.end("ok"));
    front.admit(well.target);
    front.remove(dying.target.id);
    expect((await asked).text).toBe("ok");
    const { heldTotal, holds, retries, workers, requests } = front.numbers();
    expect(requests).toBe(1);
    expect(retries).toBe(1);
    expect(holds.count).toBe(heldTotal);
    const given = workers.reduce((sum, each) => sum + each.requests, 0);
    expect(given).toBe(requests + retries);
    expect(workers).toMatchObject([
      { worker: 0, retries: 0 },
      { worker: 1, retries: 1 },
    ]);
  });
});
