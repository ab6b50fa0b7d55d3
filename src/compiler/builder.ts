import type { Diagnostic } from "../diagnostic.js";
import {
  changedIdentities,
  GraphStructure,
  identities,
  loadOrder,
} from "../graph/index.js";
import type { IdentifiedGraph, SourceNode } from "../graph/index.js";
import type { ResolvedProject } from "../manifest/types.js";
import { limitDiagnostics } from "./diagnostics.js";
import { builtSource, writeOutputs } from "./emit.js";
import { GoodBuild } from "./good-build.js";
import { overlaid } from "./overlaid.js";
import type { Parts } from "./parts.js";
import { problemsOf, rootProblems } from "./problems.js";
import { projectSources } from "./project-sources.js";
import type { ProjectSources } from "./project-sources.js";
import { ChangedMeanwhile } from "./source-file.js";
import type { SourceFile } from "./source-file.js";
import { listed } from "./connect.js";
import type { Build, BuildResult, BuiltSource, FileChanges } from "./types.js";

/** How often a build starts over because files change under its hands. */
const MAX_ATTEMPTS = 5;

/** Makes builds, one after the other. */
export class Builder {
  /** The last build that was good. */
  last: GoodBuild | undefined;
  readonly #parts: Parts;
  readonly #readsAll: boolean;
  #project: ResolvedProject;
  #sources: ProjectSources | undefined;
  #isRedefined = true;
  #good = new WeakMap<Build, GoodBuild>();

  /** @param readsAll - see `CompilerOptions` */
  constructor(parts: Parts, project: ResolvedProject, readsAll: boolean) {
    this.#parts = parts;
    this.#project = project;
    this.#readsAll = readsAll;
  }

