/** Methods, targets, versions and hosts: RFC 9112 sections 2 and 3. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { RawClient, World } from "../helpers.js";
import { head, passed, refused, relayed, run } from "./row.js";
import type { Row } from "./row.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const ok = relayed("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";

/** A request whose first line goes through as it is. */
const through = (line: string, guards: string, as = line): Row => ({
  name: `"${line}" passes`,
  guards,
  send: [head(line, "Host: x")],
  forwards: passed(as, "Host: x"),
  gets: ok,
});

/** A request that must not reach the worker. */
const refuses = (
  name: string,
  status: number,
  guards: string,
  ...list: string[]
): Row => ({
  name: `${name} is refused`,
  guards,
  send: [head(...list)],
  forwards: undefined,
  gets: refused(status),
  closes: true,
});

const rows: readonly Row[] = [
  through(
    "GET /a%2Fb/%2e%2e/./c//d;p=1?x=%20+&y HTTP/1.1",
    "RFC 9112 3.2.1; proxies that decode or normalize paths",
  ),
  through(
    'GET /"<>\\^`{|}?[]\\" HTTP/1.1',
    "proxies that refuse or escape what browsers send as it is",
  ),
  through(
    "GET //host/path HTTP/1.1",
    "proxies that resolve the target as a URL: // would name a host",
  ),
  through(
    "GET /http://elsewhere/ HTTP/1.1",
    "proxies that take the host from a path",
  ),
  through(
    `GET /${"a".repeat(8000)} HTTP/1.1`,
    "RFC 9112 3: at least 8,000 bytes",
  ),
  through("OPTIONS * HTTP/1.1", "RFC 9112 3.2.4; proxies that make it /*"),
  through("TRACE / HTTP/1.1", "9.1: any method"),
  ...[
    ["OPTIONS", "7", "6"],
    ["TRACE", "1", "0"],
    // The field means something for these two alone.
    ["GET", "0", "0"],
    ["OPTIONS", "many", "many"],
  ].map(([method, before, after]): Row => ({
    name: `${method}: Max-Forwards ${before}`,
    guards: "7.6.2",
    send: [head(`${method} / HTTP/1.1`, "Host: x", `Max-Forwards: ${before}`)],
    forwards: passed(
      `${method} / HTTP/1.1`,
      "Host: x",
      `Max-Forwards: ${after}`,
    ),
    gets: ok,
  })),
  ...["OPTIONS", "TRACE"].map((method) =>
    refuses(
      `${method} that must not be forwarded`,
      405,
      "7.6.2",
      `${method} / HTTP/1.1`,
      "Host: x",
      "Max-Forwards: 0",
    ),
  ),
  {
    name: "methods of WebDAV pass",
    guards: "9.1: any method",
    send: [head("PROPFIND /dav HTTP/1.1", "Host: x")],
    forwards: passed("PROPFIND /dav HTTP/1.1", "Host: x", "Content-Length: 0"),
    gets: ok,
  },
  through(
    "GET http://x/p?q=1 HTTP/1.1",
    "RFC 9112 3.2.2: to a server, the path",
    "GET /p?q=1 HTTP/1.1",
  ),
  through(
    "GET HTTP://X?q=/ HTTP/1.1",
    "RFC 9112 3.2.1: an empty path is /",
    "GET /?q=/ HTTP/1.1",
  ),
  through(
    "OPTIONS http://x HTTP/1.1",
    "RFC 9112 3.2.4: without a path, the server",
    "OPTIONS * HTTP/1.1",
  ),
  refuses(
    "CONNECT",
    405,
    "9.3.6; an open proxy",
    "CONNECT x:22 HTTP/1.1",
    "Host: x:22",
  ),
  refuses(
    "an absolute target for another host than Host's",
    400,
    "RFC 9112 3.2.2; checks of Host that the target goes around",
    "GET http://evil/ HTTP/1.1",
    "Host: x",
  ),
  refuses(
    "an absolute target with user information",
    400,
    "4.2.4",
    "GET http://x@evil/ HTTP/1.1",
    "Host: x",
  ),
  refuses(
    "an absolute target without a host",
    400,
    "4.2.1",
    "GET http:///x HTTP/1.1",
    "Host: x",
  ),
  refuses(
    "another scheme",
    400,
    "an open proxy",
    "GET ftp://x/ HTTP/1.1",
    "Host: x",
  ),
  refuses(
    "* for anything but OPTIONS",
    400,
    "RFC 9112 3.2.4",
    "GET * HTTP/1.1",
    "Host: x",
  ),
  refuses(
    "a target that only begins like *",
    400,
    "RFC 9112 3.2.4",
    "OPTIONS *x HTTP/1.1",
    "Host: x",
  ),
  refuses(
    "a path without its slash",
    400,
    "RFC 9112 3.2.1",
    "GET path HTTP/1.1",
    "Host: x",
  ),
  refuses(
    "a fragment",
    400,
    "RFC 9112 3.2; caches and servers that disagree on what # ends",
    "GET /a#b HTTP/1.1",
    "Host: x",
  ),
  refuses(
    "a fragment behind a query",
    400,
    "RFC 9112 3.2",
    "GET /a?b#c HTTP/1.1",
    "Host: x",
  ),
  refuses("no Host", 400, "RFC 9112 3.2", "GET / HTTP/1.1", "X: 1"),
  refuses("an empty Host", 400, "4.2.1", "GET / HTTP/1.1", "Host:"),
  refuses(
    "two Hosts",
    400,
    "RFC 9112 3.2; routing by one, serving the other",
    "GET / HTTP/1.1",
    "Host: x",
    "Host: y",
  ),
  refuses(
    "the same Host twice",
    400,
    "RFC 9112 3.2",
    "GET / HTTP/1.1",
    "Host: x",
    "host: x",
  ),
  refuses(
    "two Hosts in HTTP/1.0",
    400,
    "RFC 9112 3.2",
    "GET / HTTP/1.0",
    "Host: x",
    "Host: y",
  ),
  ...[
    "x y",
    "x,y",
    "x/y",
    "http://x",
    "x@y",
    "x:80:80",
    "x:port",
    "[::1",
    "[x]",
    "x\\y",
    "x?y",
    "\xe9",
  ].map((host) =>
    refuses(
      `the Host ${JSON.stringify(host)}`,
      400,
      "RFC 9112 3.2; DNS rebinding and cache poisoning",
      "GET / HTTP/1.1",
      `Host: ${host}`,
    ),
  ),
  refuses(
    "an upgrade without a Host",
    400,
    "RFC 9112 3.2; Node checks requests, not upgrades",
    "GET / HTTP/1.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
  ),
  refuses(
    "an upgrade with two Hosts",
    400,
    "RFC 9112 3.2",
    "GET / HTTP/1.1",
    "Host: x",
    "Host: y",
    "Connection: Upgrade",
    "Upgrade: websocket",
  ),
  refuses(
    "HTTP/0.9",
    505,
    "RFC 9112 2.3; answers without a header",
    "GET /",
    "Host: x",
  ),
  refuses(
    "HTTP/0.9 in so many words",
    505,
    "RFC 9112 2.3",
    "GET / HTTP/0.9",
    "Host: x",
  ),
  refuses(
    "HTTP/2.0 in a line of text",
    505,
    "2.5; h2 downgrades",
    "GET / HTTP/2.0",
    "Host: x",
  ),
  refuses("HTTP/1.2", 400, "2.5", "GET / HTTP/1.2", "Host: x"),
  refuses(
    "HTTP/2's preface",
    400,
    "RFC 9113 3.4; Node closes without a word",
    "PRI * HTTP/2.0",
    "",
    "SM",
  ),
  refuses(
    "RTSP's methods",
    501,
    "9.1; Node's parser knows them, its server doesn't",
    "DESCRIBE / RTSP/1.0",
    "Host: x",
  ),
  refuses("an unknown method", 400, "9.1", "FETCH / HTTP/1.1", "Host: x"),
  refuses(
    "more header fields than are passed on",
    431,
    "RFC 6585 5; Node's server cuts them without a word",
    "GET / HTTP/1.1",
    "Host: x",
    ...Array.from({ length: 900 }, (_, i) => `X-${i}: ${i}`),
  ),
  refuses(
    "a header that is too large",
    431,
    "RFC 6585 5",
    "GET / HTTP/1.1",
    "Host: x",
    `X: ${"x".repeat(20_000)}`,
  ),
  refuses(
    "a target that is too long",
    431,
    "RFC 6585 5",
    `GET /${"x".repeat(20_000)} HTTP/1.1`,
    "Host: x",
  ),
  ...[
    "localhost:3000",
    "[::1]:3000",
    "127.0.0.1",
    "a_b.example",
    "XN--E1AFMKFD.example.:80",
    "x:",
  ].map((host): Row => ({
    name: `the Host "${host}" passes untouched`,
    guards: "RFC 9112 3.2; 7.2",
    send: [head("GET / HTTP/1.1", `Host: ${host}`)],
    forwards: new RegExp(
      `^GET / HTTP/1\\.1\\r\\nHost: ${host.replaceAll(/[.[\]]/g, "\\$&")}\\r\\nX-Forwarded-For`,
    ),
    gets: ok,
  })),
];

describe("targets, versions and hosts", () => {
  it.each(rows)("$name [$guards]", (row) => run(world, row));
});

it("a refusal says what is wrong, is counted, and told to the developer", async () => {
  const told: string[] = [];
  const { front, port } = await world.front({ log: (line) => told.push(line) });
  const client = await RawClient.connect(port);
  client.send("GET /p HTTP/1.1", "Host: a", "Host: b", "", "");
  expect(await client.closed()).toContain('It has 2 Host fields: "a", "b"');
  expect(told).toEqual([
    expect.stringMatching(/^400 GET \/p: refused\. It has 2 Host fields/),
  ]);
  expect(front.stats()).toMatchObject({ refused: 1, requests: 0 });
});

it("a browser that speaks TLS here is told where plain HTTP is", async () => {
  const told: string[] = [];
  const { port } = await world.front({ log: (line) => told.push(line) });
  const client = await RawClient.connect(port);
  client.socket.write(Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]));
  await client.closed();
  expect(told.join()).toMatch(/ask for http:\/\/, not https:\/\//);
});
