/** Where requests end, and what is refused because nobody could say: RFC 9112 sections 6 and 7. */
import { afterEach, beforeEach, describe, it } from "vitest";

import { World } from "../helpers.js";
import { head, lines, passed, refused, relayed, run } from "./row.js";
import type { Row } from "./row.js";
import { OK } from "./scripted-worker.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const ok = relayed("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";
const CHUNKS = lines("3", "abc", "0", "");

/** An answer to HEAD has no body. */
const answerTo = (method: string): string =>
  method === "HEAD" ? OK.slice(0, -"ok".length) : OK;

const bodies = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "REPORT",
].flatMap((method): Row[] => [
  {
    name: `${method} with a length passes with it`,
    guards: "6.4; proxies that drop the bodies of GET or DELETE",
    send: [
      head(`${method} / HTTP/1.1`, "Host: x", "Content-Length: 3") + "abc",
    ],
    worker: [{ when: "\r\n\r\nabc", say: answerTo(method) }],
    forwards:
      passed(`${method} / HTTP/1.1`, "Host: x", "Content-Length: 3") + "abc",
    gets: method === "HEAD" ? ok.slice(0, -2) : ok,
  },
  {
    name: `${method} in chunks passes in chunks`,
    guards: "RFC 9112 6.1; Node's client frames bodies by the method",
    send: [
      head(`${method} / HTTP/1.1`, "Host: x", "Transfer-Encoding: chunked") +
        CHUNKS,
    ],
    worker: [{ when: "\r\n0\r\n\r\n", say: answerTo(method) }],
    forwards:
      passed(`${method} / HTTP/1.1`, "Host: x", "Transfer-Encoding: chunked") +
      CHUNKS,
    gets: method === "HEAD" ? ok.slice(0, -2) : ok,
  },
]);

const refuses = (
  name: string,
  status: number | string,
  guards: string,
  fields: string[],
  body = "",
): Row => ({
  name: `${name} is refused`,
  guards,
  send: [head("POST / HTTP/1.1", "Host: x", ...fields) + body],
  forwards: undefined,
  gets: refused(status),
  closes: true,
});

