/** The plain values that the compiler takes and gives. Types only. */
import type { Diagnostic } from "../diagnostic.js";

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
}

/** One consistent set of identities: what a generation runs. */
export interface Build {
  /** Absolute path of the entry. */
  readonly entry: string;
  /** All sources by path, in load order. */
  readonly sources: ReadonlyMap<string, BuiltSource>;
  /** Absolute path of the entry's compiled file. */
  readonly output: string;
}

/** What one call of `compiler.build` came to. */
export type BuildResult =
  | {
      readonly kind: "built";
      readonly build: Build;
      /** The sources whose identity is new or different, in load order: the closure of the change. */
      readonly closure: readonly string[];
      readonly compileMs: number;
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
}
