/** Requests that share a connection, and those that wait for a word before their body: RFC 9112 section 9, RFC 9110 section 10.1.1. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { RawClient, World } from "../helpers.js";
import { head, lines, passed, relayed, relayedLast, run } from "./row.js";
import type { Row } from "./row.js";
import { OK, ScriptedWorker } from "./scripted-worker.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const get = (path: string, ...fields: string[]): string =>
  head(`GET ${path} HTTP/1.1`, "Host: x", ...fields);
const got = (path: string): string => passed(`GET ${path} HTTP/1.1`, "Host: x");
const ok = relayed("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";
const okLast = relayedLast("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";
const EXPECTING = ["Expect: 100-continue", "Content-Length: 4"];

const rows: readonly Row[] = [
  {
    name: "pipelined requests go one after the other, and are answered in order",
    guards: "RFC 9112 9.3.2; answers that are swapped",
    send: [
      get("/1") +
        head("POST /2 HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") +
        lines("2", "hi", "0", "") +
        get("/3"),
    ],
    worker: [
      {
        when: "GET /1",
        say: head("HTTP/1.1 200 One", "Content-Length: 1") + "1",
      },
      {
        when: "\r\n0\r\n\r\n",
        say: head("HTTP/1.1 200 Two", "Content-Length: 1") + "2",
      },
      {
        when: "GET /3",
        say: head("HTTP/1.1 200 Three", "Content-Length: 1") + "3",
      },
    ],
    forwards:
      got("/1") +
      passed("POST /2 HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") +
      lines("2", "hi", "0", "") +
      got("/3"),
    gets:
      `${relayed("HTTP/1.1 200 One", "Content-Length: 1")}1` +
      `${relayed("HTTP/1.1 200 Two", "Content-Length: 1")}2` +
      `${relayed("HTTP/1.1 200 Three", "Content-Length: 1")}3`,
  },
  {
    name: "requests that come byte by byte are whole",
    guards: "RFC 9112 3",
    send: Array.from(get("/slow")),
    forwards: got("/slow"),
    gets: ok,
  },
  {
    name: "what is sent after Connection: close has no effect",
    guards: "RFC 9112 9.6",
    send: [get("/1", "Connection: close") + get("/2")],
    forwards: got("/1"),
    gets: okLast,
    closes: true,
  },
  {
    name: "a request behind one that was refused has no effect",
    guards: "RFC 9112 9.6; the smuggled one is the second",
    send: [get("/1#") + get("/2")],
    forwards: undefined,
    gets: /^HTTP\/1\.1 400 [^]*Connection: close\r\n(?:(?!HTTP\/)[^])*$/,
    closes: true,
  },
  {
    name: "a request before one that is refused is answered",
    guards: "RFC 9112 9.3.2; refusals that overtake an answer",
    send: [get("/1") + get("/2#")],
    forwards: got("/1"),
    gets: /^HTTP\/1\.1 200 OK\r\n[^]*okHTTP\/1\.1 400 [^]*$/,
    closes: true,
  },
  {
    name: "a request before what isn't HTTP is answered",
    guards: "RFC 9112 9.3.2; Node answers the first with 400",
    send: [`${get("/1")}what?\r\n\r\n`],
    forwards: got("/1"),
    gets: /^HTTP\/1\.1 200 OK\r\n[^]*okHTTP\/1\.1 400 [^]*$/,
    closes: true,
  },
  {
    name: "a request before CONNECT is answered",
    guards: "RFC 9112 9.3.2",
    send: [get("/1") + head("CONNECT x:1 HTTP/1.1", "Host: x:1")],
    forwards: got("/1"),
    gets: /^HTTP\/1\.1 200 OK\r\n[^]*okHTTP\/1\.1 405 [^]*$/,
    closes: true,
  },
  {
    name: "HTTP/1.0 ends its connection with the answer",
    guards: "RFC 9112 9.3",
    send: [head("GET / HTTP/1.0", "Host: x")],
    forwards: got("/"),
    gets: okLast,
    closes: true,
  },
  {
    name: "HTTP/1.0 may ask to keep the connection",
    guards: "RFC 9112 9.3, C.2.2",
    send: [
      head("GET /1 HTTP/1.0", "Host: x", "Connection: keep-alive"),
      { sees: "ok" },
      head("GET /2 HTTP/1.0", "Host: x"),
    ],
    forwards: got("/1") + got("/2"),
    gets: ok + okLast,
    closes: true,
  },
  {
    name: "an expectation in HTTP/1.0 means nothing",
    guards: "10.1.1: MUST ignore",
    send: [
      head("POST / HTTP/1.0", "Host: x", ...EXPECTING),
      { workerSees: "\r\n\r\n" },
      "ping",
    ],
    worker: [{ when: "ping", say: OK }],
    forwards:
      passed("POST / HTTP/1.1", "Host: x", "Content-Length: 4") + "ping",
    gets: okLast,
    closes: true,
  },
  {
    name: "an expectation passes, and so does the go-ahead",
    guards: "10.1.1; proxies that say 100 themselves",
    send: [
      head("POST / HTTP/1.1", "Host: x", "X-L: \xe9", ...EXPECTING),
      { sees: "HTTP/1.1 100 Continue\r\n\r\n" },
      "ping",
    ],
    worker: [{ say: head("HTTP/1.1 100 Continue") }, { when: "ping", say: OK }],
    forwards:
      passed("POST / HTTP/1.1", "Host: x", "X-L: \xe9", ...EXPECTING) + "ping",
    gets: head("HTTP/1.1 100 Continue") + ok,
  },
  {
    name: "a refused expectation means that the body is never sent, and the connection ends",
    guards: "10.1.1; a body that is taken for the next request",
    send: [head("POST / HTTP/1.1", "Host: x", ...EXPECTING)],
    worker: [
      { say: head("HTTP/1.1 417 Expectation Failed", "Content-Length: 0") },
    ],
    forwards: passed("POST / HTTP/1.1", "Host: x", ...EXPECTING),
    gets: relayedLast("HTTP/1.1 417 Expectation Failed", "Content-Length: 0"),
    closes: true,
  },
  {
    name: "a client that doesn't wait for the go-ahead has its body sent",
    guards: "10.1.1",
    send: [head("POST / HTTP/1.1", "Host: x", ...EXPECTING) + "ping"],
    worker: [{ when: "ping", say: OK }],
    forwards: passed("POST / HTTP/1.1", "Host: x", ...EXPECTING) + "ping",
    gets: /^HTTP\/1\.1 200 OK\r\n[^]*ok$/,
  },
  {
    name: "other expectations are the worker's to refuse, latin1 bytes and all",
    guards: "10.1.1; Node's client encodes this header anew",
    send: [get("/", "Expect: wonders", "X-L: \xe9\xff")],
    worker: [
      { say: head("HTTP/1.1 417 Expectation Failed", "Content-Length: 0") },
    ],
    forwards: passed(
      "GET / HTTP/1.1",
      "Host: x",
      "Expect: wonders",
      "X-L: \xe9\xff",
    ),
    gets: relayed("HTTP/1.1 417 Expectation Failed", "Content-Length: 0"),
  },
  {
    name: "an early answer arrives while the body is on its way, and the rest of it is dropped",
    guards: "RFC 9112 9.5; proxies that go on reading first",
    send: [
      head("POST /up HTTP/1.1", "Host: x", "Content-Length: 10") + "half",
      { sees: "too much" },
      `-half!${get("/next")}`,
    ],
    worker: [
      {
        when: "half",
        say:
          head("HTTP/1.1 413 Content Too Large", "Content-Length: 8") +
          "too much",
      },
    ],
    forwards: /^POST \/up HTTP\/1\.1\r\n[^]*\r\n\r\nhalf(?:-half!)?GET \/next /,
    gets:
      relayed("HTTP/1.1 413 Content Too Large", "Content-Length: 8") +
      "too much" +
      ok,
  },
];

describe("requests in turn", () => {
  it.each(rows)("$name [$guards]", (row) => run(world, row));
});

it("a pipelined request is not sent before the one ahead of it is answered", async () => {
  const worker = new ScriptedWorker([{ when: "never" }]);
  const { port, front } = await world.simple(worker.server);
  const client = await RawClient.connect(port);
  client.send(get("/1") + get("/2"));
  await worker.sees("GET /1");
  const other = await RawClient.connect(port);
  other.send(get("/other"));
  await worker.sees("GET /other");
  expect(worker.text).not.toContain("GET /2");
  expect(front.stats().requests).toBe(3);
  client.socket.destroy();
  other.socket.destroy();
});
