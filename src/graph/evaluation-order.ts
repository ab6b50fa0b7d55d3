import type { EvaluationGraph } from "./types.js";

interface Frame {
  readonly path: string;
  readonly before: readonly string[];
  next: number;
}

const LEAF: readonly string[] = [];

/**
 * The order in which a cold boot evaluates: depth first, what comes before a module first, the entry last
 * (ECMA-262, InnerModuleEvaluation). In a cycle, the member reached first comes last.
 *
 * Unlike `loadOrder`, it has the files of packages too, and not what a module loads by itself (`during`).
 *
 * @returns the paths that are reached from the entry over `before`, each once
 */
export function evaluationOrder(
  graph: EvaluationGraph,
  entry: string,
): string[] {
  const order: string[] = [];
  visitInOrder(graph, entry, new Set(), (path) => order.push(path));
  return order;
}

/**
 * Goes depth first over `before` and leaves each module after what is before it.
 *
 * @param entered - what was visited before and is passed over; is added to
 * @param leave - called with each path once all that is before it was left
 */
export function visitInOrder(
  graph: EvaluationGraph,
  root: string,
  entered: Set<string>,
  leave: (path: string) => void,
): void {
  const frames: Frame[] = [];
  const enter = (path: string): void => {
    entered.add(path);
    const before = graph.get(path)?.before ?? LEAF;
    // Most modules: no frame for what has nothing before it.
    if (before.length === 0) leave(path);
    else frames.push({ path, before, next: 0 });
  };
  if (!entered.has(root)) enter(root);
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const path = frame.before[frame.next++];
    if (path === undefined) {
      leave(frame.path);
      frames.pop();
    } else if (!entered.has(path)) {
      enter(path);
    }
  }
}
