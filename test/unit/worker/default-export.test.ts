import http from "node:http";
import { describe, expect, test } from "vitest";
import { classifyDefaultExport } from "../../../src/worker/default-export.js";

const kindOf = async (exported: unknown): Promise<string> =>
  (await classifyDefaultExport(exported)).kind;

describe("what a default export is served as", () => {
  test.each([
    [
      "a request listener",
      (request: unknown, response: unknown) => [request, response],
      "listener",
    ],
    [
      "one with next()",
      (request: unknown, response: unknown, next: unknown) => [
        request,
        response,
        next,
      ],
      "listener",
    ],
    ["an object with fetch", { fetch: () => new Response() }, "listener"],
    [
      "a Koa app",
      { use: () => undefined, callback: () => () => undefined },
      "listener",
    ],
    [
      "a Fastify app",
      { ready: () => Promise.resolve(), server: http.createServer() },
      "server",
    ],
    ["a server that doesn't listen yet", http.createServer(), "server"],
    [
      "a promise of an app",
      Promise.resolve({ fetch: () => new Response() }),
      "listener",
    ],
    [
      "CommonJS compiled from ESM",
      { __esModule: true, default: { fetch: () => new Response() } },
      "listener",
    ],
  ])("%s", async (_name, exported, kind) => {
    expect(await kindOf(exported)).toBe(kind);
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a string", "app"],
    ["a function of the program's own", () => undefined],
    [
      "a class",
      class App {
        constructor(
          readonly a: unknown,
          readonly b: unknown,
        ) {}
      },
    ],
    ["an object that is no app", { port: 3000 }],
    ["a plain object with ready", { ready: () => undefined }],
  ])("%s is left alone", async (_name, exported) => {
    expect(await kindOf(exported)).toBe("none");
  });

  test("Fastify's routes are ready before it's served", async () => {
    let isReady = false;
    const ready = (): Promise<void> => {
      isReady = true;
      return Promise.resolve();
    };
    await classifyDefaultExport({ ready, server: http.createServer() });
    expect(isReady).toBe(true);
  });
});
