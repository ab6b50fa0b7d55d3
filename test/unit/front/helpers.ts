/** Scripted upstreams on Unix sockets, raw clients, and their end. */
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";

import { createFront } from "../../../src/front/front.js";
import type {
  Front,
  FrontOptions,
  FrontTarget,
} from "../../../src/front/types.js";

/** What an app does with a request; a promise that rejects ends the test run. */
export type Listener = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
) => unknown;

/** A process, as the front sees it. */
export interface FakeProcess {
  readonly target: FrontTarget;
  readonly server: net.Server;
  /** As after SIGKILL: nothing is heard of it any more. */
  die(): Promise<void>;
}

/** Everything that a test opens, closed in one place. */
export class World {
  readonly #directory: string = mkdtempSync(join(tmpdir(), "prefork-front-"));
  readonly #fronts: Front[] = [];
  readonly #processes: FakeProcess[] = [];
  #nextId = 1;

  async front(
    options: Partial<FrontOptions> = {},
  ): Promise<{ front: Front; url: string; port: number }> {
    const front = createFront({
      host: "127.0.0.1",
      port: 0,
      consistency: "fresh",
      ...options,
    });
    const { url, port } = await front.listen();
    this.#fronts.push(front);
    return { front, url, port };
  }

  /** A process that listens. What a test doesn't need has defaults. */
  async process(
    app: Listener | net.Server,
    info: {
      worker?: number;
      generation?: number;
      tls?: { key: string; cert: string };
    } = {},
  ): Promise<FakeProcess> {
    const id = this.#nextId++;
    const listener: http.RequestListener = (request, response) => {
      if (!(app instanceof net.Server)) void app(request, response);
    };
    const server =
      app instanceof net.Server
        ? app
        : info.tls !== undefined
          ? https.createServer(info.tls, listener)
          : http.createServer({ keepAliveTimeout: 75_000 }, listener);
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => sockets.delete(socket));
    });
    const socketPath = join(this.#directory, `${id}.sock`);
    server.listen(socketPath);
    await once(server, "listening");
    const process: FakeProcess = {
      target: {
        id,
        worker: info.worker ?? 0,
        generation: info.generation ?? 1,
        socketPath,
        protocol: info.tls === undefined ? "http" : "https",
      },
      server,
      die: async () => {
        const closed = once(server, "close");
        server.close();
        for (const socket of sockets) socket.destroy();
        await closed;
      },
    };
    this.#processes.push(process);
    return process;
  }

  /** A front with one admitted process. */
  async simple(
    app: Listener | net.Server,
    options: Partial<FrontOptions> = {},
  ): Promise<{
    front: Front;
    url: string;
    port: number;
    process: FakeProcess;
  }> {
    const process = await this.process(app);
    const made = await this.front(options);
    await made.front.connect(process.target);
    made.front.admit(process.target);
    return { ...made, process };
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#fronts.map((front) => front.close({ deadlineMs: 0 })),
    );
    await Promise.all(
      this.#processes.map(async (process) => {
        if (process.server.listening) await process.die();
      }),
    );
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A client that sends bytes and sees bytes, as latin1. */
export class RawClient {
  readonly socket: net.Socket;
  text = "";
  ended = false;
  error: NodeJS.ErrnoException | undefined;
  readonly #watchers = new Set<() => void>();

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      this.#changed();
    });
    socket.on("error", (error) => {
      this.error = error;
    });
    socket.on("end", () => {
      this.ended = true;
      this.#changed();
    });
    socket.on("close", () => {
      this.#changed();
    });
  }

  /** @param alpn - in TLS, with this protocol; undefined: without TLS */
  static async connect(port: number, alpn?: string): Promise<RawClient> {
    const to = { port, host: "127.0.0.1", allowHalfOpen: true };
    const socket =
      alpn === undefined
        ? net.connect(to)
        : tls.connect({
            ...to,
            ALPNProtocols: [alpn],
            rejectUnauthorized: false,
          });
    const client = new RawClient(socket);
    await once(socket, alpn === undefined ? "connect" : "secureConnect");
    return client;
  }

  send(...lines: string[]): void {
    this.socket.write(lines.join("\r\n"), "latin1");
  }

  /** Resolves with all that was received, once it holds `what`. */
  async sees(what: string | RegExp): Promise<string> {
    await this.until(() =>
      typeof what === "string"
        ? this.text.includes(what)
        : what.test(this.text),
    );
    if (
      typeof what === "string"
        ? !this.text.includes(what)
        : !what.test(this.text)
    ) {
      throw new Error(`closed without ${String(what)}; saw: ${this.text}`);
    }
    return this.text;
  }

  /** Resolves with all that was received, once the other side has closed or reset the connection. */
  async closed(): Promise<string> {
    await this.until(() => this.ended);
    this.socket.destroy();
    return this.text;
  }

  /** Resolves once the condition holds, or the connection is closed. It's looked at whenever something happens. */
  async until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition() && !this.socket.closed) return;
        this.#watchers.delete(check);
        resolve();
      };
      this.#watchers.add(check);
      check();
    });
  }

  #changed(): void {
    for (const check of [...this.#watchers]) check();
  }
}

/** What a client got. */
export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
  readonly text: string;
}

/** One request with Node's client. Rejects when the answer is not complete. */
export async function ask(
  url: string,
  options: http.RequestOptions & { body?: Buffer | string } = {},
): Promise<Reply> {
  return await new Promise<Reply>((resolve, reject) => {
    const { body, ...rest } = options;
    const request = http.request(url, { agent: false, ...rest }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const all = Buffer.concat(chunks);
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          rawHeaders: answer.rawHeaders,
          trailers: answer.trailers,
          body: all,
          text: all.toString(),
        });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** A promise, and what settles it. */
export function signal<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
