/** Apps of every kind are served unchanged: DESIGN, "An app is any of these". */
import { execFileSync } from "node:child_process";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { makeApp } from "./helpers/app.js";
import { libraryRunner } from "./helpers/library.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const version = { "src/version.ts": versionModule("v0") };

/** Posts text through the front and reads the answer. */
function post(port: number, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: "127.0.0.1", port, method: "POST", path: "/echo", agent: false },
      (response) => {
        response.setEncoding("utf8");
        let text = "";
        response.on("data", (chunk: string) => (text += chunk));
        response.once("end", () => resolve(text));
      },
    );
    request.once("error", reject);
    request.end(body);
  });
}

describe("a module that exports its app", () => {
  test.each([
    [
      "a request listener",
      `import { version } from "./version.ts";
export default (request, response) => {
  if (request.method === "POST") return void request.pipe(response);
  response.end(version);
};`,
    ],
    [
      "Express",
      `import express from "express";
import { version } from "./version.ts";
const app = express();
app.get("/", (_request, response) => response.send(version));
app.post("/echo", (request, response) => request.pipe(response));
export default app;`,
    ],
    [
      "Koa",
      `import Koa from "koa";
import { version } from "./version.ts";
const app = new Koa();
app.use((context) => {
  context.body = context.method === "POST" ? context.req : version;
});
export default app;`,
    ],
    [
      "Fastify, promised",
      `import Fastify from "fastify";
import { version } from "./version.ts";
async function build() {
  const app = Fastify();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  app.get("/", () => version);
  app.post("/echo", (request) => request.body);
  return app;
}
export default build();`,
    ],
    [
      "Hono",
      `import { Hono } from "hono";
import { version } from "./version.ts";
const app = new Hono();
app.get("/", (context) => context.text(version));
app.post("/echo", async (context) => context.text(await context.req.text()));
export default app;`,
    ],
    [
      "an object with fetch",
      `import { version } from "./version.ts";
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === "POST") return new Response(request.body);
    return new Response(version, { headers: { "x-url": new URL(request.url).pathname } });
  },
};`,
    ],
  ])("%s", async (_name, code) => {
    const app = makeApp({ ...version, "src/server.ts": code });
    const { cli, port } = await startSession(app);
    expect((await get(port)).text).toBe("v0");
    expect(await post(port, "a body")).toBe("a body");
    const from = cli.lines.length;
    app.write("src/version.ts", versionModule("v1"));
    await reloaded(cli, "done", from);
    expect((await get(port)).text).toBe("v1");
  });

  test("Express from CommonJS", async () => {
    const app = makeApp({
      "package.json": `{ "private": true }`,
      "src/version.ts": versionModule("v0"),
      "src/server.ts": `import express = require("express");
import { version } from "./version";
const app = express();
app.get("/", (_request: unknown, response: { send(text: string): void }) => response.send(version));
export default app;`,
    });
    const { port } = await startSession(app);
    expect((await get(port)).text).toBe("v0");
  });
});

