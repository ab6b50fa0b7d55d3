/** "A refresh after a save never shows old code", read from answers. Pure. */
import type { Answer } from "./load.js";

/** An answer of an older generation than one that had been seen when it was asked for. */
export interface StaleAnswer {
  readonly answer: Answer;
  /** The newest generation whose answer had arrived before this request was sent. */
  readonly seen: number;
}

/**
 * The stale answers among those given.
 *
 * A request sent before the first new answer arrived may be answered by
 * either generation; one sent after it may not.
 *
 * @param answers - in any order; those without a generation don't count
 */
export function staleAnswers(answers: readonly Answer[]): StaleAnswer[] {
  const known = answers.flatMap((answer) =>
    answer.generation === undefined
      ? []
      : [{ answer, generation: answer.generation }],
  );
  const byArrival = known.toSorted(
    (a, b) => a.answer.receivedAt - b.answer.receivedAt,
  );
  const bySending = known.toSorted((a, b) => a.answer.sentAt - b.answer.sentAt);
  const stale: StaleAnswer[] = [];
  let seen = -Infinity;
  let arrived = 0;
  for (const { answer, generation } of bySending) {
    for (
      let next = byArrival[arrived];
      next !== undefined && next.answer.receivedAt < answer.sentAt;
      next = byArrival[++arrived]
    ) {
      seen = Math.max(seen, next.generation);
    }
    if (generation < seen) stale.push({ answer, seen });
  }
  return stale;
}
