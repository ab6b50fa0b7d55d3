/** Closed to strangers, and numbers that add up: through the command, with real traffic. */
import { once } from "node:events";
import http from "node:http";
import fs from "node:fs";
import type net from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { runCommand } from "./helpers/run-command.js";
import { reloaded, startSession, versionModule } from "./helpers/session.js";
import { parseMetrics } from "./helpers/prometheus-text.js";
import type { Series } from "./helpers/prometheus-text.js";

const app = (): TestApp =>
  makeApp({
    "src/version.ts": versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { WebSocketServer } from "ws";
import { version } from "./version.ts";
const server = http.createServer((request, response) => {
  if (request.url === "/die" && request.headers["x-prefork-test"] === process.env.PREFORK_WORKER) process.kill(process.pid, "SIGKILL");
  else request.resume().once("end", () => response.end(version));
});
new WebSocketServer({ server }).on("connection", (socket) => socket.send(version));
server.listen(3000);
`,
  });

interface Answer {
  readonly status: number;
  readonly text: string;
  /** Of the connection, which was for this request alone. */
  readonly sent: number;
  readonly received: number;
}

async function ask(
  port: number,
  options: http.RequestOptions = {},
  body = "",
): Promise<Answer> {
  const request = http.request({
    ...{ host: "127.0.0.1", port, agent: false, ...options },
  });
  request.end(body);
  const [answer] = (await once(request, "response")) as [http.IncomingMessage];
  const { socket } = answer;
  const said = await text(answer);
  if (!socket.closed) await once(socket, "close");
  const { bytesWritten: sent, bytesRead: received } = socket;
  return { status: answer.statusCode ?? 0, text: said, sent, received };
}

/** `GET /metrics` of the app's control socket. */
async function metricsOf({ temporary }: TestApp): Promise<Series> {
  const [socketPath = ""] = fs
    .readdirSync(temporary, { recursive: true })
    .map((name) => path.join(temporary, String(name)))
    .filter((name) => /\/[0-9a-f]{10}-[0-9a-f]{10}\.sock$/.test(name));
  const request = http.get({ socketPath, path: "/metrics", agent: false });
  const [answer] = (await once(request, "response")) as [http.IncomingMessage];
  expect(answer.statusCode).toBe(200);
  expect(answer.headers["content-type"]).toMatch(
    /^text\/plain; version=0\.0\.4/,
  );
  return parseMetrics(await text(answer));
}

/** All series of a metric, added up. */
function sum(series: Series, name: string): number {
  const those = [...series].filter(([key]) => key.split("{")[0] === name);
  return those.reduce((total, [, value]) => total + value, 0);
}

test("numbers add up exactly: requests, bytes, upgrades, refusals, and what was tried again after a kill", async () => {
  const project = app();
  const { cli, port } = await startSession(project);
  let [sent, received, requests] = [0, 0, 0];
  const count = (answer: Answer): void => {
    requests++;
    sent += answer.sent;
    received += answer.received;
  };
  const body = "b".repeat(10_000);
  for (let i = 0; i < 20; i++) {
    count(await ask(port));
    count(await ask(port, { method: "POST", path: "/p" }, body));
  }
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "message");
  requests++;
  const stranger = await ask(port, { headers: { host: "evil.example" } });
  expect(stranger.status).toBe(403);
  expect(stranger.text).toContain("--allowed-host evil.example");

  const before = await metricsOf(project);
  expect(before.get("prefork_requests_total")).toBe(requests);
  expect(sum(before, "prefork_worker_requests_total")).toBe(requests);
  // Upgrades have no answer that could be timed.
  expect(sum(before, "prefork_request_duration_seconds_count")).toBe(
    requests - 1,
  );
  expect(before.get('prefork_refusals_total{reason="host"}')).toBe(1);
  expect(before.get("prefork_retries_total")).toBe(0);
  expect(sum(before, "prefork_worker_upgrades_total")).toBe(1);
  expect(before.get("prefork_connections")).toBe(1);
  expect(sum(before, "prefork_streams")).toBe(1);
  expect(before.get('prefork_workers{state="ready"}')).toBe(2);
  expect(before.get('prefork_reloads_total{outcome="done"}')).toBe(1);
  expect(before.get("prefork_reload_duration_seconds_count")).toBe(1);
  const closed = once(socket, "close");
  socket.close();
  await closed;
  // The underlying socket of the library, which isn't documented, is the only one that knows.
  const { _socket: raw } = socket as unknown as { _socket: net.Socket };
  sent += raw.bytesWritten + stranger.sent;
  received += raw.bytesRead + stranger.received;

  // The request kills its first worker, and is answered by the other one.
  const headers = { "x-prefork-test": "0" };
  let killed: Answer | undefined;
  for (let i = 0; i < 2; i++) {
    killed = await ask(port, { path: "/die", headers });
    count(killed);
  }
  expect(killed?.text).toBe("v0");
  await cli.waitFor("the death", ({ what }) => what === "died");
  const from = cli.lines.length;
  project.write("src/version.ts", versionModule("v1"));
  await reloaded(cli, "done", from);
  count(await ask(port));

  const after = await metricsOf(project);
  const retries = after.get("prefork_retries_total") ?? 0;
  expect(retries).toBeGreaterThan(0);
  expect(after.get("prefork_requests_total")).toBe(requests);
  expect(sum(after, "prefork_worker_requests_total")).toBe(requests + retries);
  expect(after.get('prefork_worker_retries_total{worker="0"}')).toBe(retries);
  expect(after.get("prefork_connections")).toBe(0);
  expect(after.get("prefork_received_bytes_total")).toBe(sent);
  expect(after.get("prefork_sent_bytes_total")).toBe(received);
  expect(after.get('prefork_reloads_total{outcome="done"}')).toBe(2);

  const { stdout } = await runCommand(project, "status", "--json");
  const status = JSON.parse(stdout) as {
    front: Readonly<Record<string, number>>;
    hosts: readonly string[];
  };
  expect(status.front).toMatchObject({
    ...{ requests, retries, upgrades: 1, refused: 1 },
    ...{ bytesIn: sent, bytesOut: received },
  });
  expect(status.hosts[0]).toBe("127.0.0.1");
  const shown = (await runCommand(project, "status")).stdout;
  expect(shown).toContain(`front: ${requests} requests, `);
  expect(shown).toMatch(/ p50 +p99 /);
  for (const host of status.hosts) {
    const { status: code } = await ask(port, { host });
    expect(code).toBe(200);
  }
});

test("the front's own endpoints: numbers without paths, an outage that says when it's over, a reload for its page; an allowed name", async () => {
  const project = app();
  project.write("src/version.ts", "export const version = ;");
  const { cli, port } = await startSession(project, {
    args: ["--allowed-host", ".shop.test"],
    untilReady: false,
  });
  await reloaded(cli, "failed", 0);
  const stream = http.get({
    ...{ host: "127.0.0.1", port, path: "/__prefork/events", agent: false },
  });
  const [events] = (await once(stream, "response")) as [http.IncomingMessage];
  let told = "";
  const mended = new Promise<void>((resolve) =>
    events.on("data", (chunk: Buffer) => {
      told += chunk.toString();
      if (told.includes('{"ready":true}')) resolve();
    }),
  );
  const from = cli.lines.length;
  project.write("src/version.ts", versionModule("v1"));
  await mended;
  expect(told).toMatch(/^event: state\ndata: \{"ready":false\}\n\n/);
  await reloaded(cli, "done", from);
  stream.destroy();
  const named = await ask(port, { headers: { host: "a.shop.test" } });
  expect([named.status, named.text]).toEqual([200, "v1"]);
  const { text: shown } = await ask(port, { path: "/__prefork/status" });
  expect(JSON.parse(shown)).toMatchObject({
    lastRoll: { outcome: "done" },
    workers: [{ index: 0 }, { index: 1 }],
    front: { requests: 1 },
  });
  expect(shown).not.toContain(project.directory);
  const blind = await ask(port, { method: "POST", path: "/__prefork/reload" });
  expect(blind.status).toBe(403);
});

test("--no-watch: Host and /__prefork/ are the app's", async () => {
  const { port } = await startSession(app(), {
    ...{ workers: 1, args: ["--no-watch"] },
  });
  const headers = { host: "evil.example", origin: "http://evil.example" };
  const { text: said } = await ask(port, {
    path: "/__prefork/status",
    headers,
  });
  expect(said).toBe("v0");
});
