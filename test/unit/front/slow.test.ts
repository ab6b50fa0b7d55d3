/** Clients that take their time: 408, and nobody else notices. The clock of these tests is what happens to other connections. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { head, passed } from "./conformance/row.js";
import { OK, ScriptedWorker } from "./conformance/scripted-worker.js";
import { RawClient, World, ask } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const SHORT_MS = 100;
const REFUSED =
  /^HTTP\/1\.1 408 Request Timeout\r\n[^]*Connection: close\r\n\r\n/;
const upload = (path: string): string =>
  head(`POST ${path} HTTP/1.1`, "Host: x", "Content-Length: 8");

/** Lets the time limits pass: each connection on which nothing is said is closed after one. */
async function limitsPass(port: number, times = 3): Promise<void> {
  for (let i = 0; i < times; i++) {
    const silent = await RawClient.connect(port);
    await silent.closed();
  }
}

describe("a slow header", () => {
  const options = { headersTimeoutMs: SHORT_MS };

  it("is answered 408, while others are served", async () => {
    const worker = new ScriptedWorker();
    const { port, url, front } = await world.simple(worker.server, options);
    const slow = await RawClient.connect(port);
    slow.send("GET /slow HTTP/1.1\r\nHost: x\r\nX-");
    expect((await ask(`${url}/quick`)).text).toBe("ok");
    expect(await slow.closed()).toMatch(REFUSED);
    expect(worker.text).not.toContain("/slow");
    expect(front.stats()).toMatchObject({ requests: 1, refused: 1 });
  });

  it("that comes behind a request in hand doesn't take its answer away", async () => {
    const worker = new ScriptedWorker([{ when: "never" }]);
    let answer: () => void = () => undefined;
    worker.server.on("connection", (socket) => {
      socket.once("data", () => (answer = () => socket.write(OK)));
    });
    const { port } = await world.simple(worker.server, options);
    const client = await RawClient.connect(port);
    client.send(`${head("GET /1 HTTP/1.1", "Host: x")}GET /2`);
    await worker.sees("/1");
    await limitsPass(port);
    answer();
    expect(await client.closed()).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[^]*okHTTP\/1\.1 408 /,
    );
  });

  it("never begun is no request: the connection just ends", async () => {
    const { port, front } = await world.front(options);
    const silent = await RawClient.connect(port);
    expect(await silent.closed()).toBe("");
    expect(front.stats().refused).toBe(0);
  });

  it("is not what an idle connection has after an answer", async () => {
    const { port } = await world.simple(new ScriptedWorker().server, options);
    const client = await RawClient.connect(port);
    client.send(head("GET /1 HTTP/1.1", "Host: x"));
    await client.sees("ok");
    await limitsPass(port);
    client.send(head("GET /2 HTTP/1.1", "Host: x"));
    await client.sees(/ok[^]+ok$/);
    client.socket.destroy();
  });
});

describe("a slow body", () => {
  const options = { bodyTimeoutMs: SHORT_MS, headersTimeoutMs: SHORT_MS };

  it("is answered 408 and taken from the worker, while others are served", async () => {
    const worker = new ScriptedWorker([{ when: "half" }]);
    const ended = new Promise<void>((resolve) => {
      worker.server.on("connection", (socket) => {
        socket.once("data", (data: Buffer) => {
          if (data.includes("/slow")) socket.once("close", () => resolve());
        });
      });
    });
    const { port, url, front, process } = await world.simple(
      worker.server,
      options,
    );
    const slow = await RawClient.connect(port);
    slow.send(`${upload("/slow")}half`);
    await worker.sees("half");
    expect((await ask(`${url}/quick`)).text).toBe("ok");
    expect(await slow.closed()).toMatch(REFUSED);
    await ended;
    await front.drain(process.target.id);
    expect(front.stats()).toMatchObject({ requests: 2, refused: 1 });
  });

  it("under an answer that has begun cuts it off", async () => {
    const worker = new ScriptedWorker([
      {
        when: "half",
        say: head("HTTP/1.1 200 OK", "Content-Length: 9") + "part",
      },
    ]);
    const { port } = await world.simple(worker.server, options);
    const slow = await RawClient.connect(port);
    slow.send(`${upload("/slow")}half`);
    await slow.sees("part");
    expect(await slow.closed()).toMatch(/\r\n\r\npart$/);
  });

  it("isn't one that the worker doesn't read", async () => {
    const size = 16 * 1024 * 1024;
    let begin: () => void = () => undefined;
    const { port } = await world.simple((request, response) => {
      begin = () => {
        let received = 0;
        request.on("data", (chunk: Buffer) => (received += chunk.length));
        request.once("end", () => response.end(`got ${received}`));
      };
      response.writeProcessing();
    }, options);
    const client = await RawClient.connect(port);
    client.send(head("POST / HTTP/1.1", "Host: x", `Content-Length: ${size}`));
    client.socket.write(Buffer.alloc(size));
    await client.sees("102 Processing");
    await limitsPass(port);
    begin();
    await client.sees(`got ${size}`);
    client.socket.destroy();
  });

  it("isn't one that nobody reads because the request is held", async () => {
    const worker = new ScriptedWorker([{ when: "12345678", say: OK }]);
    const { front, port } = await world.front(options);
    const client = await RawClient.connect(port);
    client.send(`${upload("/held")}1234`);
    await limitsPass(port);
    const process = await world.process(worker.server);
    front.admit(process.target);
    client.send("5678");
    expect(await client.sees(/ok$/)).toMatch(/^HTTP\/1\.1 200 /);
    expect(worker.text).toBe(
      passed("POST /held HTTP/1.1", "Host: x", "Content-Length: 8") +
        "12345678",
    );
    client.socket.destroy();
  });

  it("isn't one whose client waits for 100 Continue", async () => {
    const worker = new ScriptedWorker([{ when: "never" }]);
    let go: () => void = () => undefined;
    worker.server.on("connection", (socket) => {
      socket.once("data", () => {
        go = () => socket.write(head("HTTP/1.1 100 Continue") + OK);
      });
    });
    const { port } = await world.simple(worker.server, options);
    const client = await RawClient.connect(port);
    client.send(
      head(
        "POST /w HTTP/1.1",
        "Host: x",
        "Content-Length: 8",
        "Expect: 100-continue",
      ),
    );
    await worker.sees("/w");
    await limitsPass(port);
    go();
    expect(await client.sees(/ok$/)).toMatch(
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /,
    );
    client.socket.destroy();
  });
});
