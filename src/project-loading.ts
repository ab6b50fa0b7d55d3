/**
 * One load of a project: builds it, plans what is to be loaded, has it evaluated, and records that if nothing failed. Part of the
 * composition root, used by `loaded-project.ts`, which sees to it that there is one at a time.
 */
import { existsSync } from "node:fs";
import { realPathOfMany } from "./compiler/project-sources.js";
import type {
  Build,
  BuildResult,
  Compiler,
  FileChanges,
} from "./compiler/types.js";
import { compileError } from "./loader/load-error.js";
import { Loader } from "./loader/loader.js";
import type { EvaluateFile } from "./loader/loader.js";
import { planLoad } from "./loader/plan.js";
import type { LoadGroup } from "./loader/plan.js";
import { answerFor } from "./loader/run-time.js";
import type {
  LoadedSource,
  RecordedSource,
  SourceExports,
} from "./loader/types.js";
import type { ResolvedProject } from "./manifest/types.js";
import { resolveAnswer } from "./resolve-answer.js";

/** As of the last load that didn't fail. */
interface Recorded extends RecordedSource {
  readonly exports: SourceExports | undefined;
}

/** A source that was planned, with its node's part. */
interface Planned {
  readonly source: LoadedSource;
  readonly part: string;
}

/** See this file's header. */
export class ProjectLoading {
  readonly #compiler: Compiler;
  readonly #root: string;
  readonly #loader: Loader;
  /** What the last load was to load, if it failed: the reasons still hold for what is as it was then. */
  #unrecorded: ReadonlyMap<string, Planned> = new Map();
  #record: ReadonlyMap<string, Recorded> | undefined;
  #hasBuilt = false;

  /**
   * @param root - what paths in messages are relative to
   * @param evaluateFile - for tests
   */
  constructor(compiler: Compiler, root: string, evaluateFile?: EvaluateFile) {
    this.#compiler = compiler;
    this.#root = root;
    this.#loader = new Loader(root, evaluateFile);
  }

  /** The sources as they were last loaded; `undefined` before that. */
  get record(): ReadonlyMap<string, Recorded> | undefined {
    return this.#record;
  }

  /** Looks at the sources, if that was never done: the compiler knows then what is to be watched. */
  async look(): Promise<void> {
    if (!this.#hasBuilt) await this.#build(undefined);
  }

  /**
   * Loads what isn't loaded as it is now.
   *
   * @param onLoad - called before each
   * @returns what was loaded since the last one that succeeded
   * @throws PreforkError `ERR_PREFORK_COMPILE`, `ERR_PREFORK_LOAD`; nothing is recorded then
   */
  async load(
    project: ResolvedProject,
    isForced: boolean,
    onLoad: (source: LoadedSource) => void,
  ): Promise<LoadedSource[]> {
    const { build, plan } = await this.#plan(project, isForced);
    answerFor(build.sources.keys(), (request) =>
      resolveAnswer(this.#compiler.resolveAtOnce(build, request)),
    );
    await this.#loader.load(plan, build.sources, onLoad);
    this.#keep(build);
    return plan.flat();
  }

  /** Builds and plans, until Node would evaluate all that is to be evaluated. */
  async #plan(
    project: ResolvedProject,
    isForced: boolean,
  ): Promise<{ build: Build; plan: LoadGroup[] }> {
    const listed = listedPaths(project);
    const reasons = new Map<string, LoadedSource>();
    const kept = isForced ? undefined : this.#kept(project);
    let build = await this.#goodBuild(undefined, kept);
    for (;;) {
      const graph = this.#compiler.graphOf(build);
      const partOf = (path: string): string => graph.get(path)?.part ?? "";
      const groups = planLoad({
        ...{ graph, listed, isForced },
        sources: build.sources,
        recorded: this.#record,
        held: this.#loader.identities,
      });
      for (const source of groups.flat()) {
        const { path } = source;
        // The first one: renewing a source looks like a change.
        if (reasons.has(path)) continue;
        const before = this.#unrecorded.get(path);
        const isSame = before?.part === partOf(path);
        reasons.set(path, isSame ? before.source : source);
      }
      const plan = groups.map((group) =>
        group.map((source) => reasons.get(source.path) ?? source),
      );
      const spent = this.#loader.spent(build.sources, isForced);
      if (spent.length === 0) {
        this.#unrecorded = new Map(
          plan
            .flat()
            .map((source) => [
              source.path,
              { source, part: partOf(source.path) },
            ]),
        );
        return { build, plan };
      }
      this.#compiler.renew(spent);
      build = await this.#goodBuild({ paths: new Set() });
    }
  }

  /**
   * The sources whose change loads nothing (`reload: false`), once they are loaded. One that isn't there isn't among them: whoever
   * imports it is to be told that, and gets the new one when it's back.
   */
  #kept({ sources }: ResolvedProject): Set<string> {
    const unreloaded = sources.filter(({ reload }) => !reload);
    const real = realPathOfMany();
    const paths = unreloaded.map(({ path }) => real(path));
    const isLoaded = (path: string): boolean =>
      this.#record?.has(path) === true;
    return new Set(paths.filter((path) => isLoaded(path) && existsSync(path)));
  }

  #keep(build: Build): void {
    const graph = this.#compiler.graphOf(build);
    const record = new Map<string, Recorded>();
    for (const { path, identity } of build.sources.values()) {
      const part = graph.get(path)?.part ?? "";
      const { isLoaded, exports } = this.#loader.stateOf(path);
      record.set(path, { identity, part, isLoaded, exports });
    }
    this.#record = record;
    this.#unrecorded = new Map();
  }

  async #goodBuild(
    changes: FileChanges | undefined,
    kept?: ReadonlySet<string>,
  ): Promise<Build> {
    const result = await this.#build(changes, kept);
    if (result.kind !== "failed") return result.build;
    throw compileError(result.diagnostics, this.#root);
  }

  async #build(
    changes: FileChanges | undefined,
    kept?: ReadonlySet<string>,
  ): Promise<BuildResult> {
    const result = await this.#compiler.build(changes, kept);
    this.#hasBuilt = true;
    return result;
  }
}

/** The listed sources in their order, the entry among them, by the paths that the compiler knows them by. */
function listedPaths({ sources, entry }: ResolvedProject): string[] {
  const real = realPathOfMany();
  const paths = sources.map((source) => real(source.path));
  return [...new Set([...paths, real(entry)])];
}