describe("a program that calls listen()", () => {
  test("its address() is the public one, the worker's own port is in the environment, arguments reach it", async () => {
    const app = makeApp({
      "src/server.ts": `
import http from "node:http";
const server = http.createServer((request, response) => {
  const { PORT, PREFORK_WORKER, PREFORK_WORKER_PORT, NODE_ENV } = process.env;
  const { remoteAddress } = request.socket;
  response.end(JSON.stringify({ address: server.address(), argv: process.argv.slice(1), PORT, PREFORK_WORKER, PREFORK_WORKER_PORT, NODE_ENV, remoteAddress, cwd: process.cwd() }));
});
server.listen({ port: "8123", host: "::1" });`,
    });
    const { port, workerPorts } = await startSession(app, {
      workers: 1,
      args: ["--", "--flag", "value"],
    });
    expect(JSON.parse((await get(port)).text)).toEqual({
      address: { address: "127.0.0.1", family: "IPv4", port },
      argv: [app.path("src/server.ts"), "--flag", "value"],
      PORT: String(port),
      PREFORK_WORKER: "0",
      PREFORK_WORKER_PORT: String(workerPorts[0]),
      NODE_ENV: "development",
      remoteAddress: "127.0.0.1",
      cwd: app.directory,
    });
    expect((await get(workerPorts[0] ?? 0)).status).toBe(200);
  });

  test("a second listen on the same port is an alias; another port goes to worker 0, whatever generation runs", async () => {
    const other = await freePort();
    const app = makeApp({
      ...version,
      "src/server.ts": `
import http from "node:http";
import { version } from "./version.ts";
const answer = (text: string) => (_request, response) => response.end(text);
http.createServer(answer(version)).listen(8123, "127.0.0.1");
const twin = http.createServer(answer("twin")).listen(8123, "::1", () => {
  console.log("twin", JSON.stringify(twin.address()));
});
http.createServer(answer("metrics " + version + " of " + process.env.PREFORK_WORKER)).listen(${other}, "127.0.0.1");`,
    });
    const { cli, port } = await startSession(app, { workers: 2 });
    expect((await get(port)).text).toBe("v0");
    expect((await get(other)).text).toBe("metrics v0 of 0");
    await cli.waitFor(
      "the twin's address",
      ({ line }) =>
        line === 'twin {"address":"::1","family":"IPv4","port":8123}',
    );
    expect(cli.lines.find(({ event }) => event === "warning")).toMatchObject({
      message: expect.stringContaining(`port ${other}`) as string,
    });
    const from = cli.lines.length;
    app.write("src/version.ts", versionModule("v1"));
    await reloaded(cli, "done", from);
    expect((await get(port)).text).toBe("v1");
    expect((await get(other)).text).toBe("metrics v1 of 0");
  });

  test("port 0 and paths pass through; the server that has a port is the app", async () => {
    const app = makeApp({
      "src/server.ts": `
import http from "node:http";
const helper = http.createServer((_request, response) => response.end("helper")).listen(0, () => {
  const app = http.createServer((_request, response) => response.end("app beside " + (helper.address().port !== 8123)));
  app.listen(8123);
});`,
    });
    const { port } = await startSession(app);
    expect((await get(port)).text).toBe("app beside true");
  });

  test("HTTPS: the front speaks HTTP to the client and TLS to the app", async () => {
    const app = makeApp({});
    const [key, cert] = [app.path("key.pem"), app.path("cert.pem")];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        key,
        "-out",
        cert,
      ],
      { stdio: "pipe" },
    );
    app.write(
      "src/server.ts",
      `
import fs from "node:fs";
import https from "node:https";
https.createServer({ key: fs.readFileSync("key.pem"), cert: fs.readFileSync("cert.pem") }, (_request, response) => response.end("secret")).listen(8443);`,
    );
    const { port, workerPorts } = await startSession(app, { workers: 1 });
    expect((await get(port)).text).toBe("secret");
    const direct = await new Promise<number | undefined>((resolve, reject) => {
      https
        .get(
          {
            host: "127.0.0.1",
            port: workerPorts[0],
            rejectUnauthorized: false,
            agent: false,
          },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        )
        .once("error", reject);
    });
    expect(direct).toBe(200);
  });

  test("WebSockets pass through the front, live on while their process drains, and are told to go away", async () => {
    const app = makeApp({
      ...version,
      "src/server.ts": `
import http from "node:http";
import { WebSocketServer } from "ws";
import { version } from "./version.ts";
const server = http.createServer((_request, response) => response.end(version));
new WebSocketServer({ server }).on("connection", (socket) => {
  socket.send("hello from " + version);
  socket.on("message", (data) => socket.send(version + " echoes " + data));
});
server.listen(3000);`,
      "run.mjs": libraryRunner(
        "{ workers: 1, port: 0, drainTimeoutMs: 1_500 }",
      ),
    });
    const { cli, port } = await startSession(app, {
      script: app.path("run.mjs"),
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const messages: string[] = [];
    let heard: () => void = () => undefined;
    socket.on("message", (data: Buffer) => {
      messages.push(data.toString());
      heard();
    });
    const next = async (count: number): Promise<void> => {
      while (messages.length < count) {
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
    };
    const closed = new Promise<number>((resolve) =>
      socket.once("close", resolve),
    );
    await next(1);
    const from = cli.lines.length;
    app.write("src/version.ts", versionModule("v1"));
    await reloaded(cli, "done", from);
    expect((await get(port)).text).toBe("v1");
    // The old process still serves its socket.
    socket.send("one");
    await next(2);
    expect(messages).toEqual(["hello from v0", "v0 echoes one"]);
    expect(await closed).toBe(1001);
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string")
    throw new Error("no port");
  return address.port;
}
