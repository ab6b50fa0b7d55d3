import type { Diagnostic } from "../diagnostic.js";
import { identities, loadOrder } from "../graph/index.js";
import type { IdentifiedGraph, SourceNode } from "../graph/index.js";
import type { ResolvedProject } from "../manifest/types.js";
import type { Configuration } from "./configuration.js";
import { limitDiagnostics } from "./diagnostics.js";
import { builtSource, writeOutputs } from "./emit.js";
import { GoodBuild } from "./good-build.js";
import type { OutputStore } from "./output-store.js";
import { problemsOf, rootProblems } from "./problems.js";
import { projectSources } from "./project-sources.js";
import type { ProjectSources } from "./project-sources.js";
import type { RecordStore } from "./record-store.js";
import { ChangedMeanwhile } from "./source-file.js";
import type { SourceFile } from "./source-file.js";
import type { SourceReader } from "./source-reader.js";
import { listed } from "./source-tree.js";
import type { SourceTree } from "./source-tree.js";
import type { Build, BuildResult, BuiltSource, FileChanges } from "./types.js";

/** How often a build starts over because files change under its hands. */
const MAX_ATTEMPTS = 5;

/** The parts that building and answering processes share. */
export interface Parts {
  readonly root: string;
  readonly configuration: Configuration;
  readonly reader: SourceReader;
  readonly tree: SourceTree;
  readonly records: RecordStore;
  readonly outputs: OutputStore;
}

/** Makes builds, one after the other. */
export class Builder {
  /** The last build that was good. */
  last: GoodBuild | undefined;
  readonly #parts: Parts;
  #project: ResolvedProject;
  #sources: ProjectSources;
  #isRedefined = true;
  #good = new WeakMap<Build, GoodBuild>();

  constructor(parts: Parts, project: ResolvedProject) {
    this.#parts = parts;
    this.#project = project;
    this.#sources = projectSources(project);
  }

  /** Entry and listed sources. */
  get roots(): readonly string[] {
    return [this.#sources.entry, ...this.#sources.listed];
  }

  /** What is known of a build that this builder made. */
  good(build: Build): GoodBuild | undefined {
    return this.#good.get(build);
  }

  /** The project of the next build. */
  redefine(project: ResolvedProject): void {
    this.#project = project;
    this.#isRedefined = true;
  }

  /** Makes a build of what is there now. */
  async build(changes: FileChanges | undefined): Promise<BuildResult> {
    const startedAt = performance.now();
    const { tree, outputs } = this.#parts;
    if (this.#isRedefined) {
      this.#isRedefined = false;
      // Read again: the sources may be reached by other symbolic links now.
      this.#sources = projectSources(this.#project);
      tree.needs = this.#sources.needs;
      tree.resolveAgain();
    }
    if (changes === undefined) tree.invalidateAll();
    const isAll =
      changes === undefined || (await tree.invalidate(changes.paths));
    // Whoever installs packages may have emptied node_modules, and the cache in it.
    if (isAll) outputs.lookAgain();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(startedAt, isAll);
      } catch (error) {
        if (!(error instanceof ChangedMeanwhile)) throw error;
        if (attempt === MAX_ATTEMPTS) {
          const { message, path } = error;
          return failed([{ message, file: path }], startedAt);
        }
        await tree.invalidate([error.path]);
      }
    }
  }

  async #attempt(startedAt: number, isAll: boolean): Promise<BuildResult> {
    const { root, configuration, reader, tree, records } = this.#parts;
    const { entry, listed: listedPaths } = this.#sources;
    const reached = new Map<string, SourceFile>();
    // The entry first: what it imports is code, also where a name listed says nothing.
    const missing = await tree.crawl(
      [{ path: entry, isImported: true }],
      reached,
    );
    missing.push(...(await tree.crawl(listedPaths.map(listed), reached)));
    const problems = rootProblems(
      root,
      entry,
      [...new Set(missing)],
      this.#project.manifest,
    );
    problems.push(
      ...(await problemsOf(
        root,
        reached.values(),
        configuration,
        reader,
        records,
      )),
    );
    if (problems.length > 0) return failed(problems, startedAt);
    tree.retain(reached);

    const graph = this.#graph(reached);
    const found = identities(graph, this.last?.known);
    if (this.last?.isSameAs(entry, found)) {
      const { build } = this.last;
      const compileMs = performance.now() - startedAt;
      return { kind: "unchanged", build, compileMs };
    }
    const build = await this.#emit(graph, found, reached, isAll);
    const before = this.last?.build.sources;
    const closure = [...build.sources.values()]
      .filter(({ path, identity }) => before?.get(path)?.identity !== identity)
      .map(({ path }) => path);
    this.#keep(build, { graph, identities: found }, reached);
    const compileMs = performance.now() - startedAt;
    return { kind: "built", build, closure, compileMs };
  }

  #graph(reached: ReadonlyMap<string, SourceFile>): Map<string, SourceNode> {
    const graph = new Map<string, SourceNode>();
    for (const [path, { node }] of reached) graph.set(path, node);
    const entry = graph.get(this.#sources.entry);
    if (entry !== undefined) {
      // Installed packages are nobody's source, but a process that runs the old ones must be replaced.
      const part = entry.part + this.#parts.configuration.packages.salt();
      graph.set(entry.path, { ...entry, part });
    }
    return graph;
  }

  async #emit(
    graph: ReadonlyMap<string, SourceNode>,
    found: ReadonlyMap<string, string>,
    reached: ReadonlyMap<string, SourceFile>,
    isAll: boolean,
  ): Promise<Build> {
    const { reader, records, outputs } = this.#parts;
    const sources = new Map<string, BuiltSource>();
    const isNew: SourceFile[] = [];
    for (const path of loadOrder(graph, this.roots)) {
      const file = reached.get(path);
      if (file === undefined) continue;
      const identity = found.get(path) ?? "";
      const before = this.last?.build.sources.get(path);
      const isSame = before?.identity === identity;
      sources.set(path, isSame ? before : builtSource(file, identity, outputs));
      if (!isSame) isNew.push(file);
    }
    await writeOutputs(
      isAll ? reached.values() : isNew,
      (path) => sources.get(path),
      reader,
      records,
      outputs,
    );
    const { entry } = this.#sources;
    return { entry, sources, output: sources.get(entry)?.output ?? "" };
  }

  #keep(
    build: Build,
    graph: IdentifiedGraph,
    reached: ReadonlyMap<string, SourceFile>,
  ): void {
    const keys = new Set<string>();
    for (const { key } of reached.values()) keys.add(key);
    this.last = new GoodBuild(build, graph, keys);
    this.#good.set(build, this.last);
    this.#parts.records.retain(keys);
  }
}

function failed(
  problems: readonly Diagnostic[],
  startedAt: number,
): BuildResult {
  return {
    kind: "failed",
    diagnostics: limitDiagnostics(problems),
    compileMs: performance.now() - startedAt,
  };
}
