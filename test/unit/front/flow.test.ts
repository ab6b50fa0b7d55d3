/** Back-pressure: what a side doesn't read is held back at the other, whatever its size. Counted, not timed. */
import http from "node:http";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { RawClient, World, ask, signal } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

vi.setConfig({ testTimeout: 60_000 });

const SIZE = 64 * 1024 * 1024;
/** What the buffers of two sockets and of four streams may hold together: the kernel lets TCP's grow to several MB. */
const IN_FLIGHT = SIZE / 2;
const CHUNK = Buffer.alloc(64 * 1024, "x");

/** Writes until all is written, as fast as it is taken. */
async function pour(
  sink: http.OutgoingMessage,
  onWrite: (bytes: number) => void,
): Promise<void> {
  for (let sent = 0; sent < SIZE; sent += CHUNK.length) {
    onWrite(CHUNK.length);
    if (!sink.write(CHUNK)) await once(sink, "drain");
  }
  sink.end();
}

/** Waits until a count stands still for 50 requests of somebody else's, which also shows that nobody else is held up. */
async function standstill(url: string, count: () => number): Promise<void> {
  let last = -1;
  for (let same = 0; same < 50; same++) {
    expect((await ask(`${url}/small`)).text).toBe("small");
    if (count() === last) continue;
    last = count();
    same = 0;
  }
}

describe("back-pressure", () => {
  it("a client that doesn't read holds back the worker, and gets all in the end", async () => {
    let written = 0;
    const { url } = await world.simple((request, response) => {
      if (request.url === "/small") response.end("small");
      else void pour(response, (bytes) => (written += bytes));
    });
    const request = http.get(`${url}/large`, { agent: false });
    const [answer] = (await once(request, "response")) as [
      http.IncomingMessage,
    ];
    await standstill(url, () => written);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(IN_FLIGHT);
    let received = 0;
    answer.on("data", (chunk: Buffer) => (received += chunk.length));
    await once(answer, "end");
    expect(received).toBe(SIZE);
  });

  it("a worker that doesn't read holds back the client, and gets all in the end", async () => {
    let written = 0;
    let received = 0;
    const go = signal();
    const { url } = await world.simple(async (request, response) => {
      if (request.url === "/small") {
        response.end("small");
        return;
      }
      await go.promise;
      for await (const chunk of request) received += (chunk as Buffer).length;
      response.end("thanks");
    });
    const request = http.request(`${url}/large`, {
      agent: false,
      method: "POST",
    });
    const poured = pour(request, (bytes) => (written += bytes));
    await standstill(url, () => written);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(IN_FLIGHT);
    go.resolve();
    const [answer] = (await once(request, "response")) as [
      http.IncomingMessage,
    ];
    await poured;
    answer.resume();
    await once(answer, "end");
    expect(received).toBe(SIZE);
  });

  it("both at once, through one request, come to the same", async () => {
    const { url } = await world.simple((request, response) => {
      request.pipe(response);
    });
    const request = http.request(url, { agent: false, method: "PUT" });
    const poured = pour(request, () => undefined);
    const [answer] = (await once(request, "response")) as [
      http.IncomingMessage,
    ];
    let received = 0;
    answer.on("data", (chunk: Buffer) => (received += chunk.length));
    await Promise.all([once(answer, "end"), poured]);
    expect(received).toBe(SIZE);
  });
});

describe("pipelined requests", () => {
  const requests = (count: number): string =>
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(count);

  it("wait for their turn up to a thousand; a connection with more ends", async () => {
    const { front, port } = await world.front();
    const many = await RawClient.connect(port);
    const tooMany = await RawClient.connect(port);
    many.send(requests(1_001));
    tooMany.send(requests(1_100));
    expect(await tooMany.closed()).toBe("");
    // Of each connection the first waits for a process; those of the one that ended have left.
    expect(front.stats().held).toBe(1);
    const process = await world.process((_request, response) =>
      response.end("ok"),
    );
    front.admit(process.target);
    await many.until(() => many.text.split("HTTP/1.1 200").length === 1_002);
    many.socket.destroy();
  });
});
