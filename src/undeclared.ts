/**
 * Sources that are loaded although the manifest, which lists sources, doesn't list them: through an import, a computed one, or a package
 * that loads files by their paths. Told in sets, once each. Part of the composition root, made by `source-watch.ts`: nobody is told who
 * doesn't watch.
 */
import type { Compiler } from "./compiler/types.js";
import { undeclaredSources } from "./manifest/undeclared.js";
import type { ResolvedProject } from "./manifest/types.js";

/** One that loads files loads many, one after the other: they are told together when there was no further one for so long. */
const QUIET_MS = 200;

export interface UndeclaredOptions {
  readonly compiler: Pick<Compiler, "loadedSources">;
  readonly reloader: {
    readonly project: ResolvedProject;
    /** Fulfils when no reload is under way. */
    rest(): Promise<void>;
  };
  /** Called with those that weren't told before. */
  readonly onUndeclared: (paths: readonly string[]) => void;
}

/** What they were found from, and are as long as it's the same. */
interface Known {
  readonly project: ResolvedProject;
  readonly loaded: ReadonlySet<string>;
  readonly paths: readonly string[];
}

/** See this file's header. */
export class Undeclared {
  readonly #options: UndeclaredOptions;
  #known: Known | undefined;
  /** Those told, as long as they are undeclared. */
  #told: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: UndeclaredOptions) {
    this.#options = options;
  }

  /** All there are at this moment, sorted. */
  get paths(): readonly string[] {
    const { compiler, reloader } = this.#options;
    const { project } = reloader;
    const loaded = compiler.loadedSources();
    // Most saves change neither.
    if (this.#known?.project !== project || this.#known.loaded !== loaded) {
      const paths = undeclaredSources(loaded, project);
      this.#known = { project, loaded, paths };
    }
    return this.#known.paths;
  }

  /** What is loaded, or listed, may have changed. */
  look(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // A process that boots may still load more.
      void this.#options.reloader.rest().then(() => this.#tell());
    }, QUIET_MS).unref();
  }

  /** Nobody is told any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #tell(): void {
    if (this.#isClosed) return;
    const { paths } = this;
    const isNew = paths.filter((path) => !this.#told.has(path));
    this.#told = new Set(paths);
    if (isNew.length > 0) this.#options.onUndeclared(isNew);
  }
}
