import { describe, expect, it } from "vitest";
import { MAX_BODY_BYTES } from "../../../src/control/request-body.js";
import { PreforkError } from "../../../src/errors.js";
import { openSocket, rawExchange, request } from "./harness.js";

interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string };
}

function errorOf(text: string): ErrorBody["error"] {
  return (JSON.parse(text) as ErrorBody).error;
}

describe("wrong requests", () => {
  it.each([
    ["GET", "/", undefined, 404, "GET /status, GET /metrics, GET /events"],
    ["GET", "/nothing", undefined, 404, "no /nothing"],
    ["POST", "/constructor", "{}", 404, "no /constructor"],
    ["DELETE", "/status", undefined, 405, "by GET"],
    ["POST", "/events", undefined, 405, "by GET"],
    ["GET", "/stop", undefined, 405, "by POST"],
    ["POST", "/scale", "", 400, "no body"],
    ["POST", "/scale", "workers=3", 400, "not JSON"],
    ["POST", "/scale", "[3]", 400, "send a JSON object"],
    ["POST", "/scale", "null", 400, "send a JSON object"],
    ["POST", "/scale", "{}", 400, 'either "workers" or "by"'],
    ["POST", "/scale", '{"workers":1,"by":1}', 400, "either"],
    ["POST", "/scale", '{"worker":1}', 400, '"worker", which is none of'],
    ["POST", "/scale", '{"workers":"3"}', 400, 'workers" is "3"'],
    ["POST", "/scale", '{"workers":0}', 400, "from 1 to 1024"],
    ["POST", "/scale", '{"workers":1.5}', 400, "whole number"],
    ["POST", "/scale", '{"by":0}', 400, "not 0"],
    ["POST", "/scale", '{"by":1e9}', 400, "from -1024 to 1024"],
    ["POST", "/command", '{"args":[]}', 400, 'command" is missing'],
    ["POST", "/command", '{"command":""}', 400, "the name of a command"],
    ["POST", "/command", '{"command":"a","args":{}}', 400, "give a list"],
    ["POST", "/command", '{"command":"a","worker":-1}', 400, "index from 0"],
  ])("%s %s %s: %i", async (method, url, body, status, message) => {
    const { path, errors } = await openSocket();
    const answer = await request(path, method, url, body);
    expect(answer.status).toBe(status);
    const error = errorOf(answer.text);
    expect(error.code).toBe("ERR_PREFORK_CONTROL_REQUEST");
    expect(error.message).toContain(message);
    expect(errors).toEqual([]);
    expect((await request(path, "GET", "/status")).status).toBe(200);
  });

  it("say which methods there are", async () => {
    const { path } = await openSocket();
    const { headers } = await request(path, "PUT", "/reload");
    expect(headers.allow).toBe("POST");
  });

  it("may not be longer than 1 MiB, but as long", async () => {
    const { path } = await openSocket();
    const text = (length: number): string =>
      `{"command":"${"x".repeat(length - 14)}"}`;
    const ask = (length: number, headers = {}): Promise<{ status: number }> =>
      request(path, "POST", "/command", text(length), headers);
    expect((await ask(MAX_BODY_BYTES)).status).toBe(200);
    expect((await ask(MAX_BODY_BYTES + 1)).status).toBe(413);
    const declared = {
      "Content-Length": String(MAX_BODY_BYTES + 1),
      Expect: "100-continue",
    };
    expect((await ask(MAX_BODY_BYTES + 1, declared)).status).toBe(413);
    // Nothing is asked of it, but nobody may fill the memory by it either.
    const reload = Buffer.alloc(MAX_BODY_BYTES + 1);
    expect((await request(path, "POST", "/reload", reload)).status).toBe(413);
  });

  it("must be UTF-8", async () => {
    const { path } = await openSocket();
    const body = Buffer.from('{"command":"\xff"}', "latin1");
    expect((await request(path, "POST", "/command", body)).status).toBe(400);
  });

  it("that aren't HTTP are answered, and no more", async () => {
    const { path } = await openSocket();
    const answer = await rawExchange(path, "hello\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("This is not HTTP/1.1");
    const long = `GET /status HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(99_999)}\r\n\r\n`;
    expect(await rawExchange(path, long)).toMatch(/^HTTP\/1\.1 431 /);
    expect((await request(path, "GET", "/status")).status).toBe(200);
  });

  it.each([
    "POST /scale HTTP/1.1\r\nHost: a\r\n",
    "POST /scale HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
  ])("that don't come to their end time out: %j", async (bytes) => {
    const { path } = await openSocket({}, { requestTimeoutMs: 100 });
    expect(await rawExchange(path, bytes)).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe("handlers that fail", () => {
  it.each([
    ["ERR_PREFORK_OPTION", 400],
    ["ERR_PREFORK_COMMAND_UNKNOWN", 400],
    ["ERR_PREFORK_NOT_RUNNING", 503],
    ["ERR_PREFORK_WORKER_GONE", 503],
    ["ERR_PREFORK_COMMAND_TIMEOUT", 504],
    ["ERR_PREFORK_PORT", 500],
  ] as const)("with %s are answered with %i", async (code, status) => {
    const { path, errors } = await openSocket({
      scale: () => Promise.reject(new PreforkError(code, "because")),
    });
    const answer = await request(path, "POST", "/scale", '{"by":1}');
    expect(answer.status).toBe(status);
    expect(errorOf(answer.text)).toEqual({ code, message: "because" });
    expect(errors).toEqual([]);
  });

  it("with a bug are answered with 500, and told", async () => {
    const bug = new TypeError("x is not a function");
    const { path, errors } = await openSocket({
      status: () => {
        throw bug;
      },
      subscribe: () => {
        throw bug;
      },
    });
    for (const url of ["/status", "/events"]) {
      const { status, text } = await request(path, "GET", url);
      expect(status).toBe(500);
      expect(errorOf(text).code).toBe("ERR_PREFORK_CONTROL");
      expect(errorOf(text).message).toContain("x is not a function");
    }
    expect(errors).toEqual([bug, bug]);
    expect((await request(path, "POST", "/reload")).status).toBe(200);
  });

  it("by what they answer are answered with 500", async () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const { path, errors } = await openSocket({ status: () => circle });
    expect((await request(path, "GET", "/status")).status).toBe(500);
    expect(errors).toHaveLength(1);
  });
});
