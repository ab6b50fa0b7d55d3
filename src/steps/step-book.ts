/**
 * What is known of the steps while the tool runs, and what is due. It looks at files and at the record of earlier runs, and runs
 * nothing.
 */
import type { ResolvedStep } from "../manifest/types.js";
import { ABSENT, hashesOf, hashOfFile, modifiedAt } from "./files.js";
import type { Hashes } from "./files.js";
import { LeftFiles } from "./left-files.js";
import { StepRecord } from "./record.js";
import { definitionOf, digestOf, StepFiles } from "./step-files.js";
import { StepState } from "./step-state.js";
import type { StepProject, Turn } from "./types.js";

/** What {@link StepBook} is made with. */
export interface StepBookOptions {
  /** Where it's recorded what steps were like when they last succeeded; need not exist. */
  readonly recordFile: string;
  /** Writes a file in one step. */
  readonly write: (file: string, text: string) => void;
  /** The absolute paths of the files that a glob matches. */
  readonly glob: (pattern: string, directory: string) => readonly string[];
}

/** See this file's header. */
export class StepBook {
  readonly files: StepFiles;
  readonly left: LeftFiles = new LeftFiles();
  /** When what steps read had been written (`mtimeMs`), as of when it was looked at last. */
  readonly readAt: Map<string, number> = new Map();
  /** Those of the last look, in the order of the list. */
  steps: readonly ResolvedStep[] = [];
  readonly #record: StepRecord;
  readonly #states = new Map<string, StepState>();

  constructor({ recordFile, write, glob }: StepBookOptions) {
    this.files = new StepFiles(glob);
    this.#record = new StepRecord(recordFile, write);
  }

  /** What is known of a step. */
  of({ key }: Pick<ResolvedStep, "key">): StepState {
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const state = new StepState();
    this.#states.set(key, state);
    return state;
  }

  /** Finds what is due. */
  look(turn: Turn, look: Turn["look"]): void {
    const project = turn.project();
    this.steps = project.steps;
    for (const step of project.steps) {
      const state = this.of(step);
      if (look !== "changes" && this.#isOther(step, project, look))
        state.makeDue(undefined);
      for (const path of turn.paths)
        if (state.made.has(path) && hashOfFile(path) === ABSENT)
          state.makeDue(undefined);
      const changed = step.inputs.filter(
        (input) => turn.paths.has(input) && !this.left.has(input),
      );
      this.makeDue(step, changed);
    }
  }

  /** A step is to run for what it reads and has changed, if there's any. */
  makeDue(step: ResolvedStep, changed: readonly string[]): void {
    if (changed.length === 0) return;
    const sources = new Set(step.sources);
    // With another generator, all that it made may be different.
    const isKnown = changed.every((input) => sources.has(input));
    this.of(step).makeDue(isKnown ? changed : undefined);
  }

  /** The contents of what a step reads. */
  read({ inputs }: Pick<ResolvedStep, "inputs">): Hashes {
    for (const input of inputs) {
      // In this order, a write in between shows as a change later, never as nothing.
      const at = modifiedAt(input);
      if (at !== undefined) this.readAt.set(input, at);
    }
    return hashesOf(inputs);
  }

  /** A step begins to run: if nobody says how it ended, it didn't succeed. */
  begin(step: ResolvedStep): void {
    this.#record.forget(step.key);
  }

  /**
   * A step has succeeded.
   *
   * @param found - the contents that it has read
   */
  settle(step: ResolvedStep, found: Hashes, project: StepProject): void {
    const state = this.of(step);
    state.settle();
    const recorded = {
      definition: definitionOf(step, found, project),
      outputs: digestOf(hashesOf(state.made), project.root),
    };
    const keys = new Set(project.steps.map(({ key }) => key));
    this.#record.keep(step.key, recorded, keys);
  }

  /** Is a step not as it was when it last succeeded? */
  #isOther(
    step: ResolvedStep,
    project: StepProject,
    look: "all" | "definitions",
  ): boolean {
    const state = this.of(step);
    state.made = this.files.outputsOf(step, project);
    const known = this.#record.get(step.key);
    if (known === undefined) return true;
    if (this.files.missingOf(step, project).length > 0) return true;
    const definition = definitionOf(step, this.read(step), project);
    if (known.definition !== definition) return true;
    if (look !== "all") return false;
    return known.outputs !== digestOf(hashesOf(state.made), project.root);
  }
}
