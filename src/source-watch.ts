/**
 * From the watcher's events to reloads: holds requests from the first sign of a change on, and keeps what is watched up to date
 * with what the last build looked at. Part of the composition root, made by `dev-server.ts`.
 */
import type { Generations } from "./generations.js";
import type { Parts } from "./parts.js";
import type { Reloader } from "./reloader.js";
import type { Watcher } from "./watcher/types.js";
import { createWatcher } from "./watcher/watcher.js";

/** Options of {@link DevServer.watch}. */
export interface WatchOptions {
  /** Look at the files at this interval, in milliseconds, for mounts without events. Default: off. */
  readonly poll?: number;
}

export interface SourceWatchOptions extends WatchOptions {
  readonly parts: Parts;
  readonly reloader: Reloader;
  readonly generations: Generations;
  readonly onWarning: (message: string) => void;
}

export class SourceWatch {
  readonly #options: SourceWatchOptions;
  readonly #watcher: Watcher;
  /** Ends the hold of requests that the first sign of a change began; its batch takes it over. */
  #releaseDirty: (() => void) | undefined;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
    const { parts, reloader, onWarning, poll } = options;
    const { compiler, front, gate } = parts;
    this.#watcher = createWatcher({
      ...(poll === undefined ? {} : { poll }),
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
      onError: (error) => onWarning(error.message),
    });
    this.update();
  }

  /** Brings what is watched up to date with what the last build looked at. */
  update(): void {
    const { parts, reloader, generations } = this.#options;
    const { files, directories, readAt } = parts.compiler.watchSet();
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

  /** Fulfils when every source is really watched. */
  async ready(): Promise<void> {
    await this.#watcher.ready();
  }

  /** Nothing is watched any more. */
  async close(): Promise<void> {
    await this.#watcher.close();
    this.#releaseDirty?.();
  }
}

function holdAll(...releases: ((() => void) | undefined)[]): () => void {
  return () => {
    for (const release of releases) release?.();
  };
}
