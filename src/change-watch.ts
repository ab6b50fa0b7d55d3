/**
 * What has changed in a project's files, for whoever wants to know: as a stream, an async iterator, an event, or just what has gathered.
 * It doesn't load anything. Part of the composition root, made by `loaded-project.ts`.
 */
import { Readable } from "node:stream";
import type { WatchSet } from "./compiler/types.js";
import type { Expected, Watcher } from "./watcher/types.js";
import { createWatcher } from "./watcher/watcher.js";

/**
 * Absolute paths of files that were written, touched, created or removed, sorted: sources, and what else decides what
 * `load()` would do (the manifest, `package.json`, tsconfig and lock files, files that appear beside sources or
 * that a glob of the manifest matches).
 */
export type ChangedFiles = readonly string[];

/** What decides what `load()` would do. */
export interface ChangePlaces extends WatchSet {
  /** Files that will be sources as soon as they are there. */
  readonly expected: Expected | undefined;
}

/** What a {@link ChangeWatch} is made with. */
export interface ChangeWatchOptions {
  /** See `WatchOptions`. */
  readonly poll?: number | undefined;
  /** What to watch first, once that's known. */
  readonly places: () => Promise<ChangePlaces>;
  /** Which changes are the work of the project's own steps: those aren't told. */
  readonly ownAmong: (paths: Iterable<string>) => ReadonlySet<string>;
  /** Called once, when it's closed by whatever means. */
  readonly onClosed: (watch: ChangeWatch) => void;
}

/**
 * A running watch, from `project.watchChanges()`. Files that change within a few milliseconds come together; what nobody has taken yet
 * gathers, each file once.
 *
 * It is a readable stream of lists of files, so `for await (const files of watch)` works, and `server.addIoHandler(watch, …)`;
 * leaving the loop closes it. Beside Node's own events it emits:
 *
 * - `change` with each list, also to those that don't read
 * - `warning` with a message, when something can't be watched as it should; it is looked at in intervals instead
 *
 * @example
 * ```ts
 * const watch = project.watchChanges();
 * for await (const files of watch) {
 *   console.log(files, await project.load());
 * }
 * ```
 */
export class ChangeWatch extends Readable {
  readonly #options: ChangeWatchOptions;
  readonly #watcher: Watcher;
  readonly #gathered = new Set<string>();
  readonly #ready: Promise<void>;
  #isAskedFor = false;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(options: ChangeWatchOptions) {
    // One list is handed over, what comes meanwhile gathers: a stream that nobody reads doesn't grow.
    super({ objectMode: true, highWaterMark: 1 });
    this.#options = options;
    const { poll } = options;
    this.#watcher = createWatcher({
      ...(poll === undefined ? {} : { poll }),
      onDirty: () => undefined,
      onBatch: ({ paths }) => this.#gather(paths),
      onError: ({ message }) => this.emit("warning", message),
    });
    this.#ready = this.#begin();
    // Told as the stream's error, too.
    this.#ready.catch(() => undefined);
  }

  /**
   * Fulfils when everything is watched: a change made after that is always seen.
   *
   * @throws PreforkError ERR_PREFORK_CACHE - what is to be watched can't be found out
   */
  async ready(): Promise<void> {
    await this.#ready;
  }

  /**
   * The files that have changed since they were last asked for or read. Never waits; what it returns is taken.
   *
   * @returns sorted, each once; empty when nothing has changed, and after the end
   */
  changedFiles(): string[] {
    const files = new Set<string>();
    for (;;) {
      const list = this.read() as ChangedFiles | null;
      if (list === null) break;
      for (const file of list) files.add(file);
    }
    return [...files].sort();
  }

  /** Watches no longer. What nobody has taken is dropped; loops over it end. Idempotent: the same promise. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  override on(event: "change", listener: (files: ChangedFiles) => void): this;
  override on(event: "warning", listener: (message: string) => void): this;
  override on(
    event: string | symbol,
    listener: (...args: never[]) => void,
  ): this;
  /** Listens, see {@link ChangeWatch} for the events. */
  override on(
    event: string | symbol,
    listener: (...args: never[]) => void,
  ): this {
    return super.on(event, listener as (...args: unknown[]) => void);
  }

  override once(event: "change", listener: (files: ChangedFiles) => void): this;
  override once(event: "warning", listener: (message: string) => void): this;
  override once(
    event: string | symbol,
    listener: (...args: never[]) => void,
  ): this;
  /** Listens for the next one, see {@link ChangeWatch} for the events. */
  override once(
    event: string | symbol,
    listener: (...args: never[]) => void,
  ): this {
    return super.once(event, listener as (...args: unknown[]) => void);
  }

  /** The lists, one after the other; ends with `close()`. Leaving the loop closes the watch. */
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<ChangedFiles> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<ChangedFiles>;
  }

  /** @internal */
  update({ files, directories, readAt, expected }: ChangePlaces): void {
    this.#watcher.watch({ files, directories, expected }, readAt);
  }

  /** Called by Node when somebody would read. */
  override _read(): void {
    this.#isAskedFor = true;
    this.#handOver();
  }

  /** @internal */
  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    this.#gathered.clear();
    this.#options.onClosed(this);
    void this.#watcher.close().then(() => callback(error));
  }

  async #begin(): Promise<void> {
    try {
      this.update(await this.#options.places());
      await this.#watcher.ready();
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  #gather(all: ReadonlySet<string>): void {
    if (this.#closing !== undefined || this.destroyed) return;
    const own = this.#options.ownAmong(all);
    const paths = [...all].filter((path) => !own.has(path));
    if (paths.length === 0) return;
    for (const path of paths) this.#gathered.add(path);
    this.#handOver();
    this.emit("change", paths.sort());
  }

  #handOver(): void {
    if (!this.#isAskedFor || this.#gathered.size === 0) return;
    this.#isAskedFor = false;
    const files = [...this.#gathered].sort();
    this.#gathered.clear();
    this.push(files);
  }

  async #close(): Promise<void> {
    if (this.closed) return;
    const closed = new Promise<void>((resolve) => {
      super.once("close", resolve);
    });
    if (!this.destroyed) {
      this.#gathered.clear();
      this.push(null);
      // The end is told once everything was read.
      this.changedFiles();
    }
    await closed;
  }
}
