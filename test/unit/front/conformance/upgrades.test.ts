/** Upgrades: RFC 9110 section 7.8, RFC 6455 section 4. */
import { afterEach, beforeEach, describe, it } from "vitest";

import { World } from "../helpers.js";
import {
  head,
  hop,
  passed,
  refused,
  relayed,
  relayedLast,
  run,
} from "./row.js";
import type { Row } from "./row.js";
import { OK } from "./scripted-worker.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const ASK = [
  "Connection: keep-alive, Upgrade, X-Hop",
  "Upgrade: Raw/1, raw/2",
  "X-Hop: 1",
];
const UPGRADE = head(
  "GET /up HTTP/1.1",
  "Host: x",
  "Sec-WebSocket-Key: k",
  ...ASK,
);
const ASKED = head(
  "GET /up HTTP/1.1",
  "Host: x",
  "Sec-WebSocket-Key: k",
  ...hop("x"),
  "Connection: Upgrade",
  "Upgrade: Raw/1, raw/2",
);
const SWITCHING = head(
  "HTTP/1.1 101 Switching Protocols",
  "Sec-WebSocket-Accept: a",
  "Connection: Upgrade, X-Hop",
  "X-Hop: 1",
  "Upgrade: raw/2",
);
const SWITCHED = head(
  "HTTP/1.1 101 Switching Protocols",
  "Sec-WebSocket-Accept: a",
  "x-prefork-worker: 0",
  "x-prefork-generation: 1",
  "Connection: Upgrade",
  "Upgrade: raw/2",
);
const ok = relayed("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";
const large = "\x82\x7f".padEnd(2_000_000, "\xf0\x0d");

const rows: readonly Row[] = [
  {
    name: "early bytes of both sides pass, and ends one by one",
    guards:
      "7.8; bytes lost between header and tunnel, half-closes that end both",
    send: [
      `${UPGRADE}early,`,
      { sees: "hello;" },
      "more",
      { workerSees: "early,more" },
      { end: true },
    ],
    worker: [
      { when: "\r\n\r\n", say: `${SWITCHING}hello;` },
      { when: "more", say: "and more", end: true },
    ],
    forwards: `${ASKED}early,more`,
    gets: `${SWITCHED}hello;and more`,
    closes: true,
  },
  {
    name: "large frames pass both ways",
    guards: "RFC 6455 5.2; limits on frames, bytes taken for text",
    send: [UPGRADE, { sees: "\r\n\r\n" }, `${large}.`],
    worker: [{ say: SWITCHING }, { when: /\.$/, say: large, end: true }],
    forwards: `${ASKED}${large}.`,
    gets: SWITCHED + large,
    closes: true,
  },
  {
    name: "a large answer before the upgrade arrives whole",
    guards:
      "RFC 9112 9.3.2; Node's server lets go of the connection, and of its `drain`",
    send: [head("GET /1 HTTP/1.1", "Host: x") + UPGRADE],
    worker: [
      {
        say: head("HTTP/1.1 200 OK", `Content-Length: ${large.length}`) + large,
      },
      { say: SWITCHING, end: true },
    ],
    forwards: passed("GET /1 HTTP/1.1", "Host: x") + ASKED,
    gets:
      relayed("HTTP/1.1 200 OK", `Content-Length: ${large.length}`) +
      large +
      SWITCHED,
    closes: true,
  },
  {
    name: "a refusal passes whole",
    guards: "RFC 6455 4.2.2; clients that see a bare 502",
    send: [UPGRADE],
    worker: [
      {
        say:
          head(
            "HTTP/1.1 401 Unauthorized",
            "WWW-Authenticate: Basic",
            "Content-Length: 3",
          ) + "no!",
      },
    ],
    forwards: ASKED,
    gets:
      relayedLast(
        "HTTP/1.1 401 Unauthorized",
        "WWW-Authenticate: Basic",
        "Content-Length: 3",
      ) + "no!",
    closes: true,
  },
  {
    name: "an interim answer comes before the upgrade",
    guards: "15.2",
    send: [UPGRADE],
    worker: [
      { say: head("HTTP/1.1 103 Early Hints", "X: 1") + SWITCHING, end: true },
    ],
    forwards: ASKED,
    gets: head("HTTP/1.1 103 Early Hints", "X: 1") + SWITCHED,
    closes: true,
  },
  {
    name: "h2c is served as plain HTTP, and the connection goes on",
    guards: "RFC 9113 3.1; h2c smuggling: a tunnel that nobody looks into",
    send: [
      head(
        "GET /1 HTTP/1.1",
        "Host: x",
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABk",
      ),
      { sees: "ok" },
      head("GET /2 HTTP/1.1", "Host: x"),
    ],
    forwards:
      passed("GET /1 HTTP/1.1", "Host: x") +
      passed("GET /2 HTTP/1.1", "Host: x"),
    gets: ok + ok,
  },
  {
    name: "h2c in capitals, without its settings named, is served as plain HTTP",
    guards: "h2c smuggling",
    send: [
      head(
        "GET / HTTP/1.1",
        "Host: x",
        "Connection: Upgrade",
        "Upgrade: H2C",
        "HTTP2-Settings: AAMAAABk",
      ),
    ],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets: ok,
  },
  {
    name: "an upgrade with a body is served as plain HTTP",
    guards: "7.8; the body taken for the first bytes of the tunnel",
    send: [
      head("POST / HTTP/1.1", "Host: x", ...ASK, "Content-Length: 3") + "abc",
    ],
    worker: [{ when: "\r\n\r\nabc", say: OK }],
    forwards: passed("POST / HTTP/1.1", "Host: x", "Content-Length: 3") + "abc",
    gets: ok,
  },
  {
    name: "an upgrade in HTTP/1.0 means nothing",
    guards: "7.8: MUST ignore",
    send: [head("GET / HTTP/1.0", "Host: x", ...ASK)],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets: ok,
  },
  {
    name: "Upgrade that Connection doesn't name means nothing",
    guards: "7.8",
    send: [head("GET / HTTP/1.1", "Host: x", "Upgrade: websocket")],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets: ok,
  },
  {
    name: "an upgrade with a fragment is refused",
    guards: "RFC 9112 3.2",
    send: [head("GET /up#x HTTP/1.1", "Host: x", ...ASK)],
    forwards: undefined,
    gets: refused(400),
    closes: true,
  },
];

describe("upgrades", () => {
  it.each(rows)("$name [$guards]", (row) => run(world, row));
});
