/** WebSockets and socket.io during rolls, through the front and directly: what is said on a connection that lives arrives once. */
import { once } from "node:events";
import { expect, test } from "vitest";
import { io } from "socket.io-client";
import type { Socket } from "socket.io-client";
import { WebSocket } from "ws";
import { makeApp } from "./helpers/app.js";
import { libraryRunner } from "./helpers/library.js";
import { reloaded, startSession, versionModule } from "./helpers/session.js";
import type { Session } from "./helpers/session.js";

const ROLLS = 20;
const GOING_AWAY = 1001;
const ASKED_FOR = 4000;

const SERVER = `
import http from "node:http";
import { Server } from "socket.io";
import { WebSocketServer } from "ws";
import { version } from "./version.ts";
const server = http.createServer((request, response) => response.end(version));
const echo = new WebSocketServer({ noServer: true });
echo.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on("upgrade", (request, socket, head) => {
  if (request.url !== "/echo") return;
  echo.handleUpgrade(request, socket, head, (client) => echo.emit("connection", client));
});
new Server(server).on("connection", (socket) => {
  let count = 0;
  socket.on("say", (what, answer) => answer(what, ++count, version));
});
server.listen(3000);
`;

async function start(workers: number, drainMs: number): Promise<Session> {
  const app = makeApp({
    "src/version.ts": versionModule("v0"),
    "src/server.ts": SERVER,
  });
  const options = `{ port: 0, workers: ${workers}, drainTimeoutMs: ${drainMs} }`;
  app.write("run.mjs", libraryRunner(options));
  return await startSession(app, { script: app.path("run.mjs") });
}

async function save({ app, cli }: Session, version: string): Promise<void> {
  const from = cli.lines.length;
  app.write("src/version.ts", versionModule(version));
  await reloaded(cli, "done", from);
}

/** A message whose kind and size depend on its number. */
function messageOf(number: number): Buffer {
  const size = [0, 125, 126, 70_000][number % 4] ?? 0;
  return Buffer.concat([Buffer.from(`${number}:`), Buffer.alloc(size, "é")]);
}

/** Talks on one connection, several messages at a time, until it's closed. What comes back is what was said, in order. */
async function talk(
  port: number,
  isOver: () => boolean,
  askedAfter: number,
): Promise<{ code: number; echoed: number }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`);
  let sent = 0;
  let echoed = 0;
  const problems: string[] = [];
  const say = (): void => {
    if (sent === askedAfter || isOver()) socket.close(ASKED_FOR);
    else socket.send(messageOf(sent++), { binary: sent % 2 === 0 });
  };
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    const isSame = data.equals(messageOf(echoed));
    if (!isSame || isBinary !== ((echoed + 1) % 2 === 0))
      problems.push(`message ${echoed}`);
    echoed++;
    if (socket.readyState === WebSocket.OPEN) setTimeout(say, 5);
  });
  socket.once("open", () => {
    for (let message = 0; message < 3; message++) say();
  });
  // A refused or broken connection is an error, and rejects.
  const [code] = (await once(socket, "close")) as [number];
  expect(problems).toEqual([]);
  // What was said before a close that we asked for was answered.
  if (code === ASKED_FOR) expect(echoed).toBe(sent);
  return { code, echoed };
}

test(
  `${ROLLS} rolls: WebSockets lose and double nothing, end with 1001 or as asked for, and connect anew at once`,
  { timeout: 180_000 },
  async () => {
    const session = await start(1, 150);
    let isOver = false;
    const codes: number[] = [];
    let echoed = 0;
    const client = async (port: number, askedAfter: number): Promise<void> => {
      while (!isOver) {
        const end = await talk(port, () => isOver, askedAfter);
        codes.push(end.code);
        echoed += end.echoed;
      }
    };
    const ports = [session.port, ...session.workerPorts];
    const clients = ports.flatMap((port) => [
      client(port, Infinity),
      client(port, 40),
    ]);
    for (let roll = 1; roll <= ROLLS; roll++) await save(session, `v${roll}`);
    isOver = true;
    await Promise.all(clients);
    expect(new Set(codes)).toEqual(new Set([GOING_AWAY, ASKED_FOR]));
    expect(codes.filter((code) => code === GOING_AWAY).length).toBeGreaterThan(
      ROLLS,
    );
    expect(echoed).toBeGreaterThan(20 * ROLLS);
  },
);

/** A socket.io client that goes on talking, and what became of it. */
class Talker {
  readonly socket: Socket;
  readonly refusals: string[] = [];
  readonly problems: string[] = [];
  readonly ends: string[] = [];
  answered = 0;
  #waiting: ((version: string) => boolean)[] = [];

  constructor(port: number, transports: string[]) {
    this.socket = io(`http://127.0.0.1:${port}`, {
      transports,
      forceNew: true,
      reconnectionDelay: 1,
      reconnectionDelayMax: 1,
    });
    this.socket.on("connect", () => void this.#talk());
    this.socket.on("connect_error", ({ message }) =>
      this.refusals.push(message),
    );
    this.socket.on("disconnect", (reason) => this.ends.push(reason));
  }

  /** The server counts what arrives on each connection: what was said once arrives once, in order. */
  async #talk(): Promise<void> {
    const { id } = this.socket;
    for (let said = 1; this.socket.id === id; said++) {
      const answer = await new Promise<[string, number, string] | undefined>(
        (resolve) => {
          const onEnd = (): void => resolve(undefined);
          this.socket.once("disconnect", onEnd);
          this.socket.emit("say", `é${said}`, (...values: never) => {
            this.socket.off("disconnect", onEnd);
            resolve(values);
          });
        },
      );
      if (answer === undefined) return;
      const [what, count, version] = answer;
      if (what !== `é${said}` || count !== said)
        this.problems.push(`${said}: ${JSON.stringify(answer)}`);
      this.answered++;
      this.#waiting = this.#waiting.filter((hears) => !hears(version));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Fulfils with the first answer of this version. */
  async hears(version: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push((heard) => {
        if (heard === version) resolve();
        return heard === version;
      });
    });
  }
}

test.each([
  ["websocket", ["websocket"]],
  ["polling", ["polling"]],
  ["polling, then websocket", ["polling", "websocket"]],
])(
  "socket.io over %s: through two workers and directly, in quiet and in rolls",
  { timeout: 120_000 },
  async (name, transports) => {
    const session = await start(2, 150);
    const [direct = 0] = session.workerPorts;
    const ports = [session.port, session.port, session.port, direct];
    const talkers = ports.map((port) => new Talker(port, transports));
    const all = async (
      what: (talker: Talker) => Promise<void>,
    ): Promise<unknown> => await Promise.all(talkers.map(what));
    await all(async (talker) => {
      while (talker.answered < 15) await talker.hears("v0");
    });
    // Nothing happens: no session is lost.
    expect(talkers.flatMap(({ ends }) => ends)).toEqual([]);
    for (let roll = 1; roll <= 3; roll++) {
      const heard = all(async (talker) => await talker.hears(`v${roll}`));
      await save(session, `v${roll}`);
      await heard;
    }
    for (const talker of talkers) {
      expect(talker.problems).toEqual([]);
      if (name === "websocket") expect(talker.refusals).toEqual([]);
      expect(talker.ends).not.toContain("ping timeout");
      talker.socket.disconnect();
    }
  },
);
