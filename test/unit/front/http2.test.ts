/** HTTP/2 connections over time: what is given up, cut off, held back and closed, and when. */
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import * as tls from "./certificate.js";
import { RawClient, World } from "./helpers.js";
import {
  DATA,
  END_STREAM,
  FrameClient,
  GOAWAY,
  HEADERS,
  RST_STREAM,
  askHttp2,
  connectHttp2,
  reply,
} from "./http2-client.js";

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } =
  http2.constants;

type Asked = http.IncomingMessage;
type Answer = http.ServerResponse;

/** Newer versions of Node have it. */
function deferred<Value>(): {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
} {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((given) => (resolve = given));
  return { promise, resolve };
}

// Nothing is timed here; this is for a machine that is busy.
vi.setConfig({ testTimeout: 30_000 });

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(async () => {
  await world.end();
});

const GET = [":method", "GET", ":scheme", "https", ":path", "/"];
const POST = [":method", "POST", ":scheme", "https", ":path", "/"];

test("who is answered: the Host rule and the front's own endpoints are those of HTTP/1.1, and its bytes are counted", async () => {
  const { front, port } = await world.simple(
    (_request, response) => response.end("app"),
    {
      tls,
      allowedHosts: [],
      endpoints: {
        isOpen: () => true,
        status: () => ({ generation: 7 }),
        reload: () => Promise.resolve({ outcome: "done" }),
      },
    },
  );
  const session = await connectHttp2(port);
  const authority = `localhost:${port}`;
  const asking = (path: string, more: object = {}) =>
    askHttp2(session, { ":authority": authority, ":path": path, ...more });
  expect(await asking("/")).toMatchObject({ status: 200, text: "app" });
  const evil = await asking("/", { ":authority": "evil.test" });
  expect(evil.status).toBe(403);
  expect(evil.text).toContain("--allowed-host evil.test");
  const status = await asking("/__prefork/status");
  expect(JSON.parse(status.text)).toEqual({ generation: 7 });
  const origin = `https://${authority}`;
  expect((await asking("/__prefork/status", { origin })).status).toBe(200);
  const plain = { origin: `http://${authority}` };
  expect((await asking("/__prefork/status", plain)).status).toBe(403);
  const acting = { ":method": "POST" };
  expect((await asking("/__prefork/reload", acting)).status).toBe(403);
  const { refusals, bytesIn, bytesOut, connections } = front.numbers();
  expect(refusals).toMatchObject({ host: 1, origin: 2 });
  expect(connections).toBe(1);
  expect(bytesIn).toBeGreaterThan(100);
  expect(bytesOut).toBeGreaterThan(300);
});

describe("what breaks off", () => {
  test.each([
    ["with a length", { "content-length": "100" }],
    ["in chunks", {}],
  ])(
    "an answer %s, when its process dies: a reset, never an end",
    async (_name, headers) => {
      const { port, process } = await world.simple(
        (_request, response) => {
          response.writeHead(200, headers);
          response.write("a part");
        },
        { tls },
      );
      const client = await FrameClient.connect(port);
      client.headers(1, [...GET, ":authority", "x"]);
      await client.sees(DATA, 1);
      await process.die();
      const reset = await client.sees(RST_STREAM, 1);
      expect(reset.payload.readUInt32BE()).not.toBe(NGHTTP2_NO_ERROR);
      const ends = client.frames.filter(
        ({ type, flags }) => type <= HEADERS && (flags & END_STREAM) !== 0,
      );
      expect(ends).toEqual([]);
    },
  );

  test("a request that the client cancels: its process is told, and the lease is back", async () => {
    const gone = deferred<true>();
    const begun = deferred<true>();
    const { front, port, process } = await world.simple(
      (request, response) => {
        begun.resolve(true);
        request.resume();
        response.once("close", () => gone.resolve(true));
      },
      { tls },
    );
    const session = await connectHttp2(port);
    const waiting = session.request({ ":path": "/" });
    const uploading = session.request({ ":path": "/", ":method": "POST" });
    uploading.write("a part");
    await begun.promise;
    for (const each of [waiting, uploading]) {
      each.on("error", () => undefined);
      each.close(NGHTTP2_CANCEL);
    }
    await gone.promise;
    await front.drain(process.target.id);
    expect(front.leases(process.target.id)).toBe(0);
    expect(session.destroyed).toBe(false);
  });

  test("a client that ends its side has gone: its process is told, and nothing of its connection is left", async () => {
    const gone = deferred<true>();
    const { front, port } = await world.simple(
      (_request, response) => {
        response.once("close", () => gone.resolve(true));
      },
      { tls },
    );
    const client = await FrameClient.connect(port);
    client.headers(1, [...GET, ":authority", "x"]);
    await vi.waitFor(() => expect(front.stats().targets[0]?.leases).toBe(1));
    client.end();
    await gone.promise;
    await vi.waitFor(() => expect(front.numbers().connections).toBe(0));
  });

  test("a GET is repeated elsewhere when its process dies, as in HTTP/1.1", async () => {
    const first = await world.process((request) => {
      request.socket.destroy();
    });
    const second = await world.process(
      (_request, response) => response.end("second"),
      { worker: 1 },
    );
    const { front, port } = await world.front({ tls });
    for (const { target } of [first, second]) {
      await front.connect(target);
      front.admit(target);
    }
    const session = await connectHttp2(port);
    const texts = await Promise.all(
      [1, 2, 3].map(async () => await askHttp2(session, { ":path": "/" })),
    );
    expect(texts.map(({ text }) => text)).toEqual(Array(3).fill("second"));
  });
});

