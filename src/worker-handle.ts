/** A worker as whoever runs the server sees it. Made by `dev-server.ts`. */
import type {
  AnyCommands,
  CommandArguments,
  CommandName,
  CommandResult,
} from "./commands/commands-of.js";
import type { Master } from "./master/master.js";
import type { RestartOutcome, WorkerStatus } from "./master/types.js";
import type { ServerCommands } from "./server-commands.js";

/**
 * One worker of a running server: `server.workers[i]`.
 *
 * @typeParam Commands - what it can be sent: see {@link WorkerHandle.send}
 */
export class WorkerHandle<Commands = AnyCommands> {
  /** From 0. */
  readonly index: number;
  readonly #master: Master;
  readonly #commands: ServerCommands;

  /**
   * Made by the server.
   *
   * @internal
   */
  constructor(index: number, master: Master, commands: ServerCommands) {
    this.index = index;
    this.#master = master;
    this.#commands = commands;
  }

  /**
   * Sends it a command: its process runs the optional `onFoo(...args)` of its mixins, then `childFoo(...args)`.
   *
   * @param name - `foo`
   * @returns what `childFoo` came to, cloned
   * @throws PreforkError `ERR_PREFORK_COMMAND_UNKNOWN` when there is no `childFoo`, `ERR_PREFORK_COMMAND_FAILED` when it threw,
   * `ERR_PREFORK_COMMAND_TIMEOUT` after `commandTimeoutMs`, `ERR_PREFORK_COMMAND_VALUE` when an argument or the result can't be
   * serialised, `ERR_PREFORK_WORKER_GONE` when it has no process that serves, or that ended meanwhile. Of `stop`: as {@link WorkerHandle.stop}. Of `reload`:
   * `ERR_PREFORK_BOOT` when the new process didn't start
   */
  async send<Name extends CommandName<Commands>>(
    name: Name,
    ...args: CommandArguments<Commands, Name>
  ): Promise<CommandResult<Commands, Name>> {
    const value = await this.#commands.send(this.index, name, args);
    // The types say what the mixins do.
    return value as CommandResult<Commands, Name>;
  }

  /** What it does at this moment; `undefined` when there are fewer workers now. */
  status(): WorkerStatus | undefined {
    return this.#master.status()[this.index];
  }

  /**
   * Replaces its process by a new one of the same code, which is ready before the old one drains.
   *
   * @throws PreforkError `ERR_PREFORK_OPTION` when there is no such worker any more
   */
  async restart(): Promise<RestartOutcome> {
    return await this.#master.workers.restart(this.index);
  }

  /**
   * Starts it after {@link WorkerHandle.stop}.
   *
   * @throws PreforkError `ERR_PREFORK_OPTION` when there is no such worker any more
   */
  async start(): Promise<RestartOutcome> {
    return await this.#master.workers.start(this.index);
  }

  /**
   * Drains and stops its process. It keeps its port, and stays without a process until it is started.
   *
   * @throws PreforkError `ERR_PREFORK_OPTION` when it's the last one that serves
   */
  async stop(): Promise<void> {
    await this.#master.workers.stop(this.index);
  }
}
