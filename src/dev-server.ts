/**
 * The composition root: the one place where watcher, compiler, master and front meet
 * (with `parts.ts`, which opens them, and `reloader.ts`, which passes values on).
 * Values flow one way, see docs/architecture.md. It installs nothing by itself: no signal
 * handler and no watcher; it writes nothing but the compiler's cache and, while it runs, the
 * directory of the private endpoints.
 */
import { EventEmitter } from "node:events";
import type {
  AnyCommands,
  CommandArguments,
  CommandName,
  CommandOutcome,
  CommandResult,
} from "./commands/commands-of.js";
import { controlHandlers } from "./control-handlers.js";
import { PreforkError } from "./errors.js";
import type { ScaleOutcome } from "./master/types.js";
import type { IoHandler } from "./mechanisms/io-calls.js";
import { IoHandlers } from "./mechanisms/io-handlers.js";
import type { IoSource } from "./mechanisms/io-sources.js";
import type { ResolvedProject } from "./manifest/types.js";
import type {
  ReloadOutcome,
  ServerEvents,
  ServerStatus,
} from "./server-events.js";
import type { OptionLayers } from "./option-layers.js";
import { checkWorkers } from "./server-options.js";
import type { ServerOptions } from "./server-options.js";
import { ownEndpoints } from "./own-endpoints.js";
import { openRunning } from "./running.js";
import type { Running } from "./running.js";
import { serverStatus } from "./server-status.js";
import { SourceWatch } from "./source-watch.js";
import type { WatchOptions } from "./source-watch.js";
import { WorkerHandle } from "./worker-handle.js";

/**
 * A preforking server for a project. Made by `createServer`.
 *
 * Emits the events of {@link ServerEvents}.
 *
 * @typeParam Commands - what its workers can be sent: see {@link DevServer.send}
 */
export class DevServer<
  Commands = AnyCommands,
