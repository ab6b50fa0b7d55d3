/**
 * A project that can be loaded into this process, and loaded again when it has changed; no server.
 *
 * Part of the composition root, made by `open-project.ts`. How loading goes is in `project-loading.ts`, what is to be loaded is
 * decided in `loader/plan.ts`, watching is `change-watch.ts`.
 */
import path from "node:path";
import process from "node:process";
import { ChangeWatch } from "./change-watch.js";
import type { ChangePlaces } from "./change-watch.js";
import { realPath } from "./compiler/project-sources.js";
import type { Compiler } from "./compiler/types.js";
import { PreforkError } from "./errors.js";
import { ExpectedSources } from "./expected-sources.js";
import { listedSources } from "./listed-sources.js";
import type { ListedSource } from "./listed-sources.js";
import { compileError, shown } from "./loader/load-error.js";
import type { LoadedSource, SourceExports } from "./loader/types.js";
import { didYouMean, nearest } from "./manifest/nearest.js";
import type { ResolvedProject } from "./manifest/types.js";
import { ProjectLoading } from "./project-loading.js";
import type { WatchOptions } from "./source-watch.js";
import type { Steps } from "./steps/steps.js";

/** Options of {@link Project.load}. */
export interface LoadOptions {
  /** Load all, also what is loaded already and hasn't changed, as it is now: changes of sources with `reload: false`, too. Default: `false`. */
  readonly force?: boolean;
  /** Say which source is being loaded and why: `true` on stderr, a line each; a function is called before each. Default: `false`. */
  readonly verbose?: boolean | ((source: LoadedSource) => void);
}

/** What a {@link Project} is made with. */
interface ProjectParts {
  readonly project: ResolvedProject;
  readonly compiler: Compiler;
  readonly steps: Steps;
  /** Fulfils when those who watch over the steps' processes are gone, too. */
  readonly unguarded: () => Promise<void>;
  /** Reads the manifest again; `undefined` for a project that was resolved by the caller. */
  readonly resolve: (() => Promise<ResolvedProject>) | undefined;
  /** What relative paths are relative to first. */
  readonly cwd: string;
}

/** An open project, see `openProject`. */
export class Project {
  readonly #parts: ProjectParts;
  readonly #loading: ProjectLoading;
  readonly #watches = new Set<ChangeWatch>();
  readonly #expected = new ExpectedSources();
  #project: ResolvedProject;
  /** Have the steps been looked at, whatever an earlier run left? */
  #hasStepped = false;
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(parts: ProjectParts) {
    this.#parts = parts;
    this.#project = parts.project;
    this.#expected.follow(parts.project);
    this.#loading = new ProjectLoading(parts.compiler, parts.project.root);
  }

  /** The project's name. */
  get name(): string {
    return this.#project.name;
  }

  /** Absolute path of the directory that relative paths are shown against. */
  get root(): string {
    return this.#project.root;
  }

  /**
   * The listed sources: in the order written, but what one needs comes before it. As of when the manifest was last read: by
   * `openProject()`, then by each `load()`. What they import, and isn't listed, isn't among them.
   */
  get sources(): readonly ListedSource[] {
    return listedSources(this.#project);
  }

  /**
   * Loads every listed source and what it imports into this process, in load order: the first time all, then only what is missing or
   * has changed, and what depends on it (by an import or `needs`). Reads the manifest again before that, and runs its steps (`run`)
   * that are due. Content decides, and bare
   * touches count as changes; which of two times is later is never asked. A source with `reload: false` stays as it was loaded first,
   * whatever its content is by now, until `force` asks for all.
   *
   * A source that is loaded again is another instance of its module. Whoever holds the old one's exports goes on with them: get
   * them from {@link Project.exportsOf}. Sources that aren't code aren't evaluated; their changes reload what needs them. Packages
   * and mixins stay as they are.
   *
   * If it fails, nothing is recorded, and the next call loads what this one didn't. Calls wait for each other.
   *
   * @returns what was loaded since the last call that succeeded, and why, in load order; empty when nothing has changed
   * @throws PreforkError ERR_PREFORK_COMPILE - a step failed, code can't be compiled, an import can't be resolved, a source isn't there; nothing was evaluated
   * @throws PreforkError ERR_PREFORK_LOAD - a source threw; those before it are loaded, and won't be a second time
   * @throws PreforkError ERR_PREFORK_NOT_RUNNING - the project is closed
   * @throws PreforkError `ERR_PREFORK_MANIFEST` and what else `loadProject` throws - the manifest is wrong by now
   */
  async load({ force = false, verbose = false }: LoadOptions = {}): Promise<
    LoadedSource[]
  > {
    return await this.#inTurn(async () => {
      try {
        await this.#redefine();
        await this.#runSteps(force);
        const onLoad = this.#speaker(verbose);
        return await this.#loading.load(this.#project, force, onLoad);
      } finally {
        for (const watch of this.#watches) watch.update(this.#places());
      }
    });
  }

