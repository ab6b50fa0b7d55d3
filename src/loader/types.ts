/** The plain values that loading in one process takes and gives. Types only. */

/**
 * Why a source was loaded. `first`: nothing was loaded before. `missing`: it wasn't, other sources were. `changed`: its content, or
 * what its imports mean. `needs`: something that it imports or needs. `forced`: only because `force` asked for it.
 */
export type LoadReason = "first" | "missing" | "changed" | "needs" | "forced";

/** A source that was loaded. */
export interface LoadedSource {
  /** Absolute path. */
  readonly path: string;
  readonly reason: LoadReason;
  /** With the reason `needs`: absolute paths of what it imports or needs that is different now, in its order. Else empty. */
  readonly because: readonly string[];
}

/** A source of a build, as far as loading goes. */
export interface LoadableSource {
  readonly path: string;
  /** Another one whenever it must be loaded again. */
  readonly identity: string;
  /** Absolute path of the compiled file; `undefined` for sources that aren't code. */
  readonly output: string | undefined;
  /** What is evaluated before its own code. */
  readonly before: readonly string[];
}

/** A source as it was when everything was last loaded without a failure. */
export interface RecordedSource {
  readonly identity: string;
  /** Its node's own part: content, what its imports mean. */
  readonly part: string;
  /** `false`: it's known, but only loaded when somebody asks for it. */
  readonly isLoaded: boolean;
}

/** What a module exports, as `import()` gives it. */
export type SourceExports = Readonly<Record<string, unknown>>;
