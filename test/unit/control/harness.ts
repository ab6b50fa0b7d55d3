/** A directory for sockets, handlers that do nothing, and a client that isn't ours. */
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import net from "node:net";
import path from "node:path";
import { onTestFinished } from "vitest";
import { openControlSocket } from "../../../src/control/control-server.js";
import type {
  ControlHandlers,
  ControlOptions,
  ControlSocket,
} from "../../../src/control/types.js";
import { PreforkError } from "../../../src/errors.js";

/** A short directory, removed when the test is over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync("/tmp/pfc-");
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Handlers that answer with what they were asked. */
export function fakeHandlers(
  overrides: Partial<ControlHandlers> = {},
): ControlHandlers {
  return {
    status: () => ({ pid: process.pid }),
    metrics: () => Promise.resolve({ contentType: "text/plain", text: "" }),
    subscribe: () => () => undefined,
    reload: () => Promise.resolve({ ok: true, kind: "done" }),
    scale: (request) => Promise.resolve({ kind: "done", request }),
    command: (request) => Promise.resolve({ request }),
    stop: () => Promise.resolve({ ok: true }),
    ...overrides,
  };
}

/** An open socket, closed when the test is over. */
export interface Opened {
  readonly control: ControlSocket;
  readonly path: string;
  readonly directory: string;
  /** What `onError` was told. */
  readonly errors: readonly unknown[];
}

export async function openSocket(
  handlers: Partial<ControlHandlers> = {},
  options: Partial<ControlOptions> = {},
): Promise<Opened> {
  const directory = temporaryDirectory();
  const file = path.join(directory, "c.sock");
  const errors: unknown[] = [];
  const control = await openControlSocket({
    path: file,
    handlers: fakeHandlers(handlers),
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(() => control.close());
  return { control, path: control.path, directory, errors };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One request by Node's own client. */
export function request(
  socketPath: string,
  method: string,
  url: string,
  body?: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = http.request(
      { socketPath, method, path: url, agent: false, headers },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
          }),
        );
      },
    );
    asking.on("error", reject);
    if (headers["Expect"] === undefined) asking.end(body);
    // Node sends the body of such a request only when it's told to.
    else {
      asking.on("continue", () => asking.end(body));
      asking.flushHeaders();
      asking.once("response", () => asking.destroy());
    }
  });
}

/** Sends bytes, and gives all that comes back until the other side hangs up. */
export function rawExchange(
  socketPath: string,
  bytes: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: socketPath });
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write(bytes);
  });
}

/** A promise and what settles it. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
}

export function deferred<Value = void>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** The code and message that a promise rejects with. */
export async function failure(
  asking: Promise<unknown>,
): Promise<[string, string]> {
  const error: unknown = await asking.then(
    (value) => new Error(`fulfilled with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof PreforkError) return [error.code, error.message];
  throw error;
}