  /**
   * What a source exports, as `import()` gives it, as of the last {@link Project.load} that didn't fail.
   *
   * @param file - of a source that is listed, or imported by one; relative to the current directory, else to the project's root
   * @throws PreforkError ERR_PREFORK_OPTION - there is no such source, it isn't code, or nothing is loaded yet
   */
  exportsOf(file: string): SourceExports {
    const { record } = this.#loading;
    const call = `exportsOf(${JSON.stringify(file)})`;
    if (record === undefined) {
      throw optionError(
        `${call} was called before the project was loaded. Await load() first.`,
      );
    }
    const bases = [this.#parts.cwd, this.root];
    const paths = bases.map((base) => realPath(path.resolve(base, file)));
    const found = paths.find((each) => record.has(each));
    if (found === undefined) {
      const names = Array.from(record.keys(), (each) => shown(this.root, each));
      throw optionError(
        `${call}: that is no source of the project.${didYouMean(nearest(file, names))} Give it the path of a source.`,
      );
    }
    const exports = record.get(found)?.exports;
    if (exports !== undefined) return exports;
    throw optionError(
      `${call}: that is not loaded by load(), because it isn't code, or isn't listed and only imported when it's needed. List code in the manifest to have it loaded.`,
    );
  }

  /**
   * Watches everything that decides what {@link Project.load} loads: from what it read last, or before the first load from
   * now on. Loads nothing.
   *
   * @returns a stream of lists of files, to be closed. It keeps the process alive until then
   * @throws PreforkError ERR_PREFORK_NOT_RUNNING - the project is closed
   */
  watchChanges(options: WatchOptions = {}): ChangeWatch {
    this.#mustBeOpen();
    const watch = new ChangeWatch({
      poll: options.poll,
      places: async () => {
        await this.#inTurn(async () => await this.#loading.look());
        return this.#places();
      },
      ownAmong: (paths) => this.#parts.steps.ownAmong(paths),
      onClosed: (closed) => this.#watches.delete(closed),
    });
    this.#watches.add(watch);
    return watch;
  }

  /** Closes watches and the compiler. What was loaded stays loaded. Idempotent: the same promise. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#parts.steps.close();
    await this.#parts.unguarded();
    await this.#last;
    await Promise.all(Array.from(this.#watches, (watch) => watch.close()));
    await this.#parts.compiler.close();
  }

  async #redefine(): Promise<void> {
    const { resolve, compiler } = this.#parts;
    if (resolve === undefined) return;
    this.#project = await resolve();
    this.#expected.follow(this.#project);
    compiler.setProject(this.#project);
  }

  async #runSteps(isForced: boolean): Promise<void> {
    const { kind, kept, diagnostics } = await this.#parts.steps.run({
      project: () => this.#project,
      paths: new Set(),
      look: isForced || !this.#hasStepped ? "all" : "definitions",
      reread: async () => await this.#redefine(),
    });
    this.#parts.compiler.retime(kept);
    if (kind === "failed") throw compileError(diagnostics, this.root);
    if (kind === "cancelled") this.#mustBeOpen();
    this.#hasStepped = true;
  }

  #places(): ChangePlaces {
    const { compiler, resolve } = this.#parts;
    const places = compiler.watchSet();
    const { definedBy, steps } = this.#project;
    const inputs = steps.flatMap((step) => step.inputs);
    const files = new Set([...places.files, ...definedBy, ...inputs]);
    // What was resolved by the caller stays as it is, whatever appears.
    const expected = resolve && this.#expected.current;
    return { ...places, files, expected };
  }

  #speaker(verbose: LoadOptions["verbose"]): (source: LoadedSource) => void {
    if (typeof verbose === "function") return verbose;
    if (verbose !== true) return () => undefined;
    return ({ path: file, reason, because }) => {
      const names = because.map((each) => shown(this.root, each)).join(", ");
      const why = names === "" ? reason : `${reason} ${names}`;
      process.stderr.write(`load ${shown(this.root, file)} (${why})\n`);
    };
  }

  /** One after the other. */
  async #inTurn<T>(task: () => Promise<T>): Promise<T> {
    this.#mustBeOpen();
    const turn = this.#last.then(task);
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  #mustBeOpen(): void {
    if (this.#closing === undefined) return;
    throw new PreforkError(
      "ERR_PREFORK_NOT_RUNNING",
      `The project ${JSON.stringify(this.name)} is closed. Open it again with openProject().`,
    );
  }
}

function optionError(message: string): PreforkError {
  return new PreforkError("ERR_PREFORK_OPTION", message);
}
