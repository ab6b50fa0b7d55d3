/** Answers: interim ones, those without a body, streams, and what is no answer: RFC 9110 section 15, RFC 9112 section 6. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { RawClient, World, ask } from "../helpers.js";
import {
  head,
  lines,
  passed,
  relayed,
  relayedChunked,
  relayedLast,
  run,
} from "./row.js";
import type { Row } from "./row.js";
import { OK, ScriptedWorker } from "./scripted-worker.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const GET = head("GET / HTTP/1.1", "Host: x");
const GOT = passed("GET / HTTP/1.1", "Host: x");
const ok = relayed("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";

const interim = (status: string, ...fields: string[]): Row => ({
  name: `${status} passes with its fields, and what follows it`,
  guards: "15.2; proxies that take it for the answer, or drop it",
  send: [GET],
  worker: [
    {
      say:
        head(`HTTP/1.1 ${status}`, "Connection: X-Hop", "X-Hop: 1", ...fields) +
        OK,
    },
  ],
  forwards: GOT,
  gets: head(`HTTP/1.1 ${status}`, ...fields) + ok,
});

/** An answer that nobody may guess the meaning of. */
const bad = (name: string, guards: string, say: string): Row => ({
  name: `${name} is 502`,
  guards,
  send: [GET],
  worker: [{ say, end: true }],
  forwards: GOT,
  gets: /^HTTP\/1\.1 502 Bad Gateway\r\n(?:(?!x-prefork)[^])*\r\n\r\nprefork-dev: worker 0 [^]*\n$/,
});

