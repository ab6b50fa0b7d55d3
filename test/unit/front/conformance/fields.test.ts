/** Header fields, in both directions: RFC 9110 sections 5 to 7. */
import { afterEach, beforeEach, describe, it } from "vitest";

import { World } from "../helpers.js";
import { head, hop, lines, passed, relayed, run } from "./row.js";
import type { Row } from "./row.js";
import { OK } from "./scripted-worker.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const ok = relayed("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";
const request = (...fields: string[]): string =>
  head("GET / HTTP/1.1", "Host: x", ...fields);

const rows: readonly Row[] = [
  {
    name: "order, case, duplicates and latin1 bytes of a request stay",
    guards: "5.3, 5.5; proxies that join, sort or re-encode fields",
    send: [
      head(
        "GET /%7Ea//b/../c?q=%e9&q=%C3%A9&&= HTTP/1.1",
        "hOsT: x",
        "X-B: 1",
        "x-a: caf\xe9\xff",
        "X-B: 2",
        "Cookie: a=1",
        "Cookie: b=2",
        "Empty:",
      ),
    ],
    forwards: passed(
      "GET /%7Ea//b/../c?q=%e9&q=%C3%A9&&= HTTP/1.1",
      "hOsT: x",
      "X-B: 1",
      "x-a: caf\xe9\xff",
      "X-B: 2",
      "Cookie: a=1",
      "Cookie: b=2",
      "Empty: ",
    ),
    gets: ok,
  },
  {
    name: "order, case, duplicates and latin1 bytes of an answer stay",
    guards: "5.3, 5.5, RFC 6265 section 3 (Set-Cookie is never joined)",
    send: [request()],
    worker: [
      {
        say: head(
          "HTTP/1.1 299 Sch\xf6n gut",
          "set-cookie: a=1; Path=/",
          "X-B: \xe9",
          "Set-Cookie: b=2, c",
          "x-b: 2",
          "Date: then",
          "Content-Length: 0",
        ),
      },
    ],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets: relayed(
      "HTTP/1.1 299 Sch\xf6n gut",
      "set-cookie: a=1; Path=/",
      "X-B: \xe9",
      "Set-Cookie: b=2, c",
      "x-b: 2",
      "Content-Length: 0",
    ),
  },
  {
    name: "hop-by-hop fields of a request, and those that Connection names, end here",
    guards:
      "7.6.1; proxies that pass them on when there are several Connection fields",
    send: [
      request(
        "Connection: keep-alive, X-One",
        "Keep-Alive: timeout=5",
        "X-One: 1",
        "Proxy-Connection: keep-alive",
        "connection: x-two , ,",
        "TE: trailers",
        "X-Two: 2",
        "Upgrade: whatever",
        "X-Three: 3",
      ),
    ],
    forwards: passed("GET / HTTP/1.1", "Host: x", "X-Three: 3"),
    gets: ok,
  },
  {
    name: "hop-by-hop fields of an answer, and those that Connection names, end here",
    guards: "7.6.1",
    send: [request()],
    worker: [
      {
        say:
          head(
            "HTTP/1.1 200 OK",
            "Connection: X-One, keep-alive",
            "Keep-Alive: timeout=5",
            "X-One: 1",
            "Proxy-Connection: close",
            "Upgrade: h2c",
            "X-Two: 2",
            "Content-Length: 2",
          ) + "ok",
      },
    ],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets: relayed("HTTP/1.1 200 OK", "X-Two: 2", "Content-Length: 2") + "ok",
  },
  {
    name: "Connection can't take away what says where a message goes or ends",
    guards: "7.6.1; hop-by-hop abuse (Connection: Host, Content-Length)",
    send: [
      head(
        "POST / HTTP/1.1",
        "Host: x",
        "Connection: Host, Content-Length, X-Forwarded-For",
        "X-Forwarded-For: 192.0.2.1",
        "Content-Length: 3",
      ) + "abc",
    ],
    worker: [{ when: "abc", say: OK }],
    forwards: passed("POST / HTTP/1.1", "Host: x", "Content-Length: 3") + "abc",
    gets: ok,
  },
  {
    name: "a worker's own tags are replaced, its close is its own affair",
    guards: "DESIGN section 5; 7.6.1",
    send: [request()],
    worker: [
      {
        say:
          head(
            "HTTP/1.1 200 OK",
            "X-Prefork-Worker: 9",
            "Connection: close",
            "Content-Length: 2",
          ) + "ok",
        end: true,
      },
    ],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets: ok,
  },
  {
    name: "a trusted peer's word of earlier hops is kept and added to",
    guards: "RFC 7239 section 4; frameworks that read one field of several",
    send: [
      request(
        "X-Forwarded-For: 192.0.2.1, 192.0.2.2",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: example.com",
        "Forwarded: for=192.0.2.1;proto=https",
        "X-Forwarded-Port: 443",
      ),
    ],
    forwards: head(
      "GET / HTTP/1.1",
      "Host: x",
      "X-Forwarded-For: 192.0.2.1, 192.0.2.2, 127.0.0.1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: example.com",
      'Forwarded: for=192.0.2.1;proto=https, for=127.0.0.1;host="x";proto=http',
      "X-Forwarded-Port: 443",
      "Connection: keep-alive",
    ),
    gets: ok,
  },
  {
    name: "anybody else's is replaced",
    guards: "RFC 7239 section 8.1; spoofed addresses",
    options: { trustProxy: "none" },
    send: [
      request(
        "X-Forwarded-For: 192.0.2.1",
        "x-forwarded-proto: https",
        "X-FORWARDED-HOST: example.com",
        "forwarded: for=192.0.2.1;proto=https",
        "X-Forwarded-For: 192.0.2.2",
      ),
    ],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets: ok,
  },
  {
    name: "the host that the front names for HTTP/1.0 is the one in all fields",
    guards: "7.2",
    send: [head("GET http://x:8/ HTTP/1.0")],
    forwards: head(
      "GET / HTTP/1.1",
      "Host: x:8",
      ...hop("x:8"),
      "Connection: keep-alive",
    ),
    gets: /^HTTP\/1\.1 200 OK\r\n[^]*ok$/,
    closes: true,
  },
  {
    name: "trailers pass both ways, but for those that would change the message",
    guards:
      "6.5.1, RFC 9112 section 7.1.2; trailers merged into the header by the next hop",
    send: [
      head(
        "POST / HTTP/1.1",
        "Host: x",
        "Transfer-Encoding: Chunked",
        "Trailer: X-Sum",
      ),
      lines(
        "3",
        "abc",
        "0",
        "X-Sum: 1",
        "Host: evil",
        "X-Forwarded-For: evil",
        "x-sum: \xe9",
        "",
      ),
    ],
    worker: [
      {
        when: "\r\n0\r\n",
        say:
          head(
            "HTTP/1.1 200 OK",
            "Transfer-Encoding: chunked",
            "Trailer: X-T",
          ) +
          lines("2", "ok", "0", "X-T: 1", "Connection: close", "x-t: \xe9", ""),
      },
    ],
    forwards:
      passed(
        "POST / HTTP/1.1",
        "Host: x",
        "Trailer: X-Sum",
        "Transfer-Encoding: chunked",
      ) + lines("3", "abc", "0", "X-Sum: 1", "x-sum: \xe9", ""),
    gets: /^HTTP\/1\.1 200 OK\r\nTrailer: X-T\r\n[^]*\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\nx-t: \xe9\r\n\r\n$/,
  },
  {
    name: "Trailer is not announced for what has a length",
    guards: "6.6.2; Node's writer throws on it, and takes the proxy down",
    send: [
      head("POST / HTTP/1.1", "Host: x", "Trailer: X-T", "Content-Length: 1") +
        "a",
    ],
    worker: [
      {
        when: "\r\n\r\na",
        say:
          head("HTTP/1.1 200 OK", "Trailer: X-T", "Content-Length: 2") + "ok",
      },
    ],
    forwards: passed("POST / HTTP/1.1", "Host: x", "Content-Length: 1") + "a",
    gets: ok,
  },
  {
    name: "an answer's header may be as large as browsers take it",
    guards: "nginx's `upstream sent too big header`, Node's 16 KiB",
    send: [request()],
    worker: [
      {
        say:
          head(
            "HTTP/1.1 200 OK",
            ...Array.from(
              { length: 40 },
              (_, i) => `Set-Cookie: c${i}=${"v".repeat(4000)}`,
            ),
            "Content-Length: 2",
          ) + "ok",
      },
    ],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets:
      relayed(
        "HTTP/1.1 200 OK",
        ...Array.from(
          { length: 40 },
          (_, i) => `Set-Cookie: c${i}=${"v".repeat(4000)}`,
        ),
        "Content-Length: 2",
      ) + "ok",
  },
  {
    name: "an answer's 3,000 header fields all arrive",
    guards: "Node cuts the list at 1,000 without a word",
    send: [request()],
    worker: [
      {
        say:
          head(
            "HTTP/1.1 200 OK",
            ...Array.from({ length: 3000 }, (_, i) => `X-${i}: ${i}`),
            "Content-Length: 2",
          ) + "ok",
      },
    ],
    forwards: passed("GET / HTTP/1.1", "Host: x"),
    gets:
      relayed(
        "HTTP/1.1 200 OK",
        ...Array.from({ length: 3000 }, (_, i) => `X-${i}: ${i}`),
        "Content-Length: 2",
      ) + "ok",
  },
  {
    name: "as many request fields as are allowed all arrive",
    guards: "Node cuts the list at 1,000 without a word",
    send: [request(...Array.from({ length: 899 }, (_, i) => `X-${i}: ${i}`))],
    forwards: passed(
      "GET / HTTP/1.1",
      "Host: x",
      ...Array.from({ length: 899 }, (_, i) => `X-${i}: ${i}`),
    ),
    gets: ok,
  },
];

describe("header fields", () => {
  it.each(rows)("$name [$guards]", (row) => run(world, row));
});
