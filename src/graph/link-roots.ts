import { visitInOrder } from "./evaluation-order.js";
import { reaching } from "./reaching.js";
import type { EvaluationGraph } from "./types.js";

/**
 * The modules whose loading alone, without evaluation, brings `paths` and what they import into the process.
 *
 * As few as possible, over `before`. Sources only: a package's file comes with who imports it.
 *
 * @param isExcluded - what must not be brought; neither is anything that imports it
 * @returns roots that don't reach each other; those that a cold boot evaluates later come first
 */
export function linkRoots(
  graph: EvaluationGraph,
  paths: Iterable<string>,
  isExcluded: (path: string) => boolean,
): string[] {
  const excluded = reaching(graph, isExcluded, "before");
  const order: string[] = [];
  const entered = new Set<string>();
  for (const path of paths) {
    visitInOrder(graph, path, entered, (done) => order.push(done));
  }
  const roots: string[] = [];
  const brought = new Set<string>();
  // From the back: a module comes after all that it imports, and of a cycle, what imports it comes after it.
  for (const path of order.reverse()) {
    if (!graph.has(path) || excluded.has(path) || brought.has(path)) continue;
    roots.push(path);
    visitInOrder(graph, path, brought, ignore);
  }
  return roots;
}

function ignore(): void {
  // Only what was entered counts.
}
