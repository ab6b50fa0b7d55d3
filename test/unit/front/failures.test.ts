import net from "node:net";
import type { RequestListener } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { RawClient, World, ask, signal } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const says =
  (text: string): RequestListener =>
  (_request, response) => {
    response.end(text);
  };
const hangsUp: RequestListener = (request) => {
  request.socket.destroy();
};

describe("a death mid-answer", () => {
  const halfway = (head: string): net.Server =>
    net.createServer((socket) => {
      socket.once("data", () => socket.end(head));
    });

  it.each([
    ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
    [
      "in chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
    [
      "in a chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
    ],
    ["before any of the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"],
  ])("%s reaches the client as an abort", async (_how, head) => {
    const { url, front, process } = await world.simple(halfway(head));
    await expect(ask(url)).rejects.toThrow(/aborted|hang up/);
    await front.drain(process.target.id);
  });

  it("reaches an HTTP/1.0 client as a reset, where an end would look complete", async () => {
    const { port } = await world.simple(
      halfway(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
      ),
    );
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.0", "", "");
    await client.closed();
    expect(client.ended).toBe(false);
    expect(client.error?.code).toBe("ECONNRESET");
  });

  it("leaves the other requests alone", async () => {
    const { url, front } = await world.simple(
      halfway("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
    );
    const other = await world.process(says("fine"), { generation: 2 });
    await expect(ask(url)).rejects.toThrow();
    front.admit(other.target);
    expect((await ask(url)).text).toBe("fine");
  });
});

describe("a process that drops a request unanswered", () => {
  it("has it taken over by another, when it may be repeated", async () => {
    const { url, front } = await world.simple(hangsUp);
    const other = await world.process(says("fine"), { worker: 1 });
    front.admit(other.target);
    for (let i = 0; i < 4; i++) {
      const reply = await ask(url);
      expect(reply.text).toBe("fine");
      expect(reply.headers["x-prefork-worker"]).toBe("1");
    }
    expect(front.stats().retries).toBeGreaterThan(0);
  });

  it("gets 502 said in its place for anything else", async () => {
    const { url, front } = await world.simple(hangsUp);
    const reply = await ask(url, { method: "POST", body: "x" });
    expect(reply.status).toBe(502);
    expect(reply.text).toMatch(
      /worker 0 died or hung up.*\n.*may have begun the work/,
    );
    expect((await ask(url, { method: "DELETE" })).status).toBe(502);
    expect(front.stats()).toMatchObject({ ownAnswers: 2, retries: 0 });
  });

  it("is followed by one other at most", async () => {
    const hits: number[] = [];
    const processes = await Promise.all(
      [0, 1, 2].map((worker) =>
        world.process(
          (request) => {
            hits.push(worker);
            request.socket.destroy();
          },
          { worker },
        ),
      ),
    );
    const { url, front } = await world.front();
    for (const { target } of processes) front.admit(target);
    const reply = await ask(url);
    expect(reply.status).toBe(502);
    expect(reply.text).toMatch(/A second process did the same/);
    expect(new Set(hits).size).toBe(2);
    expect(hits).toHaveLength(2);
  });

  it("and whose death is then known is waited out", async () => {
    const { url, front, process } = await world.simple(hangsUp);
    process.server.on("request", () => {
      front.remove(process.target.id);
    });
    const reply = ask(url);
    const other = await world.process(says("fine"));
    await process.die();
    front.admit(other.target);
    expect((await reply).text).toBe("fine");
  });

  it("and lives on, alone, gets 502 said in its place in the end", async () => {
    const { url } = await world.simple(hangsUp);
    const reply = await ask(url);
    expect(reply.status).toBe(502);
    expect(reply.text).toMatch(/no other process to try/);
  });
});

describe("a process that can't be connected to", () => {
  it("loses the request to another, body and all", async () => {
    const { url, front, process } = await world.simple(says("never"));
    const other = await world.process(
      (request, response) => {
        request.pipe(response);
      },
      { worker: 1 },
    );
    await process.die();
    front.admit(other.target);
    for (let i = 0; i < 4; i++) {
      const body = "b".repeat(100_000);
      const reply = await ask(url, { method: "POST", body });
      expect(reply.text).toBe(body);
      expect(reply.headers["x-prefork-worker"]).toBe("1");
    }
  });

  it("is told to whoever wanted to connect", async () => {
    const { front } = await world.front();
    const process = await world.process(says("x"));
    await process.die();
    await expect(front.connect(process.target)).rejects.toMatchObject({
      code: "ERR_PREFORK_BOOT",
      message: expect.stringMatching(
        /^Worker 0 .*can't be connected to/,
      ) as string,
    });
  });
});

describe("remove", () => {
  it("lets requests in hand fail over once their connections end", async () => {
    const began = signal();
    const { url, front, process } = await world.simple(() => began.resolve());
    const reply = ask(url);
    const upload = ask(url, { method: "POST", body: "x" });
    await began.promise;
    front.remove(process.target.id);
    const other = await world.process(says("fine"));
    front.admit(other.target);
    await process.die();
    expect((await reply).text).toBe("fine");
    expect([200, 502]).toContain((await upload).status);
    expect(front.stats().targets).toHaveLength(1);
  });

  it("ends what the kernel doesn't, after a while", async () => {
    const began = signal();
    const { url, front, process } = await world.simple(() => began.resolve());
    const reply = ask(url, { method: "POST", body: "x" });
    await began.promise;
    front.remove(process.target.id);
    expect((await reply).text).toMatch(/its process has ended/);
  });

  it("doesn't take away what the process had written before it died", async () => {
    const { port, front, process } = await world.simple(
      (_request, response) => {
        response.end("last words", () => {
          front.remove(process.target.id);
        });
      },
    );
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1", "Host: x", "", "");
    await client.sees("last words");
    client.socket.destroy();
  });
});

it("an idle connection that the process has closed costs nothing", async () => {
  const server = net.createServer((socket) => {
    let first = true;
    socket.on("data", () => {
      // The second request on a connection meets its end, as in a race with a keep-alive timeout.
      if (first) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      else socket.destroy();
      first = false;
    });
  });
  const { url, front } = await world.simple(server);
  expect((await ask(url)).text).toBe("ok");
  expect((await ask(url)).text).toBe("ok");
  expect(front.stats().retries).toBe(1);
});