const rows: readonly Row[] = [
  interim(
    "103 Early Hints",
    "Link: </a.css>; rel=preload; as=style",
    "link: </b.js>; rel=preload",
    "X-L: \xe9",
  ),
  interim("102 Processing"),
  interim("104 Upload Resumption Supported", "Upload-Draft-Interop-Version: 3"),
  {
    name: "several interim answers pass, each at once",
    guards: "15.2",
    send: [GET, { sees: "X: 1\r\n\r\n" }, "", { sees: "X: 2\r\n\r\n" }],
    worker: [
      {
        say:
          head("HTTP/1.1 103 Early Hints", "X: 1") +
          head("HTTP/1.1 103 Early Hints", "X: 2") +
          OK,
      },
    ],
    forwards: GOT,
    gets:
      head("HTTP/1.1 103 Early Hints", "X: 1") +
      head("HTTP/1.1 103 Early Hints", "X: 2") +
      ok,
  },
  {
    name: "HTTP/1.0 clients get no interim answers",
    guards: "15.2: MUST NOT",
    send: [head("GET / HTTP/1.0", "Host: x")],
    worker: [{ say: head("HTTP/1.1 103 Early Hints", "X: 1") + OK }],
    forwards: GOT,
    gets: relayedLast("HTTP/1.1 200 OK", "Content-Length: 2") + "ok",
    closes: true,
  },
  {
    name: "HEAD has the fields of GET and no body",
    guards: "9.3.2; waiting for a body that never comes",
    send: [head("HEAD / HTTP/1.1", "Host: x")],
    worker: [
      { say: head("HTTP/1.1 200 OK", "Content-Length: 5000", "ETag: x") },
    ],
    forwards: passed("HEAD / HTTP/1.1", "Host: x"),
    gets: relayed("HTTP/1.1 200 OK", "Content-Length: 5000", "ETag: x"),
  },
  {
    name: "HEAD of what would be chunked has no body",
    guards: "RFC 9112 6.1",
    send: [head("HEAD / HTTP/1.1", "Host: x")],
    worker: [{ say: head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") }],
    forwards: passed("HEAD / HTTP/1.1", "Host: x"),
    gets: /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/,
  },
  {
    name: "204 has neither body nor length",
    guards: "8.6: MUST NOT; clients that wait for it",
    send: [GET],
    worker: [
      { say: head("HTTP/1.1 204 No Content", "Content-Length: 5", "X: 1") },
    ],
    forwards: GOT,
    gets: relayed("HTTP/1.1 204 No Content", "X: 1"),
  },
  {
    name: "304 has the length of what it stands for, and no body",
    guards: "15.4.5, 8.6",
    send: [GET],
    worker: [
      {
        say: head("HTTP/1.1 304 Not Modified", "Content-Length: 5", "ETag: x"),
      },
    ],
    forwards: GOT,
    gets: relayed("HTTP/1.1 304 Not Modified", "Content-Length: 5", "ETag: x"),
  },
  {
    name: "a body that ends with the connection is chunked",
    guards: "RFC 9112 6.3",
    send: [GET],
    worker: [{ say: head("HTTP/1.1 200 OK") + "until the end", end: true }],
    forwards: GOT,
    gets:
      relayedChunked("HTTP/1.1 200 OK") + lines("d", "until the end", "0", ""),
  },
  {
    name: "chunks pass, their extensions don't",
    guards: "RFC 9112 7.1.1",
    send: [GET],
    worker: [
      {
        say:
          head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") +
          lines("3;x=1", "abc", "0", ""),
      },
    ],
    forwards: GOT,
    gets: relayedChunked("HTTP/1.1 200 OK") + lines("3", "abc", "0", ""),
  },
  {
    name: "HTTP/1.0 clients get chunks as bytes until the end, even when they ask for chunks",
    guards: "RFC 9112 6.1: MUST NOT",
    send: [
      head(
        "GET / HTTP/1.0",
        "Host: x",
        "TE: chunked",
        "Connection: keep-alive",
      ),
    ],
    worker: [
      {
        say:
          head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") +
          lines("3", "abc", "0", ""),
      },
    ],
    forwards: GOT,
    gets: relayedLast("HTTP/1.1 200 OK") + "abc",
    closes: true,
  },
  {
    name: "a status without a reason, and one that nobody knows, pass",
    guards: "RFC 9112 4, 15",
    send: [GET],
    worker: [{ say: head("HTTP/1.1 799 ", "Content-Length: 2") + "ok" }],
    forwards: GOT,
    gets: relayed("HTTP/1.1 799 ", "Content-Length: 2") + "ok",
  },
  bad("what isn't HTTP", "7.7; guessing HTTP/0.9", "hello\r\n\r\n"),
  bad(
    "a greeting of another protocol",
    "cross-protocol answers",
    "220 mail ESMTP\r\n",
  ),
  bad(
    "two lengths",
    "RFC 9112 6.3",
    head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3") + "ok!",
  ),
  bad(
    "the same length twice",
    "RFC 9112 6.3",
    head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 2") + "ok",
  ),
  bad(
    "a list of lengths",
    "RFC 9112 6.3",
    head("HTTP/1.1 200 OK", "Content-Length: 2, 2") + "ok",
  ),
  bad(
    "a length and chunks",
    "RFC 9112 6.3; response splitting",
    head("HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked") +
      lines("2", "ok", "0", ""),
  ),
  bad(
    "chunks and a length",
    "RFC 9112 6.3",
    head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Length: 2") +
      lines("2", "ok", "0", ""),
  ),
  bad(
    "a length that is none",
    "8.6",
    head("HTTP/1.1 200 OK", "Content-Length: two") + "ok",
  ),
  bad(
    "another coding than chunked",
    "RFC 9112 6.1; a body that arrives without it",
    head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked") +
      lines("2", "ok", "0", ""),
  ),
  bad(
    "a coding after chunked",
    "RFC 9112 6.3",
    head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked, gzip") + "ok",
  ),
  bad(
    "chunks in HTTP/1.0",
    "RFC 9112 6.1",
    head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked") +
      lines("2", "ok", "0", ""),
  ),
  bad(
    "HTTP/2.0 in a line of text",
    "2.5",
    head("HTTP/2.0 200 OK", "Content-Length: 2") + "ok",
  ),
  bad(
    "a folded line",
    "RFC 9112 5.2",
    head("HTTP/1.1 200 OK", "X: a", " b", "Content-Length: 2") + "ok",
  ),
  bad(
    "a CR in a value",
    "response splitting",
    head("HTTP/1.1 200 OK", "X: a\rb", "Content-Length: 2") + "ok",
  ),
  bad(
    "a NUL in a value",
    "5.5",
    head("HTTP/1.1 200 OK", "X: a\0b", "Content-Length: 2") + "ok",
  ),
  bad(
    "a status of two digits",
    "15",
    head("HTTP/1.1 20 OK", "Content-Length: 2") + "ok",
  ),
  bad(
    "a status under 100",
    "15",
    head("HTTP/1.1 099 Odd", "Content-Length: 2") + "ok",
  ),
  bad(
    "an upgrade that nobody asked for",
    "7.8",
    head(
      "HTTP/1.1 101 Switching Protocols",
      "Connection: Upgrade",
      "Upgrade: x",
    ),
  ),
  bad(
    "a header that breaks off",
    "RFC 9112 8",
    "HTTP/1.1 200 OK\r\nContent-Le",
  ),
];

describe("answers", () => {
  it.each(rows)("$name [$guards]", (row) => run(world, row));
});

describe("a worker that says more than its answer", () => {
  const extra = head("HTTP/1.1 200 OK", "Content-Length: 4") + "evil";

  it.each([
    ["at once", [{ say: OK + extra }]],
    ["as garbage", [{ say: `${OK}garbage` }]],
  ])(
    "%s, has it said to nobody [response queue poisoning]",
    async (_when, steps) => {
      const worker = new ScriptedWorker(steps);
      const { url } = await world.simple(worker.server);
      expect((await ask(url)).text).toBe("ok");
      expect((await ask(url)).text).toBe("ok");
      expect((await ask(url)).text).toBe("ok");
      expect(worker.text.match(/^GET /gm)).toHaveLength(3);
    },
  );

  it("later, while its connection is idle, has it said to nobody", async () => {
    let speak: (() => void) | undefined;
    const worker = new ScriptedWorker();
    const closed = new Promise<void>((resolve) => {
      worker.server.once("connection", (socket) => {
        socket.once("close", () => resolve());
        speak = () => socket.write(extra);
      });
    });
    const { url } = await world.simple(worker.server);
    expect((await ask(url)).text).toBe("ok");
    speak?.();
    await closed;
    expect((await ask(url)).text).toBe("ok");
    expect(worker.connections).toBe(2);
  });
});

describe("event streams", () => {
  it("begin before the first event, and each event comes at once [buffering proxies]", async () => {
    const worker = new ScriptedWorker([
      { say: head("HTTP/1.1 200 OK", "Content-Type: text/event-stream") },
    ]);
    let say: (text: string) => void = () => undefined;
    worker.server.on("connection", (socket) => {
      socket.once(
        "data",
        () => (say = (text) => void socket.write(text, "latin1")),
      );
    });
    const { port } = await world.simple(worker.server);
    const client = await RawClient.connect(port);
    client.send(
      "GET /events HTTP/1.1",
      "Host: x",
      "Accept: text/event-stream",
      "",
      "",
    );
    await client.sees("text/event-stream\r\n");
    await client.sees("\r\n\r\n");
    for (const event of [
      "data: 1\n\n",
      ": ping\n\n",
      "id: 7\ndata: \xe9\n\n",
    ]) {
      say(event);
      await client.sees(event);
    }
    client.socket.destroy();
  });
});
