/** Where each source stands in the picture: the entry on the left, what it imports to its right. Pure. */
import { GraphStructure } from "../graph/index.js";
import type { ProjectModel } from "./types.js";

/** A column with more than this is split: a picture that is a thousand high shows nothing. */
const MOST_ROWS = 50;

/** A place in columns and rows, from 0. */
export interface Place {
  readonly column: number;
  readonly row: number;
}

/** The places of all sources: whoever depends on another stands to the left of it, cycles apart. */
export function layout({
  edges,
  graph,
}: Pick<ProjectModel, "edges" | "graph">): Map<string, Place> {
  const ranks = ranksOf(graph);
  const columns: string[][] = [];
  // Backwards: who is loaded last, the entry, comes first.
  for (const path of [...edges.keys()].reverse()) {
    const rank = ranks.get(path) ?? 0;
    (columns[rank] ??= []).push(path);
  }
  const places = new Map<string, Place>();
  const heights = new Map<string, number>();
  let column = 0;
  for (const paths of [...columns].reverse()) {
    // Beside those who import it, so that edges are short.
    const sorted = paths
      .map((path, index) => ({ path, at: heights.get(path) ?? index }))
      .sort((a, b) => a.at - b.at);
    sorted.forEach(({ path }, index) => {
      const row = index % MOST_ROWS;
      const at = column + Math.floor(index / MOST_ROWS);
      places.set(path, { column: at, row });
      for (const { to } of edges.get(path) ?? []) {
        if (!heights.has(to)) heights.set(to, row);
      }
    });
    column += Math.ceil(sorted.length / MOST_ROWS);
  }
  return places;
}

/** How long the longest way down from each source is; 0 for those that depend on none. Members of a cycle share one. */
function ranksOf(graph: ProjectModel["graph"]): Map<string, number> {
  const ranks = new Map<string, number>();
  // Each group comes after all that it depends on.
  for (const group of new GraphStructure(graph).groups) {
    let rank = 0;
    for (const path of group) {
      for (const dependency of graph.get(path)?.dependencies ?? []) {
        const known = ranks.get(dependency);
        if (known !== undefined) rank = Math.max(rank, known + 1);
      }
    }
    for (const path of group) ranks.set(path, rank);
  }
  return ranks;
}
