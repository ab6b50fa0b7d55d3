/** The plain values that graph code works on. Types only. */

/** One source, as the graph sees it. */
export interface SourceNode {
  /** Absolute path; unique in its graph. */
  readonly path: string;
  /** The node's own hash: content, touches, what its imports of packages resolved to. */
  readonly part: string;
  /** Paths of what it depends on: imports in source order, then `needs`. */
  readonly dependencies: readonly string[];
}

/** Sources by path. A dependency that is not a key is ignored everywhere. */
export type SourceGraph = ReadonlyMap<string, SourceNode>;

/** A module as far as evaluation goes. */
export interface EvaluationNode {
  /** Absolute path; unique in its graph. */
  readonly path: string;
  /** Modules that are evaluated before this one's own code, in that order. */
  readonly before: readonly string[];
  /** Modules that its code may load by itself, while it is evaluated or later. */
  readonly during: readonly string[];
}

/** Modules by path. A path that is not a key is a package's file: a leaf. */
export type EvaluationGraph = ReadonlyMap<string, EvaluationNode>;
