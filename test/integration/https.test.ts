/** HTTPS and HTTP/2 on the public side, with real clients: Chromium, curl, WebSockets. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, statSync } from "node:fs";
import type http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import path from "node:path";
import tls from "node:tls";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { openPage } from "./helpers/chromium.js";
import { isMissing } from "./helpers/programs.js";
import {
  canaryBoots,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const RESOURCES = 100;
const ROLLS = 10;

function pageApp(): TestApp {
  return makeApp({
    "src/version.ts": versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { WebSocketServer } from "ws";
import { version } from "./version.ts";
const scripts = Array.from({ length: ${RESOURCES} }, (_, i) => '<script async src="/r/' + i + '.js"></script>');
const server = http.createServer((request, response) => {
  if (request.url === "/favicon.ico") return response.writeHead(204).end();
  if (request.url === "/proto") return response.end(String(request.headers["x-forwarded-proto"]));
  if (request.url === "/wait") {
    response.write("begun");
    request.resume().on("end", () => setTimeout(() => response.end(" ended"), 300));
    return;
  }
  if (request.url.startsWith("/r/")) {
    response.setHeader("content-type", "text/javascript");
    setTimeout(() => response.end("(window.seen ??= []).push('" + version + "');" + " ".repeat(20_000)), 5);
    return;
  }
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><title>" + version + "</title>" + scripts.join(""));
});
new WebSocketServer({ server }).on("connection", (socket) => {
  socket.on("message", (data) => socket.send(version + " " + data));
});
server.listen(3000);
`,
  });
}

test.skipIf(isMissing("chromium"))(
  `Chromium loads a page with ${RESOURCES} resources through ${ROLLS} rolls, over HTTP/2 and HTTP/1.1, without one failed load`,
  async () => {
    const { app, cli, port } = await startSession(pageApp(), {
      args: ["--https"],
    });
    const open = async (...flags: string[]): ReturnType<typeof openPage> =>
      await openPage(
        `https://localhost:${port}/`,
        ...["--ignore-certificate-errors", ...flags],
      );
    const pages = await Promise.all([open(), open("--disable-http2")]);
    for (let roll = 1; roll <= ROLLS; roll++) {
      const from = cli.lines.length;
      app.write("src/version.ts", versionModule(`v${roll}`));
      // Loaded while the canary boots, and the others follow.
      await canaryBoots(cli, roll + 1, from);
      await Promise.all(pages.map(async (page) => await page.reload()));
      await reloaded(cli, "done", from);
      for (const page of pages) {
        const seen = await page.evaluate("[document.title, ...window.seen]");
        expect(seen).toEqual(Array(RESOURCES + 1).fill(`v${roll}`));
      }
    }
    const protocols = pages.map(
      async (page) =>
        await page.evaluate(
          `[...new Set(performance.getEntriesByType("resource").map((each) => each.nextHopProtocol))].join()`,
        ),
    );
    expect(await Promise.all(protocols)).toEqual(["h2", "http/1.1"]);
    for (const { failed, faults, requested } of pages) {
      expect({ failed, faults }).toEqual({ failed: [], faults: [] });
      expect(requested.length).toBeGreaterThan(RESOURCES * ROLLS);
    }
  },
);

/** One request with Node's HTTP/1.1 client, trusting one certificate. */
async function get(
  port: number,
  ca: string,
  where = "/proto",
): Promise<{ status: number | undefined; text: string }> {
  const request = https.get({
    ...{ host: "127.0.0.1", port, path: where, ca, agent: false },
  });
  const [answer] = (await once(request, "response")) as [http.IncomingMessage];
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode, text };
}

