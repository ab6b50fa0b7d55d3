/**
 * A worker: a numbered place in the pool with its own port, that outlives its
 * processes. It knows how to boot a process for itself and how to let one go;
 * when is decided by `master/`.
 */
import fs from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../errors.js";
import type { Order, ProcessMessage, WorkerProgram } from "../ipc/messages.js";
import { bindListeningSocket } from "./listening-socket.js";
import type { ListeningSocket } from "./listening-socket.js";
import type { Deadlines, Program, ReadyProcess } from "./types.js";
import { within } from "../within.js";
import type { WorkerProcess } from "./worker-process.js";

/** What the hooks of a worker's mixins need of its place. */
interface PlaceHooks {
  /** What `onRegister` came to, encoded; `undefined`: nothing. */
  readonly state: string | undefined;
  /** The deadline of `onStart`, in milliseconds. */
  readonly hookTimeoutMs: number;
  /** Called when a process has drained, before it's asked to end. Never rejects. */
  readonly beforeStop: (process: WorkerProcess) => Promise<void>;
}

/** How long a process may take to say that it accepts no more: the answer of one whose event loop is blocked isn't waited for longer. */
const CLOSE_MS = 5_000;
/** After the drain deadline: how long a process may take to end its streams. */
const FINISH_MS = 1_000;
/** The most that a timer of Node takes. */
const LONGEST_MS = 2 ** 31 - 1;

export interface WorkerPlaceOptions {
  readonly index: number;
  readonly socket: ListeningSocket;
  /** Where private endpoints live; `undefined` without a front. */
  readonly runDirectory: string | undefined;
  /** What the app's server says its address is. */
  readonly publicAddress: { readonly address: string; readonly port: number };
  readonly deadlines: Deadlines;
  /** Sockets for the further ports that the app listens on, shared by all workers. */
  readonly furtherSockets: FurtherSockets;
  readonly hooks: PlaceHooks;
  readonly onWarning: (worker: number, message: string) => void;
}

/** What a process that is let go has to wait for. */
export interface Retirement {
  /** Called once it accepts no more on the worker's port, or hasn't said so in 5 seconds. */
  readonly onClosed: () => void;
  /** Resolves when the front has its leases back. */
  readonly leases: Promise<void>;
  /** Called when it's drained or at its deadline, after it has ended its streams: nothing of it is to be used any more. */
  readonly abort: () => void;
  /**
   * Asked at the drain deadline: may it go on until all that's left has ended by itself?
   *
   * @param hasDirect - are there connections to the worker's own port?
   */
  readonly mayWait: (hasDirect: boolean) => boolean;
  /** Then it waits no longer. */
  readonly streamsEnded: Promise<void>;
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

  /** Makes a process this worker's. Await {@link whenReady} next. */
  place(process: WorkerProcess, program: Program): PlacedProcess {
    const { index, runDirectory } = this.#options;
    const id = ++lastId;
    process.assign({
      worker: index,
      program,
      onMessage: (message) => this.#received(process, message),
    });
    const socketPath =
      runDirectory === undefined ? undefined : join(runDirectory, `${id}`);
    return { id, process, socketPath };
  }

  /**
   * Gives a process its program and waits until it serves.
   *
   * @param begin - for a process that was just forked: gives it its sockets and its first order. Without, it stands by
   * @throws BootFailure
   */
  async whenReady(
    { process, socketPath }: PlacedProcess,
    begin: ((order: Order) => void) | undefined,
  ): Promise<ReadyProcess> {
    const { publicAddress, socket, deadlines, hooks, index } = this.#options;
    const ready = process.whenReady(deadlines.bootTimeoutMs);
    const order: Order = {
      kind: "activate",
      program: {
        output: process.program.output,
        worker: index,
        workerPort: socket.port,
        publicAddress,
        ...(socketPath === undefined ? {} : { socketPath }),
        ...mixinsFor(process.program, hooks),
      },
    };
    const start = (): void => {
      if (!this.#armed) {
        this.#armed = true;
        process.send({ type: "arm" }, socket.handle);
      }
      begin?.(order);
    };
    if (begin === undefined)
      void process.parked.then(() => process.order(order));
    else void process.hello.then(start);
    return await ready;
  }

  /** Lets a serving process go: drains it, ends what's left at the deadline, stops it. */
  async retire(
    placed: PlacedProcess,
    { onClosed, leases, abort, streamsEnded, mayWait }: Retirement,
  ): Promise<void> {
    const { drainTimeoutMs, lingerMs, stopTimeoutMs } = this.#options.deadlines;
    const { process } = placed;
    process.send({ type: "drain", lingerMs });
    void process.answer("closed", CLOSE_MS).then(onClosed);
    const direct = process.answer("drained", LONGEST_MS);
    const drained = Promise.race([
      Promise.all([direct, leases]).then(([answer]) => answer),
      process.exited.then(() => "exited" as const),
    ]);
    let hasDirect = true;
    void direct.then(() => (hasDirect = false));
    let outcome = await within(drainTimeoutMs, drained);
    if (outcome === "timeout" && mayWait(hasDirect))
      outcome = await Promise.race([
        drained,
        streamsEnded.then(() => "timeout" as const),
      ]);
    if (outcome === "timeout") {
      process.send({ type: "finish" });
      await process.answer("finished", FINISH_MS);
    }
    abort();
    await this.#options.hooks.beforeStop(process);
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

  /** Gives the port back. Idempotent. */
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

/** What a process is told of its mixins: nothing when there are none. */
function mixinsFor(
  { mixins: modules }: Program,
  { state, hookTimeoutMs }: PlaceHooks,
): Pick<WorkerProgram, "mixins"> {
  if (modules.length === 0) return {};
  const mixins = { modules, hookTimeoutMs };
  return { mixins: state === undefined ? mixins : { ...mixins, state } };
}
