/** The plain values of a project that is looked at, not run. Types only. */
import type { Diagnostic } from "../diagnostic.js";
import type { SourceGraph } from "../graph/types.js";

/** Why a change of `to` reloads `from`. */
export interface Edge {
  /** Absolute path of the source that imports or needs. */
  readonly from: string;
  /** Absolute path of the source that is imported or needed. */
  readonly to: string;
  /**
   * `dynamic`: `import()`; `runtime`: a process asked for it, and no import shows it; `needs`: the manifest says so; `step`: a step
   * (`run`) makes `from` of `to`.
   */
  readonly kind:
    "import" | "dynamic" | "require" | "runtime" | "needs" | "step";
  /** Loaded before the code of `from` is: decides the load order. */
  readonly isEager: boolean;
  /** The specifier as written; with `needs` and `step`, the place in the manifest, like `sources[2].needs[0]`. */
  readonly where: string;
}

/** A step (`run`) as it is written. Absolute paths. */
interface OutlinedStep {
  /** Like `sources[2].run`. */
  readonly field: string;
  /** What it reads. */
  readonly inputs: readonly string[];
  /** What it makes; that may not exist. */
  readonly outputs: readonly string[];
}

/** A project as it is written: which sources there are by name. All paths are absolute and real. */
export interface ProjectOutline {
  readonly name: string;
  readonly root: string;
  readonly manifest: string | undefined;
  readonly entry: string;
  /** The sources that the manifest lists, in its order, the entry included. Without a manifest: the entry alone. */
  readonly listed: readonly string[];
  readonly mixins: readonly string[];
  /** Sources whose change reloads nothing (`reload: false`). */
  readonly unreloaded: ReadonlySet<string>;
  readonly steps: readonly OutlinedStep[];
}

/** A project's sources and what leads from one to the other. */
export interface ProjectModel extends ProjectOutline {
  /** What each source imports and needs. The keys are all sources, in load order. */
  readonly edges: ReadonlyMap<string, readonly Edge[]>;
  /** All edges: what a change reloads. */
  readonly graph: SourceGraph;
  /** All but steps: what they read isn't loaded by what they make. */
  readonly loadGraph: SourceGraph;
  /** Those that decide the load order. */
  readonly eagerGraph: SourceGraph;
  /** Why the rest may be incomplete: code that can't be compiled, imports that lead nowhere. */
  readonly problems: readonly Diagnostic[];
}

/** One path or glob of a manifest's list. */
export interface WrittenEntry {
  /** Like `sources[2]`. */
  readonly field: string;
  readonly text: string;
  readonly isGlob: boolean;
  /** A text by itself, no object. */
  readonly isPlain: boolean;
  /** It, or a directory around it, says more than that the files are sources. */
  readonly hasOptions: boolean;
  /** Absolute paths. */
  readonly files: readonly string[];
}

/** What kinds of things can be wrong with a manifest. */
type FindingKind =
  | "missing"
  | "duplicate"
  | "unlisted"
  | "unused"
  | "order"
  | "implied-needs"
  | "broken";

/** One thing that is wrong with a manifest, or with a source that it lists. */
export interface Finding {
  readonly kind: FindingKind;
  /** Where in the manifest, like `sources[2]`; `undefined` when it's about no single place. */
  readonly field?: string;
  /** As written in that place. */
  readonly text?: string;
  /** Path of the source that it is about, relative to the root. */
  readonly source?: string;
  /** What is wrong, values included. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
  /** `check --fix` can do that, if it finds the text in the manifest. */
  readonly isFixable: boolean;
}
