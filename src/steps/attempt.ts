/** Runs one step that is due, and finds out what it has made. It doesn't decide what is next. */
import type { Diagnostic } from "../diagnostic.js";
import type { ResolvedStep } from "../manifest/types.js";
import { stepDiagnostic } from "./failure.js";
import { ABSENT, areSame, hashesOf } from "./files.js";
import type { Hashes } from "./files.js";
import { runStep, shownTask } from "./run-step.js";
import type { StepEnd, StepRunOptions } from "./run-step.js";
import type { StepBook } from "./step-book.js";
import type { StepEvent, StepProject } from "./types.js";

/** How often a step starts over because what it reads changes under its hands. */
const MOST_TRIES = 5;

/** What {@link attemptStep} takes. */
export interface AttemptOptions extends Pick<
  StepRunOptions,
  "signal" | "kill" | "onGroup"
> {
  readonly book: StepBook;
  readonly project: StepProject;
  /** The contents that it finds in what it reads, before it runs. */
  readonly onFound: (found: Hashes) => void;
  readonly onEvent: (event: StepEvent) => void;
}

/** How it ended. */
export type Attempt = {
  /** What it has made, and is different from what was there when it last succeeded. */
  readonly made: ReadonlySet<string>;
  /** What else it makes: that's as it was. */
  readonly kept: readonly string[];
  /** Have files come or gone? */
  readonly hasOthers: boolean;
} & (
  | { readonly kind: "done" | "cancelled" }
  | { readonly kind: "failed"; readonly diagnostic: Diagnostic }
);

/** Where a step stands, and what it runs. */
export function nameOf(
  step: ResolvedStep,
): Pick<StepEvent, "step" | "command"> {
  return { step: step.field, command: shownTask(step) };
}

/** Runs a step. Never rejects. */
export async function attemptStep(
  step: ResolvedStep,
  options: AttemptOptions,
): Promise<Attempt> {
  const { book, project, onEvent } = options;
  const state = book.of(step);
  const name = nameOf(step);
  const startedAt = performance.now();
  const before = (state.before ??= hashesOf(
    book.files.outputsOf(step, project),
  ));
  state.status = "running";
  book.begin(step);
  const changed = state.changedOf(step.sources);
  onEvent({ ...name, kind: "started", changed: changed ?? step.sources });
  const { end, found, isSettled } = await untilSettled(step, options);

  state.made = book.files.outputsOf(step, project);
  const now = hashesOf(new Set([...before.keys(), ...state.made]));
  // Whatever became of it: nobody else has to hear of that.
  book.left.note(now.keys());
  const different = [...now].filter(
    ([file, hash]) => hash !== (before.get(file) ?? ABSENT),
  );
  const made = new Set(different.map(([file]) => file));
  const kept = [...now.keys()].filter((file) => !made.has(file));
  const hasOthers = different.some(
    ([file, hash]) =>
      hash === ABSENT || (before.get(file) ?? ABSENT) === ABSENT,
  );
  const ms = (state.ms = performance.now() - startedAt);

  if (end.kind === "cancelled") {
    state.status = "due";
    onEvent({ ...name, kind: "cancelled", ms });
    return { kind: "cancelled", made, kept, hasOthers };
  }
  const missing = book.files.missingOf(step, project);
  const problem = problemOf(end, missing);
  if (problem !== undefined) {
    const source = changed?.[0];
    const { root } = project;
    const { output } = end;
    const diagnostic = stepDiagnostic(step, root, { problem, output, source });
    state.status = "failed";
    onEvent({ ...name, kind: "failed", message: diagnostic.message, ms });
    return { kind: "failed", diagnostic, made, kept, hasOthers };
  }
  state.status = "done";
  book.settle(step, found, project);
  // It may have written what it reads, a formatter for one, and hasn't changed it: no reason to run again.
  if (isSettled) book.left.note(step.inputs);
  onEvent({ ...name, kind: "done", made: [...made], ms, output: end.output });
  return { kind: "done", made, kept, hasOthers };
}

function problemOf(
  end: Exclude<StepEnd, { kind: "cancelled" }>,
  missing: readonly string[],
): string | undefined {
  if (end.kind === "failed") return end.problem;
  if (missing.length === 0) return undefined;
  return `ended well, but didn't make ${missing.join(", ")}: correct "makes", or what it runs`;
}

/** Runs a step until what it reads is the same before and after: nothing is lost that nobody has heard of yet. */
async function untilSettled(
  step: ResolvedStep,
  { book, project, signal, kill, onGroup, onFound }: AttemptOptions,
): Promise<{ end: StepEnd; found: Hashes; isSettled: boolean }> {
  const { root } = project;
  const state = book.of(step);
  let found: Hashes = book.read(step);
  for (let attempt = 1; ; attempt++) {
    onFound(found);
    const changed = state.changedOf(step.sources);
    const end = await runStep(step, { root, changed, signal, kill, onGroup });
    const now = book.read(step);
    const isSettled = areSame(found, now);
    if (isSettled || end.kind === "cancelled" || attempt === MOST_TRIES)
      return { end, found, isSettled };
    const before = found;
    const isOther = (file: string): boolean =>
      before.get(file) !== now.get(file);
    book.makeDue(step, step.inputs.filter(isOther));
    found = now;
  }
}