describe("an answer before the request is whole", () => {
  test("the process reads on: it gets all of it", async () => {
    const received = deferred<string>();
    const { port } = await world.simple(
      (request, response) => {
        response.end("early");
        let text = "";
        request.on("data", (chunk: Buffer) => (text += String(chunk)));
        request.on("end", () => received.resolve(text));
      },
      { tls },
    );
    const session = await connectHttp2(port);
    const stream = session.request({ ":path": "/", ":method": "POST" });
    stream.resume().write("one ");
    await once(stream, "end");
    stream.end("two");
    expect(await received.promise).toBe("one two");
  });

  test("the process doesn't: the client is told to stop, without an error", async () => {
    const upstream = net.createServer((socket) => {
      socket.once("data", () => {
        socket.end("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
        setImmediate(() => socket.destroy());
      });
    });
    const { port } = await world.simple(upstream, { tls });
    const client = await FrameClient.connect(port);
    client.headers(1, [...POST, ":authority", "x"], false);
    client.data(1, "a part", false);
    const data = await client.sees(DATA, 1);
    expect(data.payload.toString()).toBe("no");
    client.data(1, "another", false);
    const reset = await client.sees(RST_STREAM, 1);
    expect(reset.payload.readUInt32BE()).toBe(NGHTTP2_NO_ERROR);
  });

  test("100-continue: asked for, or refused without the body", async () => {
    const app = http.createServer((request, response) => {
      request.pipe(response);
    });
    app.on("checkContinue", (request: Asked, response: Answer) => {
      if (request.url === "/no") {
        response.writeHead(417, { "content-length": 0 }).end();
        return;
      }
      response.writeContinue();
      request.pipe(response);
    });
    const { port } = await world.simple(app, { tls });
    const session = await connectHttp2(port);
    const ask = async (path: string): ReturnType<typeof reply> => {
      const stream = session.request({
        ...{ ":path": path, ":method": "POST", expect: "100-continue" },
      });
      stream.once("continue", () => stream.end("body"));
      return await reply(stream);
    };
    expect(await ask("/yes")).toMatchObject({ status: 200, text: "body" });
    expect(await ask("/no")).toMatchObject({ status: 417, code: 0 });
  });
});

describe("time and size", () => {
  test("a body that stops arriving: 408, and others on the connection go on", async () => {
    const { port } = await world.simple(
      (request, response) => {
        request.resume().on("end", () => response.end("ok"));
      },
      { tls, bodyTimeoutMs: 50 },
    );
    const session = await connectHttp2(port);
    const slow = session.request({ ":path": "/", ":method": "POST" });
    slow.write("a part");
    const got = await reply(slow);
    expect(got.status).toBe(408);
    expect(got.code).toBe(NGHTTP2_NO_ERROR);
    expect((await askHttp2(session, { ":path": "/" })).text).toBe("ok");
  });

  test("a connection on which nothing was asked ends after headersTimeoutMs; an idle one after keepAliveTimeoutMs", async () => {
    const { port } = await world.simple(
      (_request, response) => response.end("ok"),
      { tls, headersTimeoutMs: 200, keepAliveTimeoutMs: 50 },
    );
    const quiet = await FrameClient.connect(port);
    await quiet.sees(GOAWAY, 0);
    await quiet.raw.closed();
    const used = await FrameClient.connect(port);
    used.headers(1, [...GET, "host", "x"]);
    await used.sees(GOAWAY, 0);
    const types = used.frames.map(({ type }) => type);
    expect(types.indexOf(GOAWAY)).toBeGreaterThan(types.indexOf(DATA));
    // Nobody says anything; nobody agrees on keys; HTTP/1.1 is slow.
    const silent = await RawClient.connect(port);
    await silent.closed();
    const shy = await RawClient.connect(port);
    shy.socket.write(Buffer.from([0x16, 3, 1]));
    await shy.closed();
    const slow = await RawClient.connect(port, "http/1.1");
    slow.send("GET / HTTP/1.1", "Host: x", "X: ");
    expect(await slow.closed()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("a client that doesn't read holds back the process, and the process a client that writes", async () => {
    const CHUNK = Buffer.alloc(64 * 1024);
    let sent = 0;
    const blocked = deferred<true>();
    const { port } = await world.simple(
      (request, response) => {
        if (request.method === "POST") return;
        const more = (): void => {
          while (sent < 200 * CHUNK.length) {
            sent += CHUNK.length;
            if (!response.write(CHUNK)) {
              response.once("drain", more);
              blocked.resolve(true);
              return;
            }
          }
          response.end();
        };
        more();
      },
      { tls },
    );
    const session = await connectHttp2(port);
    const reading = session.request({ ":path": "/" });
    await once(reading, "response");
    await blocked.promise;
    // Another stream's answer shows that the connection isn't blocked, and that time has passed.
    const writing = session.request({ ":path": "/", ":method": "POST" });
    let isFull = false;
    for (let i = 0; i < 400 && !isFull; i++) isFull = !writing.write(CHUNK);
    expect(isFull).toBe(true);
    expect(sent).toBeLessThan(100 * CHUNK.length);
    let received = 0;
    reading.on("data", (chunk: Buffer) => (received += chunk.length));
    await once(reading, "end");
    expect(received).toBe(200 * CHUNK.length);
    writing.on("error", () => undefined);
    writing.destroy();
  });

  test("a flood of resets ends its own connection, and nobody else's", async () => {
    const { port } = await world.simple(
      (_request, response) => response.end("ok"),
      { tls },
    );
    const other = await connectHttp2(port);
    const hostile = await FrameClient.connect(port);
    for (let stream = 1; stream < 2_400; stream += 2) {
      hostile.headers(stream, [...GET, ":authority", "x"]);
      hostile.reset(stream, NGHTTP2_CANCEL);
    }
    await hostile.sees(GOAWAY, 0);
    expect((await askHttp2(other, { ":path": "/" })).text).toBe("ok");
  });
});

describe("what is malformed", () => {
  test.each([
    ["transfer-encoding", ["transfer-encoding", "chunked"]],
    ["connection", ["connection", "x-a"]],
    ["upgrade", ["upgrade", "websocket"]],
    ["te other than trailers", ["te", "gzip"]],
    ["upper case", ["X-Upper", "1"]],
    ["a pseudo-field behind others", ["x-a", "1", ":path", "/evil"]],
    ["an extended CONNECT, which isn't offered", [":protocol", "websocket"]],
  ])(
    "%s: the stream is reset, and the process sees nothing",
    async (...row) => {
      const [name, fields] = row;
      const urls: (string | undefined)[] = [];
      const { port } = await world.simple(
        (request, response) => {
          urls.push(request.url);
          response.end();
        },
        { tls },
      );
      const client = await FrameClient.connect(port);
      const method = name.includes("CONNECT") ? "CONNECT" : "GET";
      client.headers(1, [
        ...[":method", method, ":scheme", "https", ":path", "/bad"],
        ...[":authority", "x", ...fields],
      ]);
      const reset = await client.sees(RST_STREAM, 1);
      expect(reset.payload.readUInt32BE()).toBe(NGHTTP2_PROTOCOL_ERROR);
      client.headers(3, [...GET, "host", "x"]);
      await client.sees(HEADERS, 3);
      expect(urls).toEqual(["/"]);
    },
  );
});

test("a field whose value has a line break is left out, by nghttp2", async () => {
  const seen: (readonly string[])[] = [];
  const { port } = await world.simple(
    (request, response) => {
      seen.push(Object.keys(request.headers).sort().slice(0, 3));
      response.end();
    },
    { tls },
  );
  const client = await FrameClient.connect(port);
  client.headers(1, [...GET, ":authority", "x", "a", "1\r\nb: 1"]);
  await client.sees(HEADERS, 1);
  expect(seen).toEqual([["connection", "forwarded", "host"]]);
});

test("closing: what is in hand is answered, the client is told, and the connection ends", async () => {
  const answer = deferred<true>();
  const begun = deferred<true>();
  const { front, port } = await world.simple(
    async (_request, response) => {
      begun.resolve(true);
      await answer.promise;
      response.end("late");
    },
    { tls },
  );
  const session = await connectHttp2(port);
  const idle = await connectHttp2(port);
  const late = askHttp2(session, { ":path": "/" });
  await begun.promise;
  const told = Promise.all([once(session, "goaway"), once(idle, "goaway")]);
  const closed = front.close({ deadlineMs: 10_000 });
  await told;
  answer.resolve(true);
  expect(await late).toMatchObject({ text: "late", isWhole: true });
  await closed;
});

test("while nothing is ready requests are held; then the front answers itself, as a page for browsers", async () => {
  const { front, port } = await world.front({ tls, holdTimeoutMs: 50 });
  const session = await connectHttp2(port);
  const got = await askHttp2(session, { ":path": "/", accept: "text/html" });
  expect(got.status).toBe(503);
  expect(got.headers["content-type"]).toMatch(/^text\/html/);
  const held = askHttp2(session, { ":path": "/" });
  const { target } = await world.process((_request, response) =>
    response.end("held"),
  );
  await front.connect(target);
  front.admit(target);
  expect([200, 503]).toContain((await held).status);
  expect((await askHttp2(session, { ":path": "/" })).text).toBe("held");
});
