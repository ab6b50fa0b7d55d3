/**
 * From the watcher's events to reloads: holds requests from the first sign of a change on, and keeps what is watched up to date
 * with what the last build looked at. What the manifest's steps have made themselves is no change. Part of the composition root, made by `dev-server.ts`.
 */
import { existsSync } from "node:fs";
import type { WatchSet } from "./compiler/types.js";
import type { Generations } from "./generations.js";
import type { ResolvedProject } from "./manifest/types.js";
import type { Parts } from "./parts.js";
import type { Reloader } from "./reloader.js";
import { Undeclared } from "./undeclared.js";
import type { Expected, Watcher } from "./watcher/types.js";
import { createWatcher } from "./watcher/watcher.js";

/** Options of {@link DevServer.watch}. */
export interface WatchOptions {
  /** Look at the files at this interval, in milliseconds, for mounts without events. Default: off. */
  readonly poll?: number;
}

/** No file was written then. */
const NEVER = -1;

export interface SourceWatchOptions extends WatchOptions {
  readonly parts: Parts;
  readonly reloader: Reloader;
  readonly generations: Generations;
  readonly onWarning: (message: string) => void;
  /** Sources were changed that never reload. */
  readonly onUnreloaded: (paths: readonly string[]) => void;
  /** Sources are loaded that the manifest doesn't list. */
  readonly onUndeclared: (paths: readonly string[]) => void;
}

export class SourceWatch {
  readonly #options: SourceWatchOptions;
  readonly #watcher: Watcher;
  /** Ends the hold of requests that the first sign of a change began; its batch takes it over. */
  #releaseDirty: (() => void) | undefined;
  readonly #unreloaded: Unreloaded;
  readonly #undeclared: Undeclared;
  /** What is watched. */
  #watched:
    | (Omit<WatchSet, "readAt"> & {
        readonly others: readonly string[];
        readonly expected: Expected | undefined;
      })
    | undefined;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
    const { parts, reloader, onWarning, onUnreloaded, onUndeclared, poll } =
      options;
    this.#unreloaded = new Unreloaded(() => reloader.project);
    const { compiler, front, gate, steps } = parts;
    const hold = (): (() => void) => holdAll(front?.hold(), gate.hold());
    this.#undeclared = new Undeclared({ compiler, reloader, onUndeclared });
    this.#watcher = createWatcher({
      ...(poll === undefined ? {} : { poll }),
      onDirty: (path) => {
        if (this.#unreloaded.has(path) || steps.mayOwn(path)) return;
        this.#releaseDirty ??= hold();
        compiler.prepare(path);
      },
      onBatch: (batch) => {
        const held = this.#releaseDirty;
        this.#releaseDirty = undefined;
        const { firstEventAt: since } = batch;
        const own = steps.ownAmong(batch.paths);
        const changed = [...batch.paths].filter((path) => !own.has(path));
        const left = this.#unreloaded.in(changed);
        if (left.length > 0) onUnreloaded(left);
        const paths = new Set(changed);
        for (const path of left) paths.delete(path);
        if (paths.size === 0) {
          held?.();
          return;
        }
        // Not held yet: it looked like a step's work.
        const release = held ?? hold();
        void reloader.reload({ paths, since, batch, release });
      },
      onError: (error) => onWarning(error.message),
    });
    this.update();
  }

  /** Brings what is watched up to date with what the last build looked at. */
  update(): void {
    this.#watchPlaces();
    this.#undeclared.look();
  }

  #watchPlaces(): void {
    const { parts, reloader, generations } = this.#options;
    const set = parts.compiler.watchSet();
    const { files, directories } = set;
    const { readAt: stepReadAt } = parts.steps;
    const { envFile } = generations;
    const others = [
      ...reloader.definedBy,
      ...(envFile === undefined ? [] : [envFile]),
    ];
    const { expected } = reloader;
    const last = this.#watched;
    // As a rule: a save isn't to cost what the number of files is.
    if (
      last?.files === files &&
      last.directories === directories &&
      last.expected === expected &&
      last.others.join("\0") === others.join("\0")
    )
      return;
    this.#watched = { files, directories, others, expected };
    // The manifest was read before the first build, and wasn't watched yet.
    const outdated = last === undefined ? reloader.outdated : [];
    this.#watcher.watch(
      { files: new Set([...files, ...others]), directories, expected },
      // A step reads before the compiler does.
      stepReadAt.size + outdated.length === 0
        ? set.readAt
        : new Map([
            ...set.readAt,
            ...stepReadAt,
            ...outdated.map((path) => [path, NEVER] as const),
          ]),
    );
  }

  /** The sources that are loaded at this moment and that the manifest, which lists sources, doesn't list. */
  get undeclared(): readonly string[] {
    return this.#undeclared.paths;
  }

  /** Fulfils when every source is really watched. */
  async ready(): Promise<void> {
    await this.#watcher.ready();
  }

  /** Nothing is watched any more. */
  async close(): Promise<void> {
    this.#undeclared.close();
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
