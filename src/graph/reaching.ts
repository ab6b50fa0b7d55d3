import type { EvaluationGraph } from "./types.js";

/** Which of a module's edges lead from it to others. */
export type EvaluationEdges = "before" | "before and during";

/**
 * The modules that reach one of those meant, and these themselves.
 *
 * @param isMeant - asked once for every module of the graph, and for the packages' files that these name
 */
export function reaching(
  graph: EvaluationGraph,
  isMeant: (path: string) => boolean,
  edges: EvaluationEdges,
): Set<string> {
  const importers = new Map<string, string[]>();
  const found = new Set<string>();
  const add = (paths: readonly string[], importer: string): void => {
    for (const path of paths) {
      const list = importers.get(path);
      if (list !== undefined) list.push(importer);
      else importers.set(path, [importer]);
    }
  };
  for (const { path, before, during } of graph.values()) {
    if (isMeant(path)) found.add(path);
    add(before, path);
    if (edges === "before and during") add(during, path);
  }
  for (const path of importers.keys()) {
    if (!graph.has(path) && isMeant(path)) found.add(path);
  }
  // A Set's iteration also visits what is added on the way.
  for (const path of found) {
    for (const importer of importers.get(path) ?? []) found.add(importer);
  }
  return found;
}
