/** What steps (`run` of a source) tell, and what is told of them. Types only. */
import type { Diagnostic } from "../diagnostic.js";
import type { ResolvedProject } from "../manifest/types.js";

/** Which step. */
export interface StepName {
  /** Where it stands in the manifest, like `sources[2].run`. */
  readonly step: string;
  /** What runs: the command, or the function's name. */
  readonly command: string;
}

/** What happened to a step. Paths are absolute, times in milliseconds. */
export type StepEvent =
  /** It begins to run, for these of its sources. */
  | (StepName & {
      readonly kind: "started";
      readonly changed: readonly string[];
    })
  | (StepName & {
      readonly kind: "done";
      /** The files that it made, and that are different now. */
      readonly made: readonly string[];
      readonly ms: number;
      /** The last lines that it wrote; empty for a function. */
      readonly output: string;
    })
  /** Also told as the failure of the reload. */
  | (StepName & {
      readonly kind: "failed";
      readonly message: string;
      readonly ms: number;
    })
  /** Ended, because its result wasn't wanted any more. */
  | (StepName & { readonly kind: "cancelled"; readonly ms: number });

/** A step at a moment. */
export interface StepStatus extends StepName {
  /** What it reads; absolute paths. */
  readonly sources: readonly string[];
  /** What it makes, as far as it's known by path; absolute. */
  readonly makes: readonly string[];
  /** `due`: it's to run with the next reload. */
  readonly state: "done" | "due" | "running" | "failed";
  /** How long it took when it last ended, in milliseconds; `undefined`: it didn't have to run yet. */
  readonly ms: number | undefined;
}

/** What steps need to know of the project. */
export type StepProject = Pick<
  ResolvedProject,
  "root" | "manifest" | "steps" | "definedBy"
>;

/** An occasion to run what is due. */
export interface Turn {
  /** The project as it is now. */
  readonly project: () => StepProject;
  /** What has changed: absolute paths. */
  readonly paths: ReadonlySet<string>;
  /**
   * What makes a step due, beside a change of what it reads: `all`, that anything isn't as when it last succeeded (in an earlier
   * run, too); `definitions`, the same but for what it has made, which somebody may have edited; `changes`, nothing.
   */
  readonly look: "all" | "definitions" | "changes";
  /** What steps make came or went: the list must be made again. */
  readonly reread: () => Promise<void>;
}

/** What a turn came to. */
export interface TurnResult {
  /** `cancelled`: something newer is on its way, or it's the end. What is due is so still. */
  readonly kind: "done" | "failed" | "cancelled";
  readonly hasRun: boolean;
  /** Files that may be different now, also if it failed: whoever builds must look at them. */
  readonly changed: ReadonlySet<string>;
  /** Files that steps made, and whose content is what it was: maybe they were written again. */
  readonly kept: ReadonlySet<string>;
  /** Why it failed. */
  readonly diagnostics: readonly Diagnostic[];
}
