/**
 * From the watcher's events to reloads: holds requests from the first sign of a change on, and keeps what is watched up to date
 * with what the last build looked at. Part of the composition root, made by `dev-server.ts`.
 */
import { existsSync } from "node:fs";
import type { WatchSet } from "./compiler/types.js";
import type { Generations } from "./generations.js";
import type { ResolvedProject } from "./manifest/types.js";
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
  /** Sources were changed that never reload. */
  readonly onUnreloaded: (paths: readonly string[]) => void;
}

export class SourceWatch {
  readonly #options: SourceWatchOptions;
  readonly #watcher: Watcher;
  /** Ends the hold of requests that the first sign of a change began; its batch takes it over. */
  #releaseDirty: (() => void) | undefined;
  readonly #unreloaded: Unreloaded;
  /** What is watched. */
  #watched:
    | (Pick<WatchSet, "files" | "directories"> & {
        readonly others: readonly string[];
      })
    | undefined;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
    const { parts, reloader, onWarning, onUnreloaded, poll } = options;
    this.#unreloaded = new Unreloaded(() => reloader.project);
    const { compiler, front, gate } = parts;
    this.#watcher = createWatcher({
      ...(poll === undefined ? {} : { poll }),
      onDirty: (path) => {
        if (this.#unreloaded.has(path)) return;
        this.#releaseDirty ??= holdAll(front?.hold(), gate.hold());
        compiler.prepare(path);
      },
      onBatch: (batch) => {
        const release = this.#releaseDirty ?? ((): void => undefined);
        this.#releaseDirty = undefined;
        const { firstEventAt: since } = batch;
        const left = this.#unreloaded.in(batch.paths);
        if (left.length > 0) onUnreloaded(left);
        const paths = new Set(batch.paths);
        for (const path of left) paths.delete(path);
        if (paths.size === 0) release();
        else void reloader.reload({ paths, since, batch, release });
      },
      onError: (error) => onWarning(error.message),
    });
    this.update();
  }

  /** Brings what is watched up to date with what the last build looked at. */
  update(): void {
    const { parts, reloader, generations } = this.#options;
    const set = parts.compiler.watchSet();
    const { files, directories } = set;
    const { envFile } = generations;
    const others = [
      ...reloader.definedBy,
      ...(envFile === undefined ? [] : [envFile]),
    ];
    const last = this.#watched;
    // As a rule: a save isn't to cost what the number of files is.
    if (
      last?.files === files &&
      last.directories === directories &&
      last.others.join("\0") === others.join("\0")
    )
      return;
    this.#watched = { files, directories, others };
    this.#watcher.watch(
      { files: new Set([...files, ...others]), directories },
      set.readAt,
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

/** The sources that never reload: watched, so that a developer is told why nothing happens. */
class Unreloaded {
  readonly #project: () => ResolvedProject;
  #known: { readonly project: ResolvedProject; readonly paths: Set<string> };
  /** Those that don't exist at the moment: what imports them must be told, now and when they are back. */
  readonly #gone = new Set<string>();

  constructor(project: () => ResolvedProject) {
    this.#project = project;
    this.#known = { project: project(), paths: pathsOf(project()) };
  }

  has(path: string): boolean {
    const project = this.#project();
    if (project !== this.#known.project)
      this.#known = { project, paths: pathsOf(project) };
    return this.#known.paths.has(path);
  }

  /** Those of a batch whose content is all that has changed. */
  in(paths: Iterable<string>): string[] {
    return [...paths].filter((path) => {
      if (!this.has(path)) return false;
      if (existsSync(path)) return !this.#gone.delete(path);
      this.#gone.add(path);
      return false;
    });
  }
}

/** What the manifest imports is read again with it, whatever else it is. */
function pathsOf({ sources, definedBy }: ResolvedProject): Set<string> {
  const unreloaded = sources.filter(({ reload }) => !reload);
  const paths = new Set(unreloaded.map(({ path }) => path));
  for (const path of definedBy) paths.delete(path);
  return paths;
}
