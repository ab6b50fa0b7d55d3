import fc from "fast-check";
import type { SourceNode } from "../../../src/graph/index.js";

/** Random graphs: any edges, so cycles, self edges, repeated edges and edges to nowhere. */
export function graphs(maxNodes = 12): fc.Arbitrary<Map<string, SourceNode>> {
  return fc.integer({ min: 1, max: maxNodes }).chain((size) =>
    fc
      .array(
        fc.record({
          part: fc.string({ maxLength: 3 }),
          edges: fc.array(fc.integer({ min: 0, max: size }), { maxLength: 4 }),
        }),
        { minLength: size, maxLength: size },
      )
      .map((nodes) =>
        graphOf(nodes.map(({ part, edges }) => ({ part, edges }))),
      ),
  );
}

/** A graph of nodes `n0`, `n1`, … with edges by number. */
export function graphOf(
  nodes: readonly {
    readonly part?: string;
    readonly edges: readonly number[];
  }[],
): Map<string, SourceNode> {
  return new Map(
    nodes.map(({ part, edges }, index) => {
      const path = `n${index}`;
      const dependencies = edges.map((edge) => `n${edge}`);
      return [path, { path, part: part ?? path, dependencies }];
    }),
  );
}

/** What `path` reaches, itself only when it is in a cycle. By plain recursion, to check against. */
export function reachableFrom(
  graph: ReadonlyMap<string, SourceNode>,
  path: string,
): Set<string> {
  const seen = new Set<string>();
  const visit = (from: string): void => {
    for (const dependency of graph.get(from)?.dependencies ?? []) {
      if (!graph.has(dependency) || seen.has(dependency)) continue;
      seen.add(dependency);
      visit(dependency);
    }
  };
  visit(path);
  return seen;
}