test("the self-signed certificate: kept, closed to others, told; any client that trusts it gets on", async () => {
  const app = pageApp();
  const { cli, port } = await startSession(app, { args: ["--https"] });
  const line = await cli.waitFor("ports", ({ event }) => event === "listening");
  const told = line["certificate"] as {
    readonly fingerprint256: string;
    readonly file: string;
  };
  expect(line["url"]).toBe(`https://127.0.0.1:${port}`);
  const { file, fingerprint256 } = told;
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(path.dirname(file))).toHaveLength(1);
  expect(path.relative(app.directory, file)).toMatch(/^node_modules/);
  const ca = readFileSync(file, "utf8");
  expect(await get(port, ca)).toEqual({ status: 200, text: "https" });
  const socket = tls.connect({ port, host: "127.0.0.1", ca });
  await once(socket, "secureConnect");
  expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(fingerprint256);
  socket.destroy();

  const answer = await fetch(`http://127.0.0.1:${port}/a?b`, {
    redirect: "manual",
  });
  expect(answer.status).toBe(307);
  expect(answer.headers.get("location")).toBe(`https://127.0.0.1:${port}/a?b`);
  const refused = await fetch(`http://127.0.0.1:${port}/`, { method: "POST" });
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain(`https://127.0.0.1:${port}/`);

  if (isMissing("curl")) return;
  const url = `https://localhost:${port}/proto`;
  for (const version of ["--http2", "--http1.1", "--http1.0"]) {
    const curl = promisify(execFile)("curl", [
      ...["-sS", version, "--cacert", file, "-w", " %{http_version}"],
      ...["--resolve", `localhost:${port}:127.0.0.1`, url],
    ]);
    expect((await curl).stdout).toMatch(/^https (?:2|1\.1|1\.0)$/);
  }
});

test("a WebSocket over the same port lives through a roll; a stop lets streams finish, and says GOAWAY", async () => {
  const app = pageApp();
  const { cli, port } = await startSession(app, {
    args: ["--https"],
    workers: 1,
  });
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, {
    rejectUnauthorized: false,
  });
  await once(socket, "open");
  const echo = async (text: string): Promise<string> => {
    const answer = once(socket, "message");
    socket.send(text);
    return String((await answer)[0]);
  };
  expect(await echo("a")).toBe("v0 a");
  const from = cli.lines.length;
  app.write("src/version.ts", versionModule("v1"));
  await canaryBoots(cli, 2, from);
  expect(await echo("b")).toBe("v0 b");

  const session = http2.connect(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
  });
  session.on("error", () => undefined);
  onTestFinished(() => {
    session.destroy();
  });
  const stream = session.request({ ":path": "/wait" });
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += String(chunk)));
  await once(stream, "data");
  const goaway = once(session, "goaway");
  const end = once(stream, "close");
  const closed = once(socket, "close");
  cli.signal("SIGTERM");
  await Promise.all([goaway, end]);
  expect(text).toBe("begun ended");
  expect(stream.rstCode).toBe(0);
  expect((await closed)[0]).toBe(1001);
  expect(await cli.exited).toEqual({ code: 0, signal: null });
});

describe.skipIf(isMissing("openssl"))("a certificate of the user's", () => {
  const make = async (app: TestApp, name: string): Promise<void> => {
    await promisify(execFile)("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt"],
      ...["ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"],
      ...["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"],
      ...["-keyout", app.path("key.pem"), "-out", app.path("cert.pem")],
    ]);
  };

  test("is used, and read again when it has changed", async () => {
    const app = pageApp();
    await make(app, "one");
    const { cli, port } = await startSession(app, {
      args: ["--cert", "cert.pem", "--key", "key.pem"],
    });
    const one = readFileSync(app.path("cert.pem"), "utf8");
    expect(await get(port, one)).toEqual({ status: 200, text: "https" });
    await make(app, "two");
    await cli.waitFor("another", ({ event }) => event === "certificate");
    const two = readFileSync(app.path("cert.pem"), "utf8");
    expect(await get(port, two)).toEqual({ status: 200, text: "https" });
    await expect(get(port, one)).rejects.toThrow("self-signed certificate");
  });
});
