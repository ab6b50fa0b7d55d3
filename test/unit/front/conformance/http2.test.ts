/** HTTP/2 on the public side, row by row: what the process gets of a request, what the client gets of an answer. */
import http2 from "node:http2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { STRICT_POLICY } from "../../../../src/front/own-policy.js";
import * as certificate from "../certificate.js";
import { World } from "../helpers.js";
import { askHttp2, connectHttp2, reply } from "../http2-client.js";
import { head } from "./row.js";
import { OK, ScriptedWorker } from "./scripted-worker.js";
import type { Step } from "./scripted-worker.js";

const { NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = http2.constants;

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(async () => {
  await world.end();
});

async function setUp(
  steps?: readonly Step[],
  options: Parameters<World["simple"]>[1] = {},
): Promise<{
  worker: ScriptedWorker;
  session: http2.ClientHttp2Session;
  drained: () => Promise<void>;
}> {
  const worker = new ScriptedWorker(steps);
  const { front, port, process } = await world.simple(worker.server, {
    tls: certificate,
    ...options,
  });
  const session = await connectHttp2(port);
  return {
    ...{ worker, session },
    drained: async () => await front.drain(process.target.id),
  };
}

/** What the front adds for the process. */
const HOP = [
  "X-Forwarded-For: 127.0.0.1",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: x",
  'Forwarded: for=127.0.0.1;host="x";proto=https',
  "Connection: keep-alive",
];

interface RequestRow {
  readonly name: string;
  readonly guards: string;
  readonly headers: http2.OutgoingHttpHeaders;
  readonly body?: string;
  readonly trailers?: http2.OutgoingHttpHeaders;
  /** All that the process gets. */
  readonly forwards: string;
}

const requests: readonly RequestRow[] = [
  {
    name: "a request without a body",
    guards: "RFC 9113 8.3.1",
    headers: { ":path": "/a?b=%2F&c", "X-Own": "1", accept: "*/*" },
    forwards: head(
      ...["GET /a?b=%2F&c HTTP/1.1", "host: x", "x-own: 1", "accept: */*"],
      ...HOP,
    ),
  },
  {
    name: "crumbs of a cookie become one field",
    guards: "RFC 9113 8.2.3; servers that see the last crumb only",
    headers: { ":path": "/", cookie: ["a=1", "b=2", "c=3"], "x-after": "1" },
    forwards: head(
      ...["GET / HTTP/1.1", "host: x", "cookie: a=1; b=2; c=3", "x-after: 1"],
      ...HOP,
    ),
  },
  {
    name: "the same host in :authority and host",
    guards: "RFC 9113 8.3.1",
    headers: { ":path": "/", host: "X" },
    forwards: head("GET / HTTP/1.1", "host: x", ...HOP),
  },
  {
    name: "te: trailers is about this connection",
    guards: "RFC 9113 8.2.2, RFC 9110 10.1.4",
    headers: { ":path": "/", te: "trailers" },
    forwards: head("GET / HTTP/1.1", "host: x", ...HOP),
  },
  {
    name: "OPTIONS *",
    guards: "RFC 9113 8.3.1",
    headers: { ":method": "OPTIONS", ":path": "*" },
    forwards: head("OPTIONS * HTTP/1.1", "host: x", ...HOP),
  },
  {
    name: "POST without a body",
    guards: "RFC 9110 8.6",
    headers: { ":method": "POST", ":path": "/" },
    forwards: head("POST / HTTP/1.1", "host: x", "Content-Length: 0", ...HOP),
  },
  {
    name: "a body with a length",
    guards: "RFC 9113 8.1.1",
    headers: { ":method": "PUT", ":path": "/", "content-length": 5 },
    body: "hello",
    forwards:
      head("PUT / HTTP/1.1", "host: x", "content-length: 5", ...HOP) + "hello",
  },
  {
    name: "a body without a length is chunked",
    guards: "RFC 9113 8.1; h2-to-h1 smuggling: H2.TE and H2.CL",
    headers: { ":method": "POST", ":path": "/" },
    body: "hello",
    forwards:
      head(
        ...["POST / HTTP/1.1", "host: x", "Transfer-Encoding: chunked"],
        ...HOP,
      ) + "5\r\nhello\r\n0\r\n\r\n",
  },
  {
    name: "a GET with a body",
    guards: "RFC 9110 9.3.1",
    headers: { ":method": "GET", ":path": "/" },
    body: "hello",
    forwards:
      head(
        ...["GET / HTTP/1.1", "host: x", "Transfer-Encoding: chunked"],
        ...HOP,
      ) + "5\r\nhello\r\n0\r\n\r\n",
  },
  {
    name: "trailers of a request",
    guards: "RFC 9113 8.1; gRPC",
    headers: { ":method": "POST", ":path": "/", trailer: "x-sum" },
    body: "hello",
    trailers: { "x-sum": "1", "x-forwarded-for": "evil" },
    forwards:
      head(
        ...["POST / HTTP/1.1", "host: x", "trailer: x-sum"],
        ...["Transfer-Encoding: chunked", ...HOP],
      ) + "5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n",
  },
  {
    name: "latin1 in a field",
    guards: "RFC 9110 5.5; proxies that make UTF-8 of it",
    headers: { ":path": "/", "x-name": "caf\u00e9" },
    forwards: head("GET / HTTP/1.1", "host: x", "x-name: caf\u00e9", ...HOP),
  },
  {
    name: "a trusted peer's word of earlier hops",
    guards: "RFC 7239 section 4",
    headers: {
      ...{ ":path": "/", "x-forwarded-for": "192.0.2.1" },
      "x-forwarded-proto": "http",
    },
    forwards: head(
      ...["GET / HTTP/1.1", "host: x", "x-forwarded-for: 192.0.2.1, 127.0.0.1"],
      ...["x-forwarded-proto: http", "X-Forwarded-Host: x"],
      'Forwarded: for=127.0.0.1;host="x";proto=https',
      "Connection: keep-alive",
    ),
  },
];

describe("what the process gets", () => {
  it.each(requests.map((row) => [row.name, row.guards, row] as const))(
    "%s (%s)",
    async (_name, _guards, { headers, body, trailers, forwards }) => {
      const { worker, session, drained } = await setUp([
        { when: forwards, say: OK },
      ]);
      const stream = session.request(
        { ":authority": "x", ...headers },
        {
          endStream: body === undefined,
          waitForTrailers: trailers !== undefined,
        },
      );
      stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
      if (body !== undefined) stream.end(body);
      const got = await reply(stream);
      expect(worker.text).toBe(forwards);
      expect(got).toMatchObject({ status: 200, text: "ok", isWhole: true });
      await drained();
    },
  );
});

interface AnswerRow {
  readonly name: string;
  readonly guards: string;
  readonly method?: string;
  readonly says: string;
  readonly status: number;
  /** Fields besides `date` and those that name worker and generation. */
  readonly fields: readonly string[];
  readonly text?: string;
  readonly trailers?: object;
  readonly early?: readonly object[];
}

const answers: readonly AnswerRow[] = [
  {
    name: "a length",
    guards: "RFC 9113 8.1.1",
    says: head("HTTP/1.1 200 OK", "Content-Length: 2", "X-Own: 1") + "ok",
    status: 200,
    fields: ["content-length", "2", "x-own", "1"],
    text: "ok",
  },
  {
    name: "chunks and trailers",
    guards: "RFC 9113 8.1; gRPC",
    says:
      head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: x-sum") +
      "2\r\nok\r\n0\r\nX-Sum: 1\r\nExpect: 9\r\n\r\n",
    status: 200,
    fields: ["trailer", "x-sum"],
    text: "ok",
    trailers: { "x-sum": "1" },
  },
  {
    name: "fields of the connection end here",
    guards: "RFC 9113 8.2.2; browsers take such an answer for a fault",
    says:
      head(
        ...["HTTP/1.1 200 OK", "Connection: keep-alive, X-Gone", "X-Gone: 1"],
        ...["Keep-Alive: timeout=5", "Proxy-Connection: x", "Upgrade: h2"],
        "Content-Length: 2",
      ) + "ok",
    status: 200,
    fields: ["content-length", "2"],
    text: "ok",
  },
  {
    name: "fields that are there several times, in turn",
    guards: "RFC 9110 5.3",
    says:
      head(
        ...["HTTP/1.1 200 OK", "Set-Cookie: a=1", "Vary: a", "Set-Cookie: b=2"],
        ...["Vary: b", "Content-Length: 2"],
      ) + "ok",
    status: 200,
    fields: [
      ...["set-cookie", "a=1", "set-cookie", "b=2"],
      ...["vary", "a", "vary", "b", "content-length", "2"],
    ],
    text: "ok",
  },
  {
    name: "what Node sends once only is joined",
    guards: "RFC 9110 5.2; Node's ERR_HTTP2_HEADER_SINGLE_VALUE",
    says:
      head(
        ...["HTTP/1.1 200 OK", "Age: 1", "Age: 2", "Set-Cookie: a=1"],
        ...["Set-Cookie: b=2", "Content-Length: 2"],
      ) + "ok",
    status: 200,
    fields: [
      ...["age", "1, 2", "set-cookie", "a=1", "set-cookie", "b=2"],
      ...["content-length", "2"],
    ],
    text: "ok",
  },
  {
    name: "interim answers",
    guards: "RFC 9113 8.1; RFC 8297",
    says:
      head("HTTP/1.1 103 Early Hints", "Link: </a>; rel=preload") +
      head("HTTP/1.1 102 Processing") +
      head("HTTP/1.1 200 OK", "Content-Length: 2") +
      "ok",
    status: 200,
    fields: ["content-length", "2"],
    text: "ok",
    early: [{ ":status": 103, link: "</a>; rel=preload" }, { ":status": 102 }],
  },
  {
    name: "HEAD",
    guards: "RFC 9110 9.3.2",
    method: "HEAD",
    says: head("HTTP/1.1 200 OK", "Content-Length: 1000"),
    status: 200,
    fields: ["content-length", "1000"],
  },
  {
    name: "HEAD, chunked",
    guards: "RFC 9110 9.3.2",
    method: "HEAD",
    says: head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"),
    status: 200,
    fields: [],
  },
  {
    name: "204",
    guards: "RFC 9110 8.6",
    says: head("HTTP/1.1 204 No Content", "Content-Length: 0"),
    status: 204,
    fields: [],
  },
  {
    name: "304 with the length that a 200 would have",
    guards: "RFC 9110 15.4.5",
    says: head("HTTP/1.1 304 Not Modified", "ETag: x", "Content-Length: 10"),
    status: 304,
    fields: ["etag", "x", "content-length", "10"],
  },
  {
    name: "205 with a body that it can't have",
    guards: "RFC 9110 15.3.6",
    says: head("HTTP/1.1 205 Reset Content", "Content-Length: 2") + "no",
    status: 205,
    fields: [],
  },
  {
    name: "latin1 in a field",
    guards: "RFC 9110 5.5",
    says: head("HTTP/1.1 200 OK", "X-Name: caf\u00e9", "Content-Length: 0"),
    status: 200,
    fields: ["x-name", "caf\u00e9", "content-length", "0"],
  },
  {
    name: "an answer that ends with the connection",
    guards: "RFC 9112 6.3",
    says: head("HTTP/1.0 200 OK") + "until the end",
    status: 200,
    fields: [],
    text: "until the end",
  },
  {
    name: "two lengths",
    guards: "RFC 9112 6.3",
    says:
      head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3") + "ok",
    status: 502,
    fields: [
      ...["content-type", "text/plain; charset=utf-8", "content-length", "*"],
      ...["cache-control", "no-store", "x-content-type-options", "nosniff"],
      ...["content-security-policy", STRICT_POLICY],
      ...["referrer-policy", "no-referrer"],
    ],
  },
];

describe("what the client gets", () => {
  it.each(answers.map((row) => [row.name, row.guards, row] as const))(
    "%s (%s)",
    async (_name, _guards, row) => {
      const { session, drained } = await setUp([
        { say: row.says, end: row.says.startsWith("HTTP/1.0") },
      ]);
      const got = await askHttp2(session, {
        ":method": row.method ?? "GET",
        ":path": "/",
      });
      expect(got).toMatchObject({ status: row.status, isWhole: true, code: 0 });
      const isOwn = row.status === 502;
      if (!isOwn) expect(got.text).toBe(row.text ?? "");
      const fields = got.raw.slice(2);
      const kept: string[] = [];
      for (let i = 0; i + 1 < fields.length; i += 2) {
        const [name = "", value = ""] = fields.slice(i, i + 2);
        if (name === "date" || name.startsWith("x-prefork-")) continue;
        kept.push(name, isOwn && name === "content-length" ? "*" : value);
      }
      expect(kept).toEqual(row.fields);
      expect(got.headers["date"]).toBeDefined();
      expect(got.headers["x-prefork-worker"]).toBe(isOwn ? undefined : "0");
      if (row.trailers !== undefined)
        expect(Object.entries(got.trailers ?? {})).toEqual(
          Object.entries(row.trailers),
        );
      expect(
        got.early.map((each) => Object.fromEntries(Object.entries(each))),
      ).toEqual(row.early ?? []);
      await drained();
      expect(got.code).toBe(NGHTTP2_NO_ERROR);
    },
  );
});

interface RefusalRow {
  readonly name: string;
  readonly guards: string;
  readonly headers: http2.OutgoingHttpHeaders;
  /** Undefined: the stream is reset with PROTOCOL_ERROR, since nghttp2 takes it for malformed (RFC 9113 8.1.1). */
  readonly status: number | undefined;
  readonly says: RegExp;
}

const refusals: readonly RefusalRow[] = [
  {
    name: "CONNECT",
    guards: "RFC 9113 8.5",
    headers: { ":method": "CONNECT", ":authority": "x:443" },
    status: 405,
    says: /CONNECT is for proxies/,
  },
  {
    name: ":authority and host that differ",
    guards: "RFC 9113 8.3.1; host confusion behind HTTP/2 fronts",
    headers: { ":path": "/", host: "y" },
    status: 400,
    says: /:authority or host: "x", "y"/,
  },
  {
    name: "an :authority with user information",
    guards: "RFC 9113 8.3.1",
    headers: { ":path": "/", ":authority": "me@x" },
    status: 400,
    says: /no host/,
  },
  {
    name: "another scheme",
    guards: "RFC 9113 8.3.1; URLs made of :scheme",
    headers: { ":path": "/", ":scheme": "http" },
    status: 400,
    says: /:scheme is "http"/,
  },
  {
    name: "a path that is an absolute URL",
    guards: "RFC 9113 8.3.1; requests sent elsewhere by a front",
    headers: { ":path": "http://y/" },
    status: undefined,
    says: /^$/,
  },
  {
    name: "* without OPTIONS",
    guards: "RFC 9113 8.3.1",
    headers: { ":path": "*" },
    status: undefined,
    says: /^$/,
  },
  {
    name: "a fragment",
    guards: "RFC 9112 3.2",
    headers: { ":path": "/a#b" },
    status: 400,
    says: /has a fragment/,
  },
  {
    name: "a space in the path",
    guards: "RFC 9112 3; request splitting by h2-to-h1 translation",
    headers: { ":path": "/a HTTP/1.1" },
    status: undefined,
    says: /^$/,
  },
  {
    name: "a method that isn't HTTP's",
    guards: "RFC 9110 9.1",
    headers: { ":method": "get", ":path": "/" },
    status: 501,
    says: /isn't HTTP's/,
  },
  {
    name: "too many fields",
    guards: "RFC 6585 section 5",
    headers: {
      ":path": "/",
      ...Object.fromEntries(
        Array.from({ length: 901 }, (_, i) => [`x-${i}`, "1"]),
      ),
    },
    status: 431,
    says: /at most 900 are passed on/,
  },
  {
    name: "too large a header",
    guards: "RFC 6585 section 5",
    headers: { ":path": "/", "x-large": "x".repeat(17_000) },
    status: 431,
    says: /maxHeaderBytes/,
  },
];

describe("what is refused", () => {
  it.each(refusals.map((row) => [row.name, row.guards, row] as const))(
    "%s (%s)",
    async (_name, _guards, { headers, status, says }) => {
      const { worker, session, drained } = await setUp();
      const got = await askHttp2(session, headers);
      expect(got.text).toMatch(says);
      if (status === undefined) expect(got.code).toBe(NGHTTP2_PROTOCOL_ERROR);
      else {
        expect(got).toMatchObject({ status, isWhole: true, code: 0 });
        expect(got.headers["cache-control"]).toBe("no-store");
      }
      // The connection serves on.
      const next = await askHttp2(session, { ":path": "/next" });
      expect(next.text).toBe("ok");
      expect(worker.text).toMatch(/^GET \/next HTTP\/1\.1\r\n/);
      await drained();
    },
  );
});
