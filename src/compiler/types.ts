/** The plain values that the compiler takes and gives. Types only. */
import type { Diagnostic } from "../diagnostic.js";
import type { SourceGraph } from "../graph/types.js";
import type { ResolvedProject } from "../manifest/types.js";

/** What happened to files since the last build. Absolute paths. */
export interface FileChanges {
  /** Written, touched, created or removed. */
  readonly paths: ReadonlySet<string>;
}

/** One source of a build. */
export interface BuiltSource {
  readonly path: string;
  /** The hash of its content and of the identities of all it depends on. */
  readonly identity: string;
  /** Absolute path of the compiled file; `undefined` for sources that aren't code. */
  readonly output: string | undefined;
  /**
   * What a cold boot evaluates before this source's own code, in order: originals of sources, and files of packages.
   * Built-ins, assets and what doesn't resolve are left out.
   */
  readonly before: readonly string[];
  /**
   * Sources that it may load while it is evaluated or later: CommonJS requires that aren't at the start of the code,
   * and what processes asked for at run time. Not `import()`, which can't complete during an evaluation.
   */
  readonly during: readonly string[];
  /** Why it must not be evaluated before its process belongs to a worker: its code names `PREFORK_WORKER`. */
  readonly isWorkerSpecific: boolean;
}

/** One consistent set of identities: what a generation runs. */
export interface Build {
  /** Absolute path of the entry. */
  readonly entry: string;
  /** All sources that were read, by path, in load order. */
  readonly sources: ReadonlyMap<string, BuiltSource>;
  /** Listed sources that aren't code and that nothing leads to: they weren't read. */
  readonly unread: ReadonlySet<string>;
  /** Absolute path of the entry's compiled file. */
  readonly output: string;
  /** Differs when packages may have been installed or removed; part of the entry's identity. */
  readonly packages: string;
}

/** What one call of `compiler.build` came to. */
export type BuildResult =
  | {
      readonly kind: "built";
      readonly build: Build;
      /** The sources whose identity is new or different, in load order: the closure of the change. */
      readonly closure: readonly string[];
      readonly compileMs: number;
      /** The part of `compileMs` in which the closure's output was written. */
      readonly linkMs: number;
    }
  /** No identity differs from the last good build. */
  | {
      readonly kind: "unchanged";
      readonly build: Build;
      readonly compileMs: number;
    }
  | {
      readonly kind: "failed";
      readonly diagnostics: readonly Diagnostic[];
      readonly compileMs: number;
    };

/** What decides the next build and must therefore be watched. Absolute paths. */
export interface WatchSet {
  /** Files whose every change matters: sources, tsconfig files, package.json files, lock files. May not exist (yet). */
  readonly files: ReadonlySet<string>;
  /** Directories in which a file that appears may change what an import means. */
  readonly directories: ReadonlySet<string>;
  /** Of the sources: when what was read had been written (`mtimeMs`). */
  readonly readAt: ReadonlyMap<string, number>;
}

/** What {@link Compiler} is made with. */
export interface CompilerOptions {
  readonly project: ResolvedProject;
  /**
   * Where records and outputs are kept. Default: `<root>/node_modules/.cache/prefork-dev`,
   * or a folder under the user's cache directory when that can't be written.
   */
  readonly cacheDirectory?: string;
  /** Whether listed sources are read that aren't code and that nothing leads to. Default: `false`. */
  readonly readsAll?: boolean;
  /** Called when a process asked for sources that no import showed: the watch set has grown. */
  readonly onDiscovered?: () => void;
}

/** What a process asks for when it meets a specifier that could not be read from the code. */
export interface RuntimeRequest {
  /** Absolute original path of the module that asks. */
  readonly from: string;
  readonly specifier: string;
  readonly kind: "import" | "require";
}

/** The answer to a {@link RuntimeRequest}. */
export type RuntimeAnswer =
  /** A source of the project: load the compiled file `path`; `source` is the original's path. */
  | { readonly kind: "output"; readonly path: string; readonly source: string }
  /** A package, a built-in or nothing that exists: Node's own resolution, from the original file, decides. */
  | { readonly kind: "node" }
  | { readonly kind: "failed"; readonly diagnostics: readonly Diagnostic[] };

/** Turns sources into builds, see `createCompiler`. */
export interface Compiler {
  /**
   * Compiles what changed and everything that depends on it. Never rejects for faults in the user's code.
   *
   * @param changes - without it everything is looked at: start, reload, project redefined
   * @param kept - sources that are not to be looked at when everything is: they stay as they were read, if they were
   */
  build(
    changes?: FileChanges,
    kept?: ReadonlySet<string>,
  ): Promise<BuildResult>;
  /** The first event of a save: starts reading and compiling that file. Never throws. */
  prepare(path: string): void;
  /** The manifest was loaded again; takes effect with the next `build()`. */
  setProject(project: ResolvedProject): void;
  /** What must be watched as of the last `build()`, also of a failed one. As long as it's the same, its sets are the same objects. */
  watchSet(): WatchSet;
  /** Answers a process of `build`; what is new is compiled, and the edge remembered. */
  resolveAtRuntime(
    build: Build,
    request: RuntimeRequest,
  ): Promise<RuntimeAnswer>;
  /**
   * As `resolveAtRuntime`, at once: for whoever runs a build in this very process, where `require` can't wait. A source that
   * the build doesn't hold isn't compiled: `failed` says that it must be listed.
   */
  resolveAtOnce(build: Build, request: RuntimeRequest): RuntimeAnswer;
  /**
   * Counts sources as touched: the next build gives them, and all that depends on them, identities that no build of this
   * process had before. For whoever must evaluate again what Node has evaluated already, and would never load a second time.
   */
  renew(paths: Iterable<string>): void;
  /**
   * Takes note that these files were written again, and aren't touched by that: whoever wrote them had to, and made no
   * difference. If their content is another after all, the next build that looks at them sees it.
   */
  retime(paths: Iterable<string>): void;
  /**
   * The sources of the last good build, and those that its processes asked for since. The same object as long as they are the
   * same; empty before the first.
   */
  loadedSources(): ReadonlySet<string>;
  /** The graph that a build was made from, with what was discovered since. */
  graphOf(build: Build): SourceGraph;
  /** The closure of a change of these sources in a build: them and all that depends on them. */
  closureOf(build: Build, paths: Iterable<string>): ReadonlySet<string>;
  /** Of these sources of a build, those whose evaluation nobody can notice (see `inert.ts`). Reads a record only when its answer isn't known yet. */
  inertSources(
    build: Build,
    paths: Iterable<string>,
  ): Promise<ReadonlySet<string>>;
  /**
   * The sources most likely to change next, most likely first: those saved most recently, also in earlier runs; before
   * anything was saved, those that were written long after most others. Sources of the last good build only.
   */
  likelyToChange(): readonly string[];
  /** Deletes outputs and records that neither `keep` nor the newest build holds; does nothing while another tool uses the cache. */
  prune(keep: readonly Build[]): Promise<void>;
  /** Absolute path of its cache directory, for what others keep between runs. */
  readonly directory: string;
  /** Absolute path of a directory for V8's code cache; it may not exist yet, and may be deleted at any time. */
  readonly codeCache: string;
  /** Ends what the compiler started and leaves the cache. The outputs stay. */
  close(): Promise<void>;
}
