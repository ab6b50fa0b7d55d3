/** The first thing in which what was evaluated ahead differs from what a cold boot does first. */
interface Misfit {
  readonly path: string;
  /** `noticed`: it isn't evaluated yet, is not inert, and comes before something that was evaluated. */
  readonly why: "not evaluated any more" | "order" | "noticed";
}

/**
 * Whether what was evaluated ahead is what a cold boot would have done first.
 *
 * @param evaluated - in the order in which it was
 * @param order - the evaluation order of the graph as it is now
 * @param isInert - whether nobody can notice when a module is evaluated
 * @returns `undefined` when nobody can tell the difference
 */
export function misfit(
  evaluated: readonly string[],
  order: readonly string[],
  isInert: (path: string) => boolean,
): Misfit | undefined {
  const isEvaluated = new Set(evaluated);
  let next = 0;
  let noticed: string | undefined;
  let misplaced: string | undefined;
  for (const path of order) {
    if (next === evaluated.length || misplaced !== undefined) break;
    if (path === evaluated[next]) next++;
    else if (isEvaluated.has(path)) misplaced = path;
    else if (noticed === undefined && !isInert(path)) noticed = path;
  }
  const isComplete = next === evaluated.length;
  if (isComplete && noticed === undefined) return undefined;
  if (!isComplete) {
    const isThere = new Set(order);
    const gone = evaluated.find((path) => !isThere.has(path));
    if (gone !== undefined)
      return { path: gone, why: "not evaluated any more" };
  }
  if (noticed !== undefined) return { path: noticed, why: "noticed" };
  return { path: misplaced ?? "", why: "order" };
}
