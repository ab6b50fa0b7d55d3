/**
 * What a manifest may say ({@link ProjectConfig}) and what everything else
 * works with ({@link ResolvedProject}). Types only: a leaf.
 */
import type { ServerConfig } from "./server-config.js";

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
  /**
   * `false`: watched, but its change starts no reload, and later reloads go on with what was read first; a reload that is
   * asked for takes it up. With a glob as `file`: all its matches. Default: a change reloads it, and what depends on it.
   */
  readonly reload?: false;
  /**
   * A step that runs before a reload when a source of this entry has changed: code generation. With a glob as `file` it's one
   * step for all its matches. Default: none.
   */
  readonly run?: SourceStep;
}

/** What a step's function is told. All paths are absolute. */
export interface StepContext {
  /** Those of `sources` that changed since the step last succeeded; all of them, where that isn't known. */
  readonly changed: readonly string[];
  /** The sources of the step's entry, in load order. */
  readonly sources: readonly string[];
  /** The directory that the manifest stands in. */
  readonly root: string;
  /** Aborted when nobody wants the result any more: a newer change, the end of the server, or the time is over. */
  readonly signal: AbortSignal;
}

/** What every step says. */
export interface StepOptions {
  /**
   * What else it reads, the program that generates for one: paths or globs, relative to the directory that the entry stands
   * in. Their change makes it due, too, but they aren't sources by that. Default: none.
   */
  readonly reads?: readonly string[];
  /**
   * The files that it makes: paths or globs, relative to the directory that the entry stands in. They are sources, and don't
   * have to exist before the step has run. At least one.
   */
  readonly makes: readonly string[];
  /** The longest that it may take, in milliseconds; then it's ended, and has failed. 0: as long as it takes. Default 60,000. */
  readonly timeoutMs?: number;
}

/** A step that is a command. */
export interface CommandStep extends StepOptions {
  /**
   * A text runs in a shell, a list (program and arguments) without one; both in the manifest's directory, with the
   * `node_modules/.bin` there and above first in `PATH`. `PREFORK_CHANGED` has the changed sources, relative to that
   * directory, one a line; it isn't set where they aren't known or too many.
   */
  readonly command: string | readonly string[];
  readonly fn?: never;
}

/** A step that is a function of the manifest. */
export interface FunctionStep extends StepOptions {
  /** Runs in the server's own process: while it computes, the server waits. Throws, or rejects, when it fails. */
  readonly fn: (context: StepContext) => void | Promise<void>;
  readonly command?: never;
}

/** A step that makes files of an entry's sources. */
export type SourceStep = CommandStep | FunctionStep;

/** A nested directory: its entries' paths are relative to it. */
export interface SourceDirectory {
  /** Its path. */
  readonly directory: string;
  /** What it holds, in load order. */
  readonly sources: readonly SourceEntry[];
  /** What every source in the directory needs, but for those named here. Looked up in the directory itself first. */
  readonly needs?: readonly string[];
  /**
   * `false`: never evaluated before its process belongs to a worker; for code with effects outside of the process while
   * it's loaded. Holds for everything listed in the directory, nested too. Default: standbys may evaluate it ahead.
   */
  readonly standby?: false;
  /**
   * `false`: watched, but a change starts no reload; see {@link SourceFile.reload}. Holds for everything listed in the
   * directory, nested too. Default: a change reloads.
   */
  readonly reload?: false;
}

/** A project as its manifest defines it, see `defineProject`. */
export interface ProjectConfig {
  /**
   * Shown in the terminal, and what `findProject` knows it by. Default: the `name` of `package.json`, else the directory's;
   * where a manifest has several projects, each must have one of its own.
   */
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
  /** Options of the server. A flag of the command, or an option given to `createServer`, wins. Default: none. */
  readonly server?: ServerConfig;
}

/** A listed source, resolved. */
export interface ResolvedSource {
  /** Absolute path. */
  readonly path: string;
  /** Absolute paths of the sources it needs, in the order written. */
  readonly needs: readonly string[];
  /** Whether a standby may evaluate it ahead: `false` once any entry that lists it says so. Default: `true`. */
  readonly standby: boolean;
  /** Whether its change starts a reload: `false` once any entry that lists it says so. Default: `true`. */
  readonly reload: boolean;
}

/** A step (`run` of a source), resolved. All paths are absolute. */
export interface ResolvedStep {
  /** Where it stands in the manifest, like `sources[2].run`. */
  readonly field: string;
  /** Tells it from the others, also in later runs: what it makes, and no two make the same. */
  readonly key: string;
  /** The sources of its entry, in order. */
  readonly sources: readonly string[];
  /** All whose change makes it due: its sources, then what else it reads. */
  readonly inputs: readonly string[];
  /** What it makes, as far as that is written as paths. Need not exist. */
  readonly outputs: readonly string[];
  /** What else it makes. */
  readonly outputGlobs: readonly SourceGlob[];
  readonly task:
    | {
        readonly kind: "command";
        readonly command: string | readonly string[];
      }
    | {
        readonly kind: "function";
        /** Called in the process that runs the step. */
        readonly fn: FunctionStep["fn"];
      };
  /** In milliseconds; 0: no limit. */
  readonly timeoutMs: number;
}

/** A glob of a manifest. */
export interface SourceGlob {
  /** As written. */
  readonly pattern: string;
  /** Absolute path of the directory that it's relative to. */
  readonly directory: string;
}

/** A project, resolved: what the user wrote with every default filled in. */
export interface ResolvedProject {
  readonly name: string;
  /** Absolute path of the directory that relative paths are shown against and that apps run in. */
  readonly root: string;
  /** Absolute path of the manifest, where there is one. */
  readonly manifest: string | undefined;
  /** Whether the manifest is a list of projects, of which this is the one called {@link ResolvedProject.name}. */
  readonly isOneOfList: boolean;
  /** Absolute path of the entry. */
  readonly entry: string;
  /** The listed sources in order, each once. Without a manifest: the entry alone. */
  readonly sources: readonly ResolvedSource[];
  /** Its steps, in the order of the list. Without a manifest: none. */
  readonly steps: readonly ResolvedStep[];
  /** The globs of the list, in the order written, each once: a file that appears, and that one of them matches, is a source. Without a manifest: none. */
  readonly globs: readonly SourceGlob[];
  /** Whether the manifest gives `sources`: what is loaded and isn't listed is told then. */
  readonly listsSources: boolean;
  /** Names of the packages that standbys may evaluate before their turn, in the order written, each once. Without a manifest: none. */
  readonly preload: readonly string[];
  /** Absolute, real paths of the modules of mixins, in the order in which they're applied, each once. Without a manifest: none. */
  readonly mixins: readonly string[];
  /** The server's options that the manifest gives, its paths absolute. Without a manifest: none. */
  readonly server: ServerConfig;
  /** Files whose change means that the project must be loaded again: the manifest and what it imports. */
  readonly definedBy: readonly string[];
}
