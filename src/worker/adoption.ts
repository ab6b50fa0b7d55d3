/**
 * How an unchanged program that calls `listen()` becomes a worker: its first
 * server on a TCP port is adopted. It accepts from the worker's shared socket
 * and, injected, what the front sends to this process's private endpoint.
 */
import http from "node:http";
import https from "node:https";
import net from "node:net";
import fs from "node:fs";
import type { AddressInfo, Server } from "node:net";
import type {
  BoundMessage,
  ServedProtocol,
  WorkerProgram,
} from "../ipc/messages.js";
import { sendToMaster } from "../ipc/channel.js";
import { Connections } from "./connections.js";
import { culprit } from "./culprit.js";
import { decideListen, parseListenArguments } from "./listen-request.js";
import type { PortRequest } from "./listen-request.js";
import type { SharedHandle } from "./shared-handle.js";
import { giveUp } from "./sync-channel.js";

/**
 * Well above the front's 30 s for idle upstream sockets, so that the front is
 * always the one that closes first.
 */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

type Listen = (this: Server, ...args: unknown[]) => Server;

/** On a clock that the master has as well. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function protocolOf(server: Server): ServedProtocol {
  if (server instanceof https.Server) return "https";
  return server instanceof http.Server ? "http" : "other";
}

export class Adoption {
  readonly #connections = new Connections();
  readonly #pendingBinds = new Map<
    number,
    (answer: BoundMessage, handle?: SharedHandle) => void
  >();
  #program: WorkerProgram | undefined;
  #shared: SharedHandle | undefined;
  #adoptedPort: number | undefined;
  #activatedAt = 0;
  #standIns = 0;
  #listen: Listen | undefined;
  #beforeListening: (() => Promise<void>) | undefined;

  /** Was a server adopted (or is about to listen)? */
  get hasServer(): boolean {
    return this.#adoptedPort !== undefined;
  }

  /** Takes over `net.Server.prototype.listen`, which http, https, http2 and tls servers inherit. */
  install(): void {
    const prototype = net.Server.prototype as { listen: Listen };
    const original = prototype.listen;
    this.#listen = original;
    const intercept = (server: Server, args: unknown[]): Server => {
      // A server of a process that only stands by would be reached by nobody, or by the wrong ones.
      if (this.#program === undefined) giveUp("calls listen()", culprit());
      const request = parseListenArguments(args);
      // A server that listens already gets Node's own ERR_SERVER_ALREADY_LISTEN.
      if (request === undefined || server.listening)
        return original.apply(server, args);
      return this.#handle(server, request, this.#program);
    };
    prototype.listen = function listen(...args) {
      return intercept(this, args);
    };
  }

  /**
   * From now on the process is a worker's, and may listen.
   *
   * @param beforeListening - called when the app wants to listen; it does once that's fulfilled
   */
  activate(
    program: WorkerProgram,
    shared: SharedHandle,
    beforeListening: (() => Promise<void>) | undefined,
  ): void {
    this.#beforeListening = beforeListening;
    this.#activatedAt = now();
    this.#program = program;
    this.#shared = shared;
  }

  /** Serves a default export's server. */
  serve(server: Server): void {
    if (this.#program === undefined)
      throw new Error("serve() before activate()");
    const { port } = this.#program.publicAddress;
    this.#handle(
      server,
      { port, host: undefined, signal: undefined, callback: undefined },
      this.#program,
    );
  }

  #handle(
    server: Server,
    request: PortRequest,
    program: WorkerProgram,
  ): Server {
    const { callback, signal } = request;
    if (callback !== undefined) server.once("listening", callback);
    signal?.addEventListener("abort", () => server.close(), { once: true });
    switch (decideListen(request.port, this.#adoptedPort, program.worker)) {
      case "adopt":
        this.#adopt(server, request.port, program);
        break;
      case "share":
        this.#share(server, request);
        break;
      case "alias":
      case "stand-in":
        this.#standIn(server, request);
        break;
    }
    return server;
  }

  #adopt(server: Server, port: number, program: WorkerProgram): void {
    this.#adoptedPort = port;
    const loadedAt = now();
    if (server instanceof http.Server || server instanceof https.Server) {
      server.keepAliveTimeout = Math.max(
        server.keepAliveTimeout,
        KEEP_ALIVE_TIMEOUT_MS,
      );
    }
    this.#connections.observe(server);
    let isWaiting = false;
    const address = (): AddressInfo | null =>
      server.listening || isWaiting
        ? {
            ...program.publicAddress,
            family: net.isIPv6(program.publicAddress.address) ? "IPv6" : "IPv4",
          }
        : null;
    server.address = address;
    const before = this.#beforeListening?.();
    if (before === undefined) {
      this.#serve(server, program, loadedAt);
      return;
    }
    isWaiting = true;
    // An app may close a server at once.
    server.once("close", () => (isWaiting = false));
    void before.then(() => {
      if (isWaiting) this.#serve(server, program, loadedAt);
      isWaiting = false;
    });
  }

  /** Listens, and says so. */
  #serve(server: Server, program: WorkerProgram, loadedAt: number): void {
    const protocol = protocolOf(server);
    const activatedAt = this.#activatedAt;
    const listening = [
      new Promise<void>((resolve) => server.once("listening", resolve)),
    ];
    if (program.socketPath !== undefined && protocol !== "other") {
      listening.push(
        this.#listenPrivately(
          server,
          program.socketPath,
          program.publicAddress.port,
        ),
      );
    }
    void Promise.all(listening).then(() =>
      sendToMaster({ type: "ready", protocol, activatedAt, loadedAt }),
    );
    this.#listen?.call(server, this.#shared);
  }

  #listenPrivately(
    server: Server,
    socketPath: string,
    port: number,
  ): Promise<void> {
    // Half-open as http.Server's own sockets are: a client may end its side and still read the answer.
    const endpoint = net.createServer(
      { allowHalfOpen: true, noDelay: false },
      (socket) => this.#connections.inject(server, socket, port),
    );
    server.once("close", () => endpoint.close());
    endpoint.on("error", (error) => {
      sendToMaster({
        type: "warning",
        message: `private endpoint: ${error.message}`,
      });
    });
    return new Promise((resolve) => {
      this.#listen?.call(endpoint, socketPath, resolve);
    });
  }

  /** Listens on nothing that anyone reaches, so that the app sees a server as it expects it. */
  #standIn(server: Server, request: PortRequest): void {
    const path = this.#program?.socketPath;
    const suffix = `s${++this.#standIns}`;
    server.address = () =>
      server.listening
        ? {
            address: request.host ?? "127.0.0.1",
            family: "IPv4",
            port: request.port,
          }
        : null;
    if (path === undefined) this.#listen?.call(server, 0, "127.0.0.1");
    else this.#listen?.call(server, `${path}.${suffix}`);
  }

  #share(server: Server, request: PortRequest): void {
    const id = this.#pendingBinds.size + 1;
    sendToMaster({
      type: "warning",
      message: `the app listens on port ${request.port} as well: worker 0 serves it, the others don't`,
    });
    this.#pendingBinds.set(id, (answer, handle) => {
      if (handle !== undefined) {
        this.#listen?.call(server, handle);
        return;
      }
      const code = answer.errorCode ?? "EADDRINUSE";
      const where = `${request.host ?? "*"}:${request.port}`;
      server.emit(
        "error",
        Object.assign(new Error(`listen ${code}: ${where}`), {
          code,
          port: request.port,
        }),
      );
    });
    sendToMaster({ type: "bind", id, host: request.host, port: request.port });
  }

  /** The master's answer to a `bind`. */
  bound(answer: BoundMessage, handle: SharedHandle | undefined): void {
    this.#pendingBinds.get(answer.id)?.(answer, handle);
  }

  /** Accepts no more on the worker's port. */
  close(): void {
    // Only this process's copy of the socket: `server.close()` would also end the front's connections.
    this.#shared?.close();
  }

  /** Lets go of direct connections; `done` when none is left. */
  drain(lingerMs: number, done: () => void): void {
    this.#connections.drain(lingerMs, done);
  }

  /** The drain deadline has passed. */
  finish(done: () => void): void {
    this.#connections.finish(done);
  }

  /** Node unlinks a Unix socket when its server closes, not when the process exits. */
  removeSocketFile(): void {
    const path = this.#program?.socketPath;
    if (path === undefined) return;
    for (let standIn = 0; standIn <= this.#standIns; standIn++) {
      fs.rmSync(standIn === 0 ? path : `${path}.s${standIn}`, { force: true });
    }
  }
}
