/** Commands from whoever runs the server to its workers. Part of the composition root, made by `parts.ts`. */
import type { CommandOutcome } from "./commands/commands-of.js";
import {
  encodeArguments,
  noProcess,
  sendCommand,
  valueOf,
} from "./commands/sender.js";
import { PreforkError } from "./errors.js";
import type { Master } from "./master/master.js";
import type { WorkerProcess } from "./pool/worker-process.js";
import type { WorkerHooks } from "./worker-hooks.js";

export interface ServerCommandsOptions {
  readonly master: Master;
  readonly hooks: WorkerHooks;
  /** The deadline of an answer, in milliseconds. */
  readonly commandTimeoutMs: number;
}

export class ServerCommands {
  readonly #options: ServerCommandsOptions;

  constructor(options: ServerCommandsOptions) {
    this.#options = options;
  }

  /**
   * Sends a command to one worker.
   *
   * @returns what `childFoo` came to
   * @throws PreforkError a code of `sendCommand`'s; `stop`: `ERR_PREFORK_OPTION` for the last worker that serves;
   * `reload`: `ERR_PREFORK_BOOT` when the new process didn't start
   */
  async send(
    worker: number,
    name: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    const process = this.#options.master.workers.processOf(worker);
    if (process === undefined) throw noProcess(name, worker);
    return await this.#sendTo(worker, process, name, args);
  }

  /**
   * Sends a command to all workers, or to one.
   *
   * @param only - the index of the one
   * @returns an outcome for each, by index
   * @throws PreforkError `ERR_PREFORK_COMMAND_VALUE` when an argument can't be serialised; `ERR_PREFORK_OPTION` when there's no such worker
   */
  async sendAll(
    name: string,
    args: readonly unknown[],
    only?: number,
  ): Promise<CommandOutcome[]> {
    // Else each worker would say the same of them.
    encodeArguments(name, args);
    const { master } = this.#options;
    const workers = master.workers.indexes;
    if (only !== undefined && !workers.includes(only)) {
      throw new PreforkError(
        "ERR_PREFORK_OPTION",
        `there is no worker ${only}: they are numbered from 0 to ${workers.length - 1}`,
      );
    }
    return await Promise.all(
      (only === undefined ? workers : [only]).map(async (worker) => {
        const process = master.workers.processOf(worker);
        const pid = process?.pid;
        try {
          if (process === undefined) throw noProcess(name, worker);
          const value = await this.#sendTo(worker, process, name, args);
          return { worker, pid: process.pid, value };
        } catch (error) {
          if (error instanceof PreforkError) return { worker, pid, error };
          throw error;
        }
      }),
    );
  }

  async #sendTo(
    worker: number,
    process: WorkerProcess,
    name: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    if (name === "stop") return await this.#stop(worker, process);
    const { commandTimeoutMs } = this.#options;
    const target = {
      worker,
      pid: process.pid,
      ask: process.commands.ask.bind(process.commands),
    };
    const value = await sendCommand(target, name, args, commandTimeoutMs);
    if (name === "reload") await this.#replace(worker);
    return value;
  }

  /** The process runs the command when it has drained, whoever asked for its end. */
  async #stop(worker: number, process: WorkerProcess): Promise<unknown> {
    const { master, hooks, commandTimeoutMs } = this.#options;
    await master.workers.stop(worker);
    const answer = hooks.stopped(process);
    if (answer === undefined) return undefined;
    const where = { worker, pid: process.pid };
    return valueOf(answer, "stop", where, commandTimeoutMs);
  }

  async #replace(worker: number): Promise<void> {
    const outcome = await this.#options.master.workers.restart(worker);
    if (outcome.kind !== "failed") return;
    throw new PreforkError(
      "ERR_PREFORK_BOOT",
      `command "reload": the new process of worker ${worker} didn't start, the old one serves on: ${outcome.diagnostic.message}`,
    );
  }
}
