/** Why a change of one source reloads another. Pure. */
import type { Edge, ProjectModel } from "./types.js";

/**
 * The shortest way on which a change of `from` reloads `to`.
 *
 * @returns edges: the first leads to `from`, each next one to where the one before it starts, the last starts at `to`.
 *   None when both are the same; `undefined` when a change of `from` doesn't reload `to`
 */
export function pathOfChange(
  { edges, unreloaded }: Pick<ProjectModel, "edges" | "unreloaded">,
  from: string,
  to: string,
): readonly Edge[] | undefined {
  if (unreloaded.has(from)) return undefined;
  const dependents = new Map<string, Edge[]>();
  for (const edge of [...edges.values()].flat()) {
    const list = dependents.get(edge.to);
    if (list === undefined) dependents.set(edge.to, [edge]);
    else list.push(edge);
  }
  /** The edge by which each source was reached first. */
  const reached = new Map<string, Edge | undefined>([[from, undefined]]);
  // A Map's iteration also visits what is added on the way: breadth first.
  for (const path of reached.keys()) {
    if (path === to) return wayTo(path, reached);
    for (const edge of dependents.get(path) ?? []) {
      if (!reached.has(edge.from)) reached.set(edge.from, edge);
    }
  }
  return undefined;
}

function wayTo(
  path: string,
  reached: ReadonlyMap<string, Edge | undefined>,
): Edge[] {
  const way: Edge[] = [];
  for (
    let edge = reached.get(path);
    edge !== undefined;
    edge = reached.get(edge.to)
  ) {
    way.push(edge);
  }
  return way.reverse();
}
