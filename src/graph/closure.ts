import type { SourceGraph } from "./types.js";

/**
 * The closure of a change: the changed sources and all that depends on them, through imports and `needs`.
 *
 * @param changed - paths; those that aren't in the graph are ignored
 */
export function closureOf(
  graph: SourceGraph,
  changed: Iterable<string>,
): Set<string> {
  const dependents = new Map<string, string[]>();
  for (const node of graph.values()) {
    for (const path of node.dependencies) {
      const list = dependents.get(path);
      if (list === undefined) dependents.set(path, [node.path]);
      else list.push(node.path);
    }
  }
  const closure = new Set<string>();
  for (const path of changed) if (graph.has(path)) closure.add(path);
  // A Set's iteration also visits what is added on the way.
  for (const path of closure) {
    for (const dependent of dependents.get(path) ?? []) closure.add(dependent);
  }
  return closure;
}