const rows: readonly Row[] = [
  ...bodies,
  {
    name: "a length of 0 is said, and nothing else sent",
    guards: "8.6",
    send: [head("POST / HTTP/1.1", "Host: x", "Content-Length: 0")],
    forwards: passed("POST / HTTP/1.1", "Host: x", "Content-Length: 0"),
    gets: ok,
  },
  {
    name: "a POST without a body is given its length",
    guards: "8.6; an empty chunked body instead",
    send: [head("POST / HTTP/1.1", "Host: x")],
    forwards: passed("POST / HTTP/1.1", "Host: x", "Content-Length: 0"),
    gets: ok,
  },
  {
    name: "a length with whitespace around it and zeros before it is that length",
    guards: "5.5, 8.6",
    send: [
      head("POST / HTTP/1.1", "Host: x", "Content-Length: \t003  ") + "abc",
    ],
    worker: [{ when: "\r\n\r\nabc", say: OK }],
    forwards:
      passed("POST / HTTP/1.1", "Host: x", "Content-Length: 003") + "abc",
    gets: ok,
  },
  {
    name: "chunk extensions end here, sizes in either case mean the same",
    guards: "RFC 9112 7.1.1; readers that disagree on where an extension ends",
    send: [
      head("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") +
        lines('00A;a=b;c="d"', "0123456789", "a", "0123456789", "000;last", ""),
    ],
    worker: [{ when: "\r\n0\r\n\r\n", say: OK }],
    forwards:
      passed("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") +
      lines("a", "0123456789", "a", "0123456789", "0", ""),
    gets: ok,
  },
  {
    name: "empty lines before a request are nothing",
    guards: "RFC 9112 2.2",
    send: ["\r\n\r\n" + head("GET / HTTP/1.1", "Host: x")],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets: ok,
  },
  refuses(
    "a length and chunks",
    400,
    "RFC 9112 6.3; CL.TE and TE.CL smuggling",
    ["Content-Length: 3", "Transfer-Encoding: chunked"],
    CHUNKS,
  ),
  refuses(
    "chunks and a length",
    400,
    "RFC 9112 6.3",
    ["Transfer-Encoding: chunked", "Content-Length: 3"],
    CHUNKS,
  ),
  refuses(
    "two lengths",
    400,
    "RFC 9112 6.3",
    ["Content-Length: 3", "Content-Length: 0"],
    "abc",
  ),
  refuses(
    "the same length twice",
    400,
    "RFC 9112 6.3",
    ["Content-Length: 3", "Content-Length: 3"],
    "abc",
  ),
  refuses("a list of lengths", 400, "8.6", ["Content-Length: 3, 3"], "abc"),
  ...["+3", "-3", "0x3", "3.0", "3a", "", "1e0", "99999999999999999999999"].map(
    (length) =>
      refuses(
        `the length "${length}"`,
        400,
        "8.6; lenient number parsers",
        [`Content-Length: ${length}`],
        "abc",
      ),
  ),
  refuses(
    "a coding that we don't know",
    501,
    "RFC 9112 6.1; the body would arrive without it",
    ["Transfer-Encoding: gzip, chunked"],
    CHUNKS,
  ),
  refuses(
    "such a coding in a field of its own",
    501,
    "RFC 9112 6.1",
    ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"],
    CHUNKS,
  ),
  refuses(
    "chunked twice",
    "400|501",
    "RFC 9112 7.1",
    ["Transfer-Encoding: chunked, chunked"],
    CHUNKS,
  ),
  refuses(
    "a coding after chunked",
    "400|501",
    "RFC 9112 6.3",
    ["Transfer-Encoding: chunked, gzip"],
    CHUNKS,
  ),
  refuses(
    "a coding without chunked",
    "400|501",
    "RFC 9112 6.3",
    ["Transfer-Encoding: identity"],
    "abc",
  ),
  refuses(
    "xchunked",
    "400|501",
    "TE.TE smuggling",
    ["Transfer-Encoding: xchunked"],
    CHUNKS,
  ),
  refuses(
    "an empty coding",
    400,
    "TE.TE smuggling",
    ["Transfer-Encoding:"],
    CHUNKS,
  ),
  refuses(
    "whitespace before a colon",
    400,
    "RFC 9112 5.1; TE.TE smuggling",
    ["Transfer-Encoding : chunked"],
    CHUNKS,
  ),
  refuses("a folded line", 400, "RFC 9112 5.2", ["X: a", " b"]),
  refuses("a line without a colon", 400, "RFC 9112 5", ["X"]),
  refuses("a name that is no token", 400, "5.1", ["X{: 1"]),
  refuses("a NUL in a value", 400, "5.5", ["X: a\0b"]),
  refuses("a CR in a value", 400, "RFC 9112 2.2", ["X: a\rb"]),
  refuses("a LF that ends a line", 400, "RFC 9112 2.2", ["X: a\nY: b"]),
  {
    name: "chunks in HTTP/1.0 are refused",
    guards: "RFC 9112 6.1: the framing is faulty",
    send: [
      head("POST / HTTP/1.0", "Host: x", "Transfer-Encoding: chunked") + CHUNKS,
    ],
    forwards: undefined,
    gets: refused(400),
    closes: true,
  },
  ...[
    "g\r\nabc\r\n",
    "-1\r\n",
    "3\r\nabcd\r\n",
    "3\nabc\r\n",
    "ffffffffffffffff1\r\n",
    "3 \r\nabc\r\n",
    "0x3\r\nabc\r\n",
  ].map((chunk): Row => ({
    name: `the chunk ${JSON.stringify(chunk)} ends the request on both sides`,
    guards: "RFC 9112 7.1; a body that looks complete",
    send: [
      head("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"),
      { workerSees: "\r\n\r\n" },
      chunk,
    ],
    worker: [{ when: "\r\n0\r\n\r\n", say: OK }],
    forwards: /^POST \/ HTTP\/1\.1\r\n(?:(?!\r\n0\r\n)[^])*$/,
    gets: refused(400),
    closes: true,
  })),
  {
    name: "a request that breaks off is no request to anybody",
    guards: "RFC 9112 8",
    send: [
      head("POST / HTTP/1.1", "Host: x", "Content-Length: 10") + "half",
      { workerSees: "half" },
      { end: true },
    ],
    worker: [{ when: "never", say: OK }],
    forwards:
      passed("POST / HTTP/1.1", "Host: x", "Content-Length: 10") + "half",
    gets: refused(400),
    closes: true,
  },
];

describe("framing of requests", () => {
  it.each(rows)("$name [$guards]", (row) => run(world, row));
});
