import { describe, expect, it } from "vitest";

import {
  answerHead,
  asksForH2c,
  namedByConnection,
  requestHead,
} from "../../../src/front/headers.js";
import type { AnswerFacts, RequestFacts } from "../../../src/front/headers.js";

const request: RequestFacts = {
  method: "GET",
  httpVersion: "1.1",
  connection: undefined,
  remoteAddress: "10.0.0.7",
  isTrusted: true,
  protocol: "http",
  defaultHost: "localhost:3000",
};
const forwarded = (host: string): string[] => [
  "X-Forwarded-For",
  "10.0.0.7",
  "X-Forwarded-Proto",
  "http",
  "X-Forwarded-Host",
  host,
  "Forwarded",
  `for=10.0.0.7;host="${host}";proto=http`,
];
const answer: AnswerFacts = {
  connection: undefined,
  mayBeChunked: true,
  isLengthless: false,
  worker: 2,
  generation: 5,
};
const tags = ["x-prefork-worker", "2", "x-prefork-generation", "5"];

describe("requestHead", () => {
  it("keeps order, case, duplicates and latin1", () => {
    const raw = ["HoSt", "a", "X-B", "\xe9", "x-b", "2", "Cookie", "a=1"];
    expect(requestHead(raw, request).headers).toEqual([
      ...raw,
      ...forwarded("a"),
    ]);
  });

  it("strips hop-by-hop fields and what Connection names, but never Host or the length", () => {
    const connection = "close, X-Secret , Host, Content-Length";
    const head = requestHead(
      [
        ...["Host", "a", "Connection", connection, "X-Secret", "1"],
        ...["Keep-Alive", "5", "Proxy-Connection", "x", "TE", "trailers"],
        ...["Upgrade", "h2c", "Content-Length", "3"],
      ],
      { ...request, method: "POST", connection },
    );
    expect(head.headers).toEqual([
      ...["Host", "a", "Content-Length", "3"],
      ...forwarded("a"),
    ]);
    expect(head.hasBody).toBe(true);
  });

  it("frames a body as it came: chunks, a length, or none", () => {
    const of = (method: string, ...fields: string[]) =>
      requestHead(["Host", "a", ...fields], { ...request, method });
    const chunked = of(
      "DELETE",
      "Transfer-Encoding",
      "chunked",
      "Trailer",
      "X-T",
    );
    expect(chunked.hasBody).toBe(true);
    expect(chunked.headers).toContain("Transfer-Encoding");
    expect(chunked.headers).toContain("Trailer");
    expect(of("POST", "Content-Length", "0").hasBody).toBe(false);
    expect(of("POST").headers).toContain("Content-Length");
    expect(of("GET").headers).not.toContain("Content-Length");
    expect(of("GET", "Trailer", "X-T").headers).not.toContain("Trailer");
  });

  it("names a host where the client didn't", () => {
    const { headers } = requestHead([], request);
    expect(headers).toEqual([
      "Host",
      "localhost:3000",
      ...forwarded("localhost:3000"),
    ]);
  });

  it("asks for the upgrade that the client asked for", () => {
    const connection = "keep-alive, Upgrade";
    const { headers } = requestHead(
      ["Host", "a", "Connection", connection, "Upgrade", "websocket"],
      { ...request, connection, upgrade: "websocket" },
    );
    expect(headers.slice(-4)).toEqual([
      "Connection",
      "Upgrade",
      "Upgrade",
      "websocket",
    ]);
  });

  it("knows who waits for 100 Continue", () => {
    const raw = ["Host", "a", "Expect", "100-Continue", "Content-Length", "1"];
    expect(requestHead(raw, request).expectsContinue).toBe(true);
    expect(requestHead(["Expect", "more"], request).expectsContinue).toBe(
      false,
    );
  });
});

describe("answerHead", () => {
  it("keeps everything but hop-by-hop fields, and says who answered", () => {
    const { headers, hasLength } = answerHead(
      [
        ...["Set-Cookie", "a", "set-cookie", "b", "X-Prefork-Worker", "77"],
        ...["Connection", "keep-alive", "Keep-Alive", "timeout=5"],
        ...["Content-Length", "2", "Trailer", "X-T"],
      ],
      { ...answer, connection: "keep-alive" },
    );
    expect(hasLength).toBe(true);
    expect(headers).toEqual([
      ...["Set-Cookie", "a", "set-cookie", "b", "Content-Length", "2"],
      ...tags,
    ]);
  });

  it("announces trailers only where there can be some", () => {
    const raw = ["Trailer", "X-T"];
    expect(answerHead(raw, answer).headers).toEqual([...raw, ...tags]);
    expect(answerHead(raw, { ...answer, mayBeChunked: false }).headers).toEqual(
      tags,
    );
  });
});

it("namedByConnection has no list for what everyone sends", () => {
  expect(namedByConnection("keep-alive")).toBeUndefined();
  expect(namedByConnection("a, B")).toEqual(new Set(["a", "b"]));
});

it("asksForH2c looks through the list", () => {
  expect(asksForH2c("h2c")).toBe(true);
  expect(asksForH2c("websocket, H2C")).toBe(true);
  expect(asksForH2c("websocket")).toBe(false);
  expect(asksForH2c(undefined)).toBe(false);
});
