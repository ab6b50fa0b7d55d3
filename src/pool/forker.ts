/** Forks processes, and tells each what it has to know before it belongs to a worker. */
import { isDeepStrictEqual } from "node:util";
import type { Order } from "../ipc/messages.js";
import type { ListeningSocket } from "./listening-socket.js";
import type { Guard } from "./guard.js";
import type { OutputLine, Program } from "./types.js";
import { WorkerProcess } from "./worker-process.js";

export interface ForkerOptions {
  readonly cwd: string;
  /** `process.argv` from index 2 on. */
  readonly args: readonly string[];
  /** For what processes write for an instant, and their private endpoints. */
  readonly runDirectory: string;
  /** The workers' listening sockets at this moment, by worker. */
  readonly sockets: () => Iterable<readonly [number, ListeningSocket]>;
  readonly guard: Guard;
  readonly onOutput: (line: OutputLine) => void;
}

export class Forker {
  readonly #options: ForkerOptions;
  #early:
    | { readonly env: Program["env"]; readonly process: WorkerProcess }
    | undefined;

  constructor(options: ForkerOptions) {
    this.#options = options;
  }

  /** A process for a program: the one that was forked ahead, if it goes with it. */
  fork(program: Program): WorkerProcess {
    const early = this.#early;
    this.#early = undefined;
    let process: WorkerProcess;
    const isUsable =
      early?.process.gone === false &&
      isDeepStrictEqual(early.env, program.env);
    if (isUsable) {
      process = early.process;
    } else {
      void early?.process.kill();
      process = this.#spawn(program.env);
    }
    process.program = program;
    return process;
  }

  /** Forks the first process already, to start Node while its program is being compiled. */
  forkEarly(env: Program["env"]): void {
    this.#early ??= { env, process: this.#spawn(env) };
  }

  /** Ends a process that nobody came for. */
  async close(): Promise<void> {
    await this.#early?.process.kill();
    this.#early = undefined;
  }

  #spawn(env: Program["env"]): WorkerProcess {
    const { cwd, guard, onOutput } = this.#options;
    const process = new WorkerProcess({ env, cwd, onOutput });
    guard.watch(process.pid, process.exited);
    return process;
  }

  /**
   * Once it said hello: the sockets it may need, and its first order.
   *
   * @param worker - the one that it will be; `undefined`: any
   */
  begin(
    process: WorkerProcess,
    worker: number | undefined,
    order: Order,
  ): void {
    const { args, runDirectory, sockets } = this.#options;
    for (const [index, { handle }] of sockets()) {
      if (worker === undefined || worker === index)
        process.send({ type: "socket", worker: index }, handle);
    }
    const { entry, ahead, codeCache } = process.program;
    process.send({
      type: "begin",
      entry,
      args,
      isModule: ahead.isModule,
      runDirectory,
      codeCache,
      order,
    });
  }
}
