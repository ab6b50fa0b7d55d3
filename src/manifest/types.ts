/**
 * What a manifest may say ({@link ProjectConfig}) and what everything else
 * works with ({@link ResolvedProject}). Types only: a leaf.
 */

/**
 * One entry of a manifest's list: a path or glob, or an object.
 * Paths are relative to the directory that the entry stands in.
 */
export type SourceEntry = string | SourceFile | SourceDirectory;

/** A source (or a glob of sources) with what it needs. */
export interface SourceFile {
  /** A path or a glob. */
  readonly file: string;
  /**
   * Sources that this one must be reloaded after: paths or globs, looked up in this entry's directory first, then from
   * the manifest's. With a glob as `file`, those of its sources that are named here don't need each other.
   */
  readonly needs?: readonly string[];
  /**
   * `false`: never evaluated before its process belongs to a worker; for code with effects outside of the process while
   * it's loaded. With a glob as `file`: all its matches. Default: standbys may evaluate it ahead.
   */
  readonly standby?: false;
}

/** A nested directory: its entries' paths are relative to it. */
export interface SourceDirectory {
  readonly directory: string;
  readonly sources: readonly SourceEntry[];
  /** What every source in the directory needs, but for those named here. Looked up in the directory itself first. */
  readonly needs?: readonly string[];
  /**
   * `false`: never evaluated before its process belongs to a worker; for code with effects outside of the process while
   * it's loaded. Holds for everything listed in the directory, nested too. Default: standbys may evaluate it ahead.
   */
  readonly standby?: false;
}

/** A project as its manifest defines it, see `defineProject`. */
export interface ProjectConfig {
  /** Shown in the terminal. Default: the `name` of `package.json`, else the directory's. */
  readonly name?: string;
  /** The program, or the module whose default export is the app; relative to the manifest. */
  readonly entry: string;
  /** The project's sources, in load order. What they import is found by itself. Default: just the entry. */
  readonly sources?: readonly SourceEntry[];
  /** The other way of writing `needs`: when the key changes, these are reloaded too. */
  readonly changes?: Readonly<Record<string, readonly string[]>>;
  /**
   * Names of packages (`express`, `@fastify/cors`) that standbys may evaluate before their turn in load order, because
   * nobody can tell when they're evaluated: they don't depend on environment variables, globals or other packages' state
   * that sources set while they're loaded. Default: none.
   */
  readonly preload?: readonly string[];
  /**
   * Modules of mixins, relative to the manifest: hooks and commands of the workers, applied in order. Sources like the others,
   * but loaded after the program. Default: none.
   */
  readonly mixins?: readonly string[];
}

/** A listed source, resolved. */
export interface ResolvedSource {
  /** Absolute path. */
  readonly path: string;
  /** Absolute paths of the sources it needs, in the order written. */
  readonly needs: readonly string[];
  /** Whether a standby may evaluate it ahead: `false` once any entry that lists it says so. Default: `true`. */
  readonly standby: boolean;
}

/** A project, resolved: what the user wrote with every default filled in. */
export interface ResolvedProject {
  readonly name: string;
  /** Absolute path of the directory that relative paths are shown against and that apps run in. */
  readonly root: string;
  /** Absolute path of the manifest, where there is one. */
  readonly manifest: string | undefined;
  /** Absolute path of the entry. */
  readonly entry: string;
  /** The listed sources in order, each once. Without a manifest: the entry alone. */
  readonly sources: readonly ResolvedSource[];
  /** Names of the packages that standbys may evaluate before their turn, in the order written, each once. Without a manifest: none. */
  readonly preload: readonly string[];
  /** Absolute, real paths of the modules of mixins, in the order in which they're applied, each once. Without a manifest: none. */
  readonly mixins: readonly string[];
  /** Files whose change means that the project must be loaded again: the manifest and what it imports. */
  readonly definedBy: readonly string[];
}
