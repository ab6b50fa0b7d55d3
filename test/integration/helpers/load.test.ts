/** The instrument must see what it is there to see. */
import { EventEmitter, once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Answer, type LoadReport, startLoad } from "./load.js";
import { staleAnswers } from "./stale.js";

type Handler = (
  request: http.IncomingMessage,
  body: Buffer,
  response: http.ServerResponse,
) => void;

const servers: http.Server[] = [];

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(async (server) => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }),
  );
});

async function serve(handle: Handler): Promise<number> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => handle(request, Buffer.concat(chunks), response));
    request.on("error", () => undefined);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const behave: Handler = (request, body, response) => {
  response.setHeader("x-prefork-generation", "7");
  if (request.method === "POST") {
    const type = request.headers["content-type"] ?? "";
    response.setHeader("content-type", type);
    response.end(body);
  } else response.end("v7");
};

/** Load until this many requests have been answered or lost. */
async function loadOf(
  port: number,
  most: number,
  post?: { minBytes: number; maxBytes: number } | false,
): Promise<{ report: LoadReport; answers: Answer[] }> {
  const answers: Answer[] = [];
  const enough = new EventEmitter();
  const load = startLoad({
    targets: [{ name: "server", port }],
    keepAlive: 2,
    freshPerSecond: 200,
    pauseMs: 1,
    ...(post === undefined ? {} : { post }),
    onAnswer: (answer) => {
      answers.push(answer);
      if (answers.length === most) enough.emit("reached");
    },
  });
  await once(enough, "reached");
  return { report: await load.stop(), answers };
}

/** Misbehaves on every fourth GET. */
function sometimes(misbehave: Handler): Handler {
  let count = 0;
  return (request, body, response) => {
    const isTurn = request.method === "GET" && ++count % 4 === 0;
    (isTurn ? misbehave : behave)(request, body, response);
  };
}

describe("the load", () => {
  it("loses nothing at a server that behaves, and reports what it did", async () => {
    const port = await serve(behave);
    const { report, answers } = await loadOf(port, 200);
    expect(report.lost).toEqual([]);
    expect(report.requests).toBeGreaterThanOrEqual(200);
    expect(report.requestsByTarget).toEqual({ server: report.requests });
    expect(report.posts).toBeGreaterThan(0);
    expect(report.connectionsReused).toBeGreaterThan(0);
    expect(report.connectionsReused).toBeLessThan(report.requests);
    const gets = answers.filter((answer) => answer.method === "GET");
    expect(new Set(gets.map((answer) => answer.text))).toEqual(new Set(["v7"]));
    expect(new Set(answers.map((answer) => answer.generation))).toEqual(
      new Set([7]),
    );
  });

  it.each<[string, string, Handler]>([
    ["a reset connection", "reset", (request) => request.socket.destroy()],
    [
      "a status that the app doesn't give",
      "status",
      (_request, _body, response) => response.writeHead(502).end("bad gateway"),
    ],
    [
      "a short answer",
      "truncated",
      (request, _body, response) => {
        response.setHeader("content-length", "100");
        response.write("half of it", () => request.socket.destroy());
      },
    ],
    ["an empty answer", "wrong-body", (_r, _b, response) => response.end()],
  ])("sees %s", async (_name, reason, misbehave) => {
    const port = await serve(sometimes(misbehave));
    const { report } = await loadOf(port, 30, false);
    expect(report.lost.length).toBeGreaterThan(0);
    expect(new Set(report.lost.map((loss) => loss.reason))).toEqual(
      new Set([reason]),
    );
  });

  it("sees one wrong byte of a big echo", async () => {
    let isWrong = false;
    const port = await serve((request, body, response) => {
      // Every second one, so that there are answers to wait for.
      isWrong = request.method === "POST" && !isWrong;
      if (isWrong) body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
      behave(request, body, response);
    });
    const sizes = { minBytes: 500_000, maxBytes: 1_000_000 };
    const { report } = await loadOf(port, 20, sizes);
    expect(report.lost.length).toBeGreaterThan(0);
    expect(new Set(report.lost.map((loss) => loss.reason))).toEqual(
      new Set(["wrong-body"]),
    );
  });

  it("sees that a port refuses", async () => {
    const port = await serve(behave);
    const [server] = servers.splice(0);
    server?.close();
    const load = startLoad({ targets: [{ name: "gone", port }] });
    const report = await load.stop();
    expect(report.requests).toBeGreaterThan(0);
    expect(report.lost).toHaveLength(report.requests);
    expect(report.lost[0]).toMatchObject({ target: "gone", reason: "refused" });
  });
});

describe("stale answers", () => {
  const answer = (
    generation: number,
    sentAt: number,
    receivedAt: number,
  ): Answer => ({
    target: "front",
    method: "GET",
    text: "",
    worker: 0,
    generation,
    sentAt,
    receivedAt,
  });

  it("are old ones to requests sent after a new one was seen", () => {
    const late = answer(1, 31, 40);
    const all = [answer(1, 0, 10), answer(2, 20, 30), late, answer(2, 50, 60)];
    expect(staleAnswers(all)).toEqual([{ answer: late, seen: 2 }]);
  });

  it("are not old ones to requests that were under way", () => {
    expect(staleAnswers([answer(2, 20, 30), answer(1, 29, 90)])).toEqual([]);
  });

  it("don't depend on the order given", () => {
    const all = [answer(1, 70, 80), answer(3, 0, 60), answer(2, 61, 62)];
    expect(staleAnswers(all).map((stale) => stale.seen)).toEqual([3, 3]);
  });
});
