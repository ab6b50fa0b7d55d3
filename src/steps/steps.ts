/**
 * The steps of a project (`run` of a source): runs those that are due, and tells their work from other changes.
 *
 * It's told what has changed, and tells which files are different afterwards. It doesn't watch, doesn't build, and doesn't read
 * the manifest; the composition root calls it. What is due is found in `step-book.ts`, which is next in `plan.ts`; one is run by
 * `attempt.ts`, and what is known between runs of the tool is in `record.ts`.
 */
import type { Diagnostic } from "../diagnostic.js";
import type { ResolvedStep } from "../manifest/types.js";
import { attemptStep, nameOf } from "./attempt.js";
import type { Attempt } from "./attempt.js";
import { hashOfFile } from "./files.js";
import { nextStep, readersOf } from "./plan.js";
import type { StepRunOptions } from "./run-step.js";
import { StepBook } from "./step-book.js";
import type { StepBookOptions } from "./step-book.js";
import type { StepEvent, StepStatus, Turn, TurnResult } from "./types.js";

/** A step that comes before another which makes something that it turns out to read runs twice. */
const MOST_RUNS = 2;

/** What {@link Steps} is made with. */
export interface StepsOptions extends StepBookOptions {
  /** A process group is there until then: somebody may have to end it. */
  readonly onGroup: StepRunOptions["onGroup"];
  readonly onEvent: (event: StepEvent) => void;
}

/** A turn under way. */
interface Underway {
  readonly cancel: AbortController;
  /** What the steps that have begun found in what they read. */
  readonly found: Map<string, string>;
  /** What may be different now. */
  readonly changed: Set<string>;
  /** What was made, and is as it was. */
  readonly kept: Set<string>;
  /** The step that runs. */
  running: ResolvedStep | undefined;
  readonly ended: Promise<void>;
}

/** See this file's header. */
export class Steps {
  readonly #options: StepsOptions;
  readonly #book: StepBook;
  readonly #kill = new AbortController();
  #turn: Underway | undefined;
  #isClosed = false;

  constructor(options: StepsOptions) {
    this.#options = options;
    this.#book = new StepBook(options);
  }

  /**
   * Runs the steps that are due, one after the other, up to the first that fails. One turn at a time. Rejects only with what
   * `reread` does.
   */
  async run(turn: Turn): Promise<TurnResult> {
    let end: () => void = () => undefined;
    const underway: Underway = {
      cancel: new AbortController(),
      found: new Map(),
      changed: new Set(),
      kept: new Set(),
      running: undefined,
      ended: new Promise((resolve) => (end = resolve)),
    };
    this.#turn = underway;
    if (this.#isClosed) underway.cancel.abort();
    try {
      return await this.#take(turn, underway);
    } finally {
      this.#turn = undefined;
      end();
    }
  }

  /** A newer change: cancels the turn under way if it's of something that its steps have read, and is different. */
  supersede(paths: Iterable<string>): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    for (const path of paths) {
      const found = turn.found.get(path);
      if (found !== undefined && found !== hashOfFile(path))
        turn.cancel.abort();
    }
  }

  /** Cancels the turn under way. */
  cancel(): void {
    this.#turn?.cancel.abort();
  }

  /** Whether the change of a file may well be the work of a step: nobody needs to be alarmed before that is known. */
  mayOwn(path: string): boolean {
    const step = this.#turn?.running;
    if (step !== undefined && step.outputGlobs.length > 0) return true;
    return step?.outputs.includes(path) === true || this.#book.left.has(path);
  }

  /** Which of these changes are the work of a step: of the one that runs, or as one left them. */
  ownAmong(paths: Iterable<string>): Set<string> {
    const step = this.#turn?.running;
    const { left } = this.#book;
    const made = new Set(step && this.#book.of(step).before?.keys());
    for (const { pattern, directory } of step?.outputGlobs ?? [])
      for (const file of this.#options.glob(pattern, directory)) made.add(file);
    for (const input of step?.inputs ?? []) made.delete(input);
    return new Set(
      [...paths].filter((path) => made.has(path) || left.has(path)),
    );
  }

  /** When what steps read had been written (`mtimeMs`) at the time: a change since then makes them due. */
  get readAt(): ReadonlyMap<string, number> {
    return this.#book.readAt;
  }

  /** The steps as of the last turn, in the order of the list. */
  status(): StepStatus[] {
    return this.#book.steps.map((step) => {
      const { status: state, ms } = this.#book.of(step);
      const { sources, outputs: makes } = step;
      return { ...nameOf(step), sources, makes, state, ms };
    });
  }

  /** Ends what runs, and runs nothing any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.cancel();
    await this.#turn?.ended;
  }

  /** The same at once. */
  async kill(): Promise<void> {
    this.#kill.abort();
    await this.close();
  }

  async #take(turn: Turn, underway: Underway): Promise<TurnResult> {
    const book = this.#book;
    const { cancel, changed, kept } = underway;
    const runs = new Map<string, number>();
    const result = (
      kind: TurnResult["kind"],
      ...diagnostics: Diagnostic[]
    ): TurnResult => {
      const hasRun = runs.size > 0;
      return { kind, hasRun, changed, kept, diagnostics };
    };
    const isDue = (step: ResolvedStep): boolean =>
      book.of(step).isDue &&
      // All that it's for is still to be made.
      step.sources.length > 0 &&
      (runs.get(step.key) ?? 0) < MOST_RUNS;

    book.look(turn, turn.look);
    for (;;) {
      const { steps } = turn.project();
      const outputsOf = (step: ResolvedStep): string[] => [
        ...step.outputs,
        ...book.of(step).made,
      ];
      const step = nextStep(steps, outputsOf, isDue);
      if (step === undefined) return result("done");
      if (cancel.signal.aborted) return result("cancelled");
      runs.set(step.key, (runs.get(step.key) ?? 0) + 1);
      const ended = await this.#attempt(step, turn, underway);
      for (const file of ended.made) changed.add(file);
      for (const file of ended.kept) kept.add(file);
      if (ended.kind === "failed") return result("failed", ended.diagnostic);
      if (ended.kind === "cancelled") return result("cancelled");
      // Whoever builds may not have heard of their last change, which this step has seen.
      for (const source of step.sources) changed.add(source);
      for (const reader of readersOf(steps, ended.made))
        book.makeDue(
          reader,
          reader.inputs.filter((input) => ended.made.has(input)),
        );
      if (!ended.hasOthers) continue;
      await turn.reread();
      book.look(turn, "definitions");
    }
  }

  async #attempt(
    step: ResolvedStep,
    turn: Turn,
    underway: Underway,
  ): Promise<Attempt> {
    const { onGroup, onEvent } = this.#options;
    underway.running = step;
    try {
      return await attemptStep(step, {
        ...{ book: this.#book, project: turn.project(), onGroup, onEvent },
        signal: underway.cancel.signal,
        kill: this.#kill.signal,
        onFound: (found) => {
          for (const [file, hash] of found) underway.found.set(file, hash);
        },
      });
    } finally {
      underway.running = undefined;
    }
  }
}