> extends EventEmitter<ServerEvents> {
  readonly #project: ResolvedProject;
  readonly #layers: OptionLayers;
  readonly #madeAt = performance.now();
  readonly #ioHandlers = new IoHandlers({
    onWarning: (message) => this.emit("warning", message),
  });
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;
  #watch: SourceWatch | undefined;
  #watchOptions: WatchOptions | undefined;
  /** Fulfils when all but the mechanisms is closed. */
  #closed: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /**
   * Prefer `createServer`.
   *
   * @param options - win over the manifest's
   * @param fallback - the manifest's win over these
   */
  constructor(
    project: ResolvedProject,
    options: ServerOptions = {},
    fallback: ServerOptions = {},
  ) {
    super();
    this.#project = project;
    this.#layers = { given: options, fallback };
  }

  /** The project as it was last loaded. */
  get project(): ResolvedProject {
    return this.#running?.reloader.project ?? this.#project;
  }

  /** The front's URL, or without a front worker 0's; `undefined` before {@link DevServer.start}. */
  get url(): string | undefined {
    return this.#running?.parts.address.url;
  }

  /**
   * Binds the ports, compiles, and forks the workers.
   *
   * @returns the outcome of the first generation. Code that is broken is no error here: requests
   * wait, and the next reload tries again
   * @throws PreforkError `ERR_PREFORK_OPTION`, `ERR_PREFORK_PORT`, `ERR_PREFORK_CERTIFICATE`, `ERR_PREFORK_CACHE`, `ERR_PREFORK_MIXIN`: nothing is
   * open then. `ERR_PREFORK_NOT_RUNNING` when it was started or stopped before
   */
  async start(): Promise<ReloadOutcome> {
    if (this.#starting !== undefined || this.#stopping !== undefined) {
      throw new PreforkError(
        "ERR_PREFORK_NOT_RUNNING",
        "a server starts once: make another with createServer()",
      );
    }
    this.#starting = this.#open();
    const { parts } = await this.#starting;
    if (this.#isStopping()) return { kind: "stopped" };
    this.emit("listening", parts.address);
    return await this.reload();
  }

  /**
   * Looks for changes and rolls a new generation.
   *
   * @param changed - absolute paths of files that changed, from a watcher of your own. Without: looks at
   * everything, reads the manifest again, and rolls even if nothing has changed
   * @returns how it ended. Requests that overlap are merged, and share the outcome
   * @throws PreforkError `ERR_PREFORK_NOT_RUNNING`
   */
  async reload(changed?: Iterable<string>): Promise<ReloadOutcome> {
    return await this.#requireRunning().reloader.reload({
      paths: changed === undefined ? undefined : new Set(changed),
      since: performance.now(),
      batch: undefined,
      release: () => undefined,
    });
  }

  /** Watches the project's sources, and reloads on change. Before or after {@link DevServer.start}. */
  watch(options: WatchOptions = {}): void {
    this.#watchOptions = options;
    this.#watchMore();
  }

  /** Fulfils when every source is really watched: a change made after that is always seen. */
  async watching(): Promise<void> {
    await this.#watch?.ready();
  }

  /** The workers there are, by index. */
  get workers(): readonly WorkerHandle<Commands>[] {
    const parts = this.#running?.parts;
    if (parts === undefined) return [];
    const { master, commands } = parts;
    return master.workers.indexes.map(
      (index) => new WorkerHandle(index, master, commands),
    );
  }

  /**
   * Sends a command to all workers: each runs the optional `onFoo(...args)` of its mixins, then `childFoo(...args)`.
   *
   * @param name - `foo`
   * @returns an outcome for each worker, by index: its value, or its error, with the codes of {@link WorkerHandle.send}
   * @throws PreforkError `ERR_PREFORK_COMMAND_VALUE` when an argument can't be serialised, `ERR_PREFORK_NOT_RUNNING`
   */
  async send<Name extends CommandName<Commands>>(
    name: Name,
    ...args: CommandArguments<Commands, Name>
  ): Promise<CommandOutcome<CommandResult<Commands, Name>>[]> {
    const { commands } = this.#requireRunning().parts;
    // The types say what the mixins do.
    return (await commands.sendAll(name, args)) as CommandOutcome<
      CommandResult<Commands, Name>
    >[];
  }

  /**
   * Changes the number of workers while they serve: new ones get the next ports, those with the highest ports drain and go.
   *
   * @param workers - how many, at least 1; or how many more or fewer than were asked for last, `{ by: -1 }`, but never under 1
   * @returns how it ended; a newer call supersedes this one
   * @throws PreforkError `ERR_PREFORK_OPTION`, `ERR_PREFORK_NOT_RUNNING`; `ERR_PREFORK_PORT` when a new worker's port can't be had
   */
  async scale(
    workers: number | { readonly by: number },
  ): Promise<ScaleOutcome> {
    const { master } = this.#requireRunning().parts;
    const wanted =
      typeof workers === "number"
        ? checkWorkers(workers)
        : checkWorkers(Math.max(1, master.size + workers.by));
    return await master.scale(wanted);
  }

  /**
   * Calls a handler when there is something to read. See docs/server.md, "Own mechanisms".
   *
   * @param source - a readable stream, a socket, a server, or a file descriptor, which is handed over for good
   * @param handler - told of `readable`, `connection`, `end` and `error`; never while its last call is under way
   * @returns removes the handler; the end of the server does as well
   * @throws PreforkError `ERR_PREFORK_OPTION` for a source that can't be waited for
   */
  addIoHandler(source: IoSource, handler: IoHandler): () => void {
    return this.#ioHandlers.add(source, handler);
  }

  /** What runs at this moment. */
  status(): ServerStatus {
    const uptimeMs = performance.now() - this.#madeAt;
    return serverStatus(this.project, this.#running, this.#watch, uptimeMs);
  }

  /**
   * Opens the output anew, after a log's rotation. Without `output`, or with a stream of yours, it does nothing.
   *
   * @throws PreforkError `ERR_PREFORK_OUTPUT` when it can't be opened; the old one stays in use
   */
  async reopenLogs(): Promise<void> {
    await this.#requireRunning().mechanisms.reopenLogs();
  }

  /** Lets requests in hand finish, drains and stops every worker, closes everything. Idempotent. */
  stop(): Promise<void> {
    if (this.#stopping === undefined) {
      this.#closed = this.#close();
      this.#stopping = this.#closed.then(async () => {
        await this.#running?.mechanisms.close();
        this.emit("stopped");
      });
      this.emit("stopping");
    }
    return this.#stopping;
  }

  /** Ends everything at once, also when a {@link DevServer.stop} is under way. */
  async kill(): Promise<void> {
    await this.#running?.parts.kill();
    await this.stop();
  }

  #requireRunning(): Running {
    if (this.#running !== undefined && this.#stopping === undefined)
      return this.#running;
    const what =
      this.#stopping === undefined
        ? "not started: call start() first"
        : "stopped";
    throw new PreforkError("ERR_PREFORK_NOT_RUNNING", `the server is ${what}`);
  }

  #isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  async #open(): Promise<Running> {
    this.#running = await openRunning(
      this.#project,
      this.#layers,
      {
        onProcess: (event) => this.emit("process", event),
        onWorker: (event) => this.emit("worker", event),
        onStandby: (event) => this.emit("standby", event),
        onStep: (event) => this.emit("step", event),
        onOutput: (line) => this.emit("output", line),
        onWarning: (message) => this.emit("warning", message),
        onCertificate: (info) => this.emit("certificate", info),
        onDiscovered: () => this.#watchMore(),
        onBuilt: () => this.#watchMore(),
        endpoints: ownEndpoints(this, () => this.#watchOptions !== undefined),
        onBegin: () => this.emit("reloading"),
        onOutcome: (outcome) => this.emit("reload", outcome),
      },
      (running) =>
        controlHandlers(this, running, async () => {
          await this.#closed;
        }),
    );
    return this.#running;
  }

  async #close(): Promise<void> {
    this.#ioHandlers.closeAll();
    await this.#watch?.close();
    // A stop during the start waits until there is something to close.
    const running = await this.#starting?.catch(() => undefined);
    if (running === undefined) return;
    await Promise.all([running.parts.close(), running.reloader.close()]);
  }

  /** Brings what is watched up to date with what the last build looked at. */
  #watchMore(): void {
    if (this.#watchOptions === undefined || this.#running === undefined) return;
    if (this.#stopping !== undefined) return;
    if (this.#watch !== undefined) {
      this.#watch.update();
      return;
    }
    this.#watch = new SourceWatch({
      ...this.#watchOptions,
      ...this.#running,
      onWarning: (message) => this.emit("warning", message),
      onUnreloaded: (paths) => this.emit("unreloaded", paths),
      onUndeclared: (paths) => this.emit("undeclared", paths),
    });
  }
}
