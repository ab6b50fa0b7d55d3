/**
 * The composition root: the one place where watcher, compiler, master and front meet
 * (with `parts.ts`, which opens them, and `reloader.ts`, which passes values on).
 * Values flow one way, see docs/architecture.md. It installs nothing by itself: no signal
 * handler and no watcher; it writes nothing but the compiler's cache and, while it runs, the
 * directory of the private endpoints.
 */
import { EventEmitter } from "node:events";
import process from "node:process";
import { PreforkError } from "./errors.js";
import { Generations } from "./generations.js";
import type { ResolvedProject } from "./manifest/types.js";
import { openParts } from "./parts.js";
import type { Parts } from "./parts.js";
import { Reloader } from "./reloader.js";
import type {
  ReloadOutcome,
  ServerEvents,
  ServerStatus,
} from "./server-events.js";
import { resolveServerOptions } from "./server-options.js";
import type { ServerOptions } from "./server-options.js";
import type { Watcher } from "./watcher/types.js";
import { createWatcher } from "./watcher/watcher.js";

/** Options of {@link DevServer.watch}. */
export interface WatchOptions {
  /** Look at the files at this interval, in milliseconds, for mounts without events. Default: off. */
  readonly poll?: number;
}

interface Running {
  readonly parts: Parts;
  readonly reloader: Reloader;
  readonly generations: Generations;
}

/**
 * A preforking server for a project. Made by {@link createServer}.
 *
 * Emits the events of {@link ServerEvents}.
 */
export class DevServer extends EventEmitter<ServerEvents> {
  readonly #project: ResolvedProject;
  readonly #options: ServerOptions;
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;
  #watcher: Watcher | undefined;
  #watchOptions: WatchOptions | undefined;
  /** Ends the hold of requests that the first sign of a change began; its batch takes it over. */
  #releaseDirty: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  /** Prefer {@link createServer}. */
  constructor(project: ResolvedProject, options: ServerOptions = {}) {
    super();
    this.#project = project;
    this.#options = options;
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
   * @throws PreforkError `ERR_PREFORK_OPTION`, `ERR_PREFORK_PORT`, `ERR_PREFORK_CACHE`: nothing is
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
    if (this.#running === undefined || this.#stopping !== undefined) {
      const what =
        this.#stopping === undefined
          ? "not started: call start() first"
          : "stopped";
      throw new PreforkError(
        "ERR_PREFORK_NOT_RUNNING",
        `the server is ${what}`,
      );
    }
    return await this.#running.reloader.reload({
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
    await this.#watcher?.ready();
  }

  /** What runs at this moment. */
  status(): ServerStatus {
    const running = this.#running;
    return {
      pid: process.pid,
      url: running?.parts.address.url,
      generation: running?.parts.master.currentGeneration,
      sources: running?.reloader.sources ?? 0,
      workers: running?.parts.master.status() ?? [],
      standbys: running?.parts.standbys.status() ?? [],
      notAhead: running?.parts.standbys.barred() ?? [],
      lastReload: running?.reloader.lastOutcome(),
    };
  }

  /** Lets requests in hand finish, drains and stops every worker, closes everything. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close((parts) => parts.close());
    return this.#stopping;
  }

  /** Ends everything at once, also when a {@link DevServer.stop} is under way. */
  async kill(): Promise<void> {
    await this.#running?.parts.kill();
    await this.stop();
  }

  #isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  async #open(): Promise<Running> {
    const options = await resolveServerOptions(this.#options);
    const generations = new Generations(options, process.env);
    const parts = await openParts(this.#project, options, generations, {
      onProcess: (event) => this.emit("process", event),
      onStandby: (event) => this.emit("standby", event),
      onOutput: (line) => {
        options.output?.write(`[${line.worker}] ${line.line}\n`);
        this.emit("output", line);
      },
      onWarning: (message) => this.emit("warning", message),
      onDiscovered: () => this.#watchMore(),
    });
    const reloader = new Reloader({
      project: this.#project,
      parts,
      generations,
      onBuilt: () => this.#watchMore(),
      onOutcome: (outcome) => this.emit("reload", outcome),
      onWarning: (message) => this.emit("warning", message),
    });
    this.#running = { parts, reloader, generations };
    return this.#running;
  }

  async #close(close: (parts: Parts) => Promise<void>): Promise<void> {
    await this.#watcher?.close();
    // A stop during the start waits until there is something to close.
    const running = await this.#starting?.catch(() => undefined);
    if (running === undefined) return;
    await Promise.all([close(running.parts), running.reloader.close()]);
  }

  /** Brings what is watched up to date with what the last build looked at. */
  #watchMore(): void {
    const options = this.#watchOptions;
    if (
      options === undefined ||
      this.#running === undefined ||
      this.#stopping !== undefined
    )
      return;
    const { parts, reloader, generations } = this.#running;
    const { compiler, front, gate } = parts;
    this.#watcher ??= createWatcher({
      ...options,
      onDirty: (path) => {
        this.#releaseDirty ??= holdAll(front?.hold(), gate.hold());
        compiler.prepare(path);
      },
      onBatch: (batch) => {
        const release = this.#releaseDirty ?? ((): void => undefined);
        this.#releaseDirty = undefined;
        const { paths, firstEventAt: since } = batch;
        void reloader.reload({ paths, since, batch, release });
      },
      onError: (error) => this.emit("warning", error.message),
    });
    const { files, directories, readAt } = compiler.watchSet();
    const { envFile } = generations;
    const others = [
      ...reloader.project.definedBy,
      ...(envFile === undefined ? [] : [envFile]),
    ];
    this.#watcher.watch(
      { files: new Set([...files, ...others]), directories },
      readAt,
    );
  }
}

function holdAll(...releases: ((() => void) | undefined)[]): () => void {
  return () => {
    for (const release of releases) release?.();
  };
}

/**
 * Makes a server for a project. Nothing happens before `start()`.
 *
 * @param project - from `loadProject`
 * @param options - see {@link ServerOptions} for each default
 */
export function createServer(
  project: ResolvedProject,
  options: ServerOptions = {},
): DevServer {
  return new DevServer(project, options);
}
