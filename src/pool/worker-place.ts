/**
 * A worker: a numbered place in the pool with its own port, that outlives its
 * processes. It knows how to boot a process for itself and how to let one go;
 * when is decided by `master/`.
 */
import fs from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../errors.js";
import type { ProcessMessage } from "../ipc/messages.js";
import { bindListeningSocket } from "./listening-socket.js";
import type { ListeningSocket } from "./listening-socket.js";
import type { Deadlines, OutputLine, Program, ReadyProcess } from "./types.js";
import { WorkerProcess } from "./worker-process.js";

/** After the drain deadline: how long a process may take to end its streams. */
const FINISH_MS = 1_000;

export interface WorkerPlaceOptions {
  readonly index: number;
  readonly socket: ListeningSocket;
  /** Where private endpoints live; `undefined` without a front. */
  readonly runDirectory: string | undefined;
  /** What the app's server says its address is. */
  readonly publicAddress: { readonly address: string; readonly port: number };
  readonly cwd: string;
  readonly args: readonly string[];
  readonly deadlines: Deadlines;
  /** Sockets for the further ports that the app listens on, shared by all workers. */
  readonly furtherSockets: FurtherSockets;
  readonly onOutput: (line: OutputLine) => void;
  readonly onWarning: (worker: number, message: string) => void;
}

/** A process of a place, with its private endpoint. */
export interface PlacedProcess {
  /** Unique for the life of the master. */
  readonly id: number;
  readonly process: WorkerProcess;
  readonly socketPath: string | undefined;
}

/** Sockets for further ports, bound once and kept for every later process. */
export class FurtherSockets {
  readonly #sockets = new Map<string, ListeningSocket>();

  /** @throws PreforkError `ERR_PREFORK_PORT` */
  bind(host: string, port: number): ListeningSocket {
    const key = `${host} ${port}`;
    const known = this.#sockets.get(key);
    if (known !== undefined) return known;
    const socket = bindListeningSocket(host, port);
    this.#sockets.set(key, socket);
    return socket;
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }
}

let lastId = 0;

export class WorkerPlace {
  readonly index: number;
  readonly port: number;
  readonly #options: WorkerPlaceOptions;
  #armed = false;

  constructor(options: WorkerPlaceOptions) {
    this.#options = options;
    this.index = options.index;
    this.port = options.socket.port;
  }

  /** Forks a process for a program. Await {@link whenReady} next. */
  fork(program: Program): PlacedProcess {
    const { index, cwd, onOutput, runDirectory, socket } = this.#options;
    const id = ++lastId;
    const process = new WorkerProcess({
      worker: index,
      program: {
        ...program,
        env: {
          ...program.env,
          PREFORK_WORKER: String(index),
          PREFORK_WORKER_PORT: String(socket.port),
        },
      },
      cwd,
      onOutput,
      onMessage: (message) => this.#received(process, message),
    });
    const socketPath =
      runDirectory === undefined ? undefined : join(runDirectory, `${id}`);
    return { id, process, socketPath };
  }

  /**
   * Gives a forked process its program and the worker's socket, and waits until it serves.
   *
   * @throws BootFailure
   */
  async whenReady({
    process,
    socketPath,
  }: PlacedProcess): Promise<ReadyProcess> {
    const { publicAddress, args, socket, deadlines, index } = this.#options;
    const ready = process.whenReady(deadlines.bootTimeoutMs);
    void process.hello.then(() => {
      if (!this.#armed) {
        this.#armed = true;
        process.send({ type: "arm" }, socket.handle);
      }
      process.send(
        {
          type: "program",
          output: process.program.output,
          entry: process.program.entry,
          args,
          worker: index,
          publicAddress,
          ...(socketPath === undefined ? {} : { socketPath }),
        },
        socket.handle,
      );
    });
    return await ready;
  }

  /**
   * Lets a serving process go: drains it, ends what's left at the deadline, stops it.
   *
   * @param leases - resolves when the front has its leases back
   * @param abort - called at the drain deadline, after the process has ended its streams
   */
  async retire(
    placed: PlacedProcess,
    leases: Promise<void>,
    abort: () => void,
  ): Promise<void> {
    const { drainTimeoutMs, lingerMs, stopTimeoutMs } = this.#options.deadlines;
    const { process } = placed;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<"timeout">((resolve) => {
      timer = setTimeout(() => resolve("timeout"), drainTimeoutMs);
    });
    const direct = process.ask(
      { type: "drain", lingerMs },
      "drained",
      drainTimeoutMs,
    );
    const outcome = await Promise.race([
      Promise.all([direct, leases]).then(([answer]) => answer),
      process.exited.then(() => "exited" as const),
      timeout,
    ]);
    clearTimeout(timer);
    if (outcome === "timeout")
      await process.ask({ type: "finish" }, "finished", FINISH_MS);
    abort();
    await process.stop(stopTimeoutMs);
    this.forget(placed);
  }

  /** Removes what an exited process left in the run directory. */
  forget({ socketPath }: PlacedProcess): void {
    if (socketPath === undefined) return;
    fs.rmSync(socketPath, { force: true });
    for (
      let standIn = 1;
      fs.existsSync(`${socketPath}.s${standIn}`);
      standIn++
    ) {
      fs.rmSync(`${socketPath}.s${standIn}`, { force: true });
    }
  }

  /** Gives the port back. */
  unregister(): void {
    this.#options.socket.close();
  }

  #received(process: WorkerProcess, message: ProcessMessage): void {
    if (message.type === "warning")
      this.#options.onWarning(this.index, message.message);
    if (message.type !== "bind") return;
    const { id, port } = message;
    try {
      const host =
        message.host === "localhost" ? "127.0.0.1" : (message.host ?? "::");
      const socket = this.#options.furtherSockets.bind(host, port);
      process.send({ type: "bound", id }, socket.handle);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      const errorCode = systemErrorCode(cause) ?? "EADDRNOTAVAIL";
      process.send({ type: "bound", id, errorCode });
    }
  }
}
