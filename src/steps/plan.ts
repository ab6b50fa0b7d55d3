/** Which steps are due, and which comes next. Pure. */

/** A step, as far as the plan is concerned. */
export interface PlannedStep {
  readonly key: string;
  readonly inputs: readonly string[];
}

/**
 * The step to run next.
 *
 * In the order of the list, but one whose input another makes comes after that one, if that one is to run as well.
 *
 * @param steps - in the order of the list; in no circle
 * @param outputsOf - what a step makes
 * @param isDue - whether it's to run, and hasn't in this turn
 * @returns `undefined` when none is due
 */
export function nextStep<Step extends PlannedStep>(
  steps: readonly Step[],
  outputsOf: (step: Step) => Iterable<string>,
  isDue: (step: Step) => boolean,
): Step | undefined {
  const due = steps.filter(isDue);
  if (due.length < 2) return due[0];
  const makers = new Map<string, Step>();
  for (const step of steps)
    for (const output of outputsOf(step)) makers.set(output, step);
  /** Does the step wait for one that is due, directly or through one that isn't? */
  const waits = (step: Step, met: Set<Step>): boolean =>
    step.inputs.some((input) => {
      const maker = makers.get(input);
      if (maker === undefined || met.has(maker)) return false;
      met.add(maker);
      return isDue(maker) || waits(maker, met);
    });
  // What is in a circle all the same must not wait for ever.
  return due.find((step) => !waits(step, new Set([step]))) ?? due[0];
}

/** The steps that read one of these files. */
export function readersOf<Step extends PlannedStep>(
  steps: readonly Step[],
  files: ReadonlySet<string>,
): Step[] {
  return steps.filter(({ inputs }) => inputs.some((input) => files.has(input)));
}