  /** Entry and listed sources; the same list as long as the project is. */
  get roots(): readonly string[] {
    return this.#current.roots;
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

  /**
   * Makes a build of what is there now.
   *
   * @param kept - see `Compiler.build`
   */
  async build(
    changes: FileChanges | undefined,
    kept?: ReadonlySet<string>,
  ): Promise<BuildResult> {
    const startedAt = performance.now();
    const { tree, outputs } = this.#parts;
    if (this.#isRedefined) {
      this.#isRedefined = false;
      // Read again: the sources may be reached by other symbolic links now.
      this.#sources = projectSources(this.#project);
      tree.needs = this.#current.needs;
      tree.resolveAgain();
    }
    if (changes === undefined) tree.invalidateAll(kept);
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
          const compileMs = performance.now() - startedAt;
          return { ...failed([{ message, file: path }]), compileMs };
        }
        await tree.invalidate([error.path]);
      }
    }
  }

  async #attempt(startedAt: number, isAll: boolean): Promise<BuildResult> {
    const changed = isAll ? undefined : await this.#parts.tree.refresh();
    const result =
      changed !== undefined && this.last?.isAsBuilt === true
        ? await this.#buildChanged(this.last, changed)
        : await this.#buildAll(isAll);
    return { ...result, compileMs: performance.now() - startedAt };
  }

  /** Goes through everything: sources may have come or gone. */
  async #buildAll(isAll: boolean): Promise<Result> {
    const { root, tree } = this.#parts;
    const { entry, mixins, listed: listedPaths } = this.#current;
    const reached = new Map<string, SourceFile>();
    // The entry first: what it imports is code, also where a name listed says nothing.
    const missing = await tree.crawl(
      [{ path: entry, isImported: true }],
      reached,
    );
    missing.push(...(await tree.crawl(mixins.map(listed), reached)));
    const others = this.#readsAll
      ? listedPaths
      : await tree.survey(listedPaths, reached);
    missing.push(...(await tree.crawl(others.map(listed), reached)));
    const unread = tree.unread.without(reached);
    const problems = rootProblems(
      root,
      entry,
      [...new Set(missing)],
      this.#project.manifest,
    );
    problems.push(...(await this.#problemsOf(reached.values())));
    if (problems.length > 0) return failed(problems);
    tree.retain(reached);

    const graph = new Map<string, SourceNode>();
    for (const file of reached.values()) graph.set(file.path, this.#node(file));
    const structure = new GraphStructure(graph);
    const found = identities(graph, this.last?.known, structure);
    if (this.last?.isSameAs(entry, found, unread)) {
      tree.settle();
      return { kind: "unchanged", build: this.last.build };
    }
    const result = await this.#emit(
      { graph, identities: found },
      structure,
      { sources: undefined, unread },
      loadOrder(graph, this.roots),
      isAll,
    );
    this.#retain();
    return result;
  }

  /** Goes through the closure of what changed, which left all edges as they were. */
  async #buildChanged(
    last: GoodBuild,
    changed: readonly SourceFile[],
  ): Promise<Result> {
    const problems = await this.#problemsOf(changed);
    if (problems.length > 0) return failed(problems);
    const { known, structure, build } = last;
    const nodes = new Map(changed.map((file) => [file.path, this.#node(file)]));
    const graph = overlaid(known.graph, nodes);
    const paths = changed.map(({ path }) => path);
    const different = changedIdentities(graph, known, structure, paths);
    if (different.size === 0) return { kind: "unchanged", build };
    const result = await this.#emit(
      { graph, identities: overlaid(known.identities, different) },
      structure,
      build,
      last.inOrder(different.keys()),
      false,
    );
    if (this.#parts.records.hasGrown) this.#retain();
    return result;
  }

  async #problemsOf(files: Iterable<SourceFile>): Promise<Diagnostic[]> {
    const { root, configuration, reader, records } = this.#parts;
    return await problemsOf(root, files, configuration, reader, records);
  }

  /** The project's, as of the last build that was begun. */
  get #current(): ProjectSources {
    return (this.#sources ??= projectSources(this.#project));
  }

  #node({ path, node }: SourceFile): SourceNode {
    if (path !== this.#current.entry) return node;
    // Installed packages are nobody's source, but a process that runs the old ones must be replaced.
    const part = node.part + this.#parts.configuration.packages.salt();
    return { ...node, part };
  }

  /**
   * Makes the build, and keeps it as the last.
   *
   * @param former - its sources: those of a build before, if all that aren't looked at are as they were
   * @param paths - those to look at, in load order
   * @param isAll - also outputs of before may have been deleted
   */
  async #emit(
    known: IdentifiedGraph,
    structure: GraphStructure,
    former: Pick<Build, "unread"> & {
      readonly sources: Build["sources"] | undefined;
    },
    paths: Iterable<string>,
    isAll: boolean,
  ): Promise<Result> {
    const { configuration, tree, reader, records, built, outputs } =
      this.#parts;
    const { entry } = this.#current;
    const own = new Map<string, BuiltSource>();
    const isNew: SourceFile[] = [];
    for (const path of paths) {
      const file = tree.files.get(path);
      if (file === undefined) continue;
      const identity = known.identities.get(path) ?? "";
      const before = this.last?.build.sources.get(path);
      const isSame = before?.identity === identity;
      const source = isSame ? before : builtSource(file, identity, outputs);
      own.set(path, source);
      if (isSame) continue;
      built.add(source, file);
      isNew.push(file);
    }
    const { unread } = former;
    const sources =
      former.sources === undefined ? own : overlaid(former.sources, own);
    const writingAt = performance.now();
    await writeOutputs(
      isAll ? tree.files.values() : isNew,
      (path) => sources.get(path),
      reader,
      records,
      outputs,
    );
    const linkMs = performance.now() - writingAt;
    const output = sources.get(entry)?.output ?? "";
    const packages = configuration.packages.salt();
    const build: Build = { entry, sources, unread, output, packages };
    this.last = new GoodBuild(build, known, structure);
    this.#good.set(build, this.last);
    tree.settle();
    const closure = isNew.map(({ path }) => path);
    return { kind: "built", build, closure, linkMs };
  }

  /** Forgets records that the last build doesn't hold. */
  #retain(): void {
    const { tree, records } = this.#parts;
    const keys = new Set<string>();
    for (const { key } of tree.files.values()) keys.add(key);
    records.retain(keys);
  }
}

/** A {@link BuildResult} but for the time. */
type Result = WithoutTime<BuildResult>;
type WithoutTime<R> = R extends BuildResult ? Omit<R, "compileMs"> : never;

function failed(problems: readonly Diagnostic[]): Result {
  return { kind: "failed", diagnostics: limitDiagnostics(problems) };
}
