import type { SourceGraph, SourceNode } from "./types.js";

/**
 * The order in which ES modules are evaluated: depth first, dependencies before dependents, in the order written
 * (ECMA-262, InnerModuleEvaluation). In a cycle, the member reached first comes last.
 *
 * @param roots - evaluated one after the other; those that aren't in the graph are ignored
 * @returns the paths reachable from the roots, each once
 */
export function loadOrder(
  graph: SourceGraph,
  roots: readonly string[],
): string[] {
  const order: string[] = [];
  const entered = new Set<string>();
  const frames: { readonly node: SourceNode; next: number }[] = [];

  const enter = (path: string): void => {
    const node = graph.get(path);
    if (node === undefined || entered.has(path)) return;
    entered.add(path);
    frames.push({ node, next: 0 });
  };

  for (const root of roots) {
    enter(root);
    for (
      let frame = frames.at(-1);
      frame !== undefined;
      frame = frames.at(-1)
    ) {
      const path = frame.node.dependencies[frame.next++];
      if (path !== undefined) {
        enter(path);
        continue;
      }
      order.push(frame.node.path);
      frames.pop();
    }
  }
  return order;
}
