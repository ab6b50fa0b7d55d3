/** Puts together what the manifest says and what the code says. Pure. */
import type { ScannedProject } from "../compiler/scanned.js";
import { GraphStructure, loadOrder } from "../graph/index.js";
import type { SourceNode } from "../graph/index.js";
import type { SourceGraph } from "../graph/types.js";
import type { ReadProject } from "./read-project.js";
import type { Edge, ProjectModel } from "./types.js";

/**
 * The model of a project.
 *
 * Its load order is that of the list, but for what something listed before it imports or needs; what only `import()`,
 * `require()` within a function and running processes lead to, and isn't listed, comes last.
 */
export function modelOf(
  project: ReadProject,
  { sources, problems }: ScannedProject,
): ProjectModel {
  const found = new Map<string, readonly Edge[]>();
  for (const { path: from, imports } of sources.values()) {
    const edges = imports.flatMap(({ path: to, kind, isEager, specifier }) =>
      sources.has(to) ? [{ from, to, kind, isEager, where: specifier }] : [],
    );
    const needs = [...(project.needs.get(from) ?? [])].flatMap(
      ([to, where]): Edge[] =>
        sources.has(to)
          ? [{ from, to, kind: "needs", isEager: true, where }]
          : [],
    );
    found.set(from, [...edges, ...needs]);
  }
  const graph = graphOf(found, () => true);
  const eagerGraph = graphOf(found, ({ isEager }) => isEager);
  const { name, root, manifest, entry, listed, mixins } = project;
  const { unreloaded, inSteps } = project;
  const roots = [...listed, ...mixins];
  const order = orderOf(orderGraphOf(found, eagerGraph, listed), graph, roots);
  const edges = new Map(order.map((path) => [path, found.get(path) ?? []]));
  return {
    ...{ name, root, manifest, entry, listed, mixins, unreloaded, inSteps },
    ...{ edges, graph, eagerGraph, problems },
  };
}

/** What is certainly loaded first, then what the rest leads to. */
function orderOf(
  orderGraph: SourceGraph,
  graph: SourceGraph,
  roots: readonly string[],
): string[] {
  const order = loadOrder(orderGraph, roots);
  if (order.length === graph.size) return order;
  return loadOrder(orderGraph, [...roots, ...loadOrder(graph, roots)]);
}

/** The edges that decide the load order: where sources import each other, the list decides who is first. */
function orderGraphOf(
  edges: ReadonlyMap<string, readonly Edge[]>,
  eagerGraph: SourceGraph,
  listed: readonly string[],
): SourceGraph {
  const ranks = new Map(listed.map((path, rank) => [path, rank]));
  const isForward = ({ from, to }: Edge): boolean =>
    (ranks.get(to) ?? -1) > (ranks.get(from) ?? Infinity);
  const forward = new Set<Edge>();
  for (const all of edges.values()) {
    for (const edge of all) {
      if (edge.isEager && isForward(edge)) forward.add(edge);
    }
  }
  // As a rule, and not to be paid for by all.
  if (forward.size === 0) return eagerGraph;
  const structure = new GraphStructure(eagerGraph);
  const isInCycle = ({ from, to }: Edge): boolean =>
    structure.groupOf(from) === structure.groupOf(to);
  return graphOf(
    edges,
    (edge) => edge.isEager && !(forward.has(edge) && isInCycle(edge)),
  );
}

function graphOf(
  edges: ReadonlyMap<string, readonly Edge[]>,
  counts: (edge: Edge) => boolean,
): SourceGraph {
  const graph = new Map<string, SourceNode>();
  for (const [path, all] of edges) {
    const dependencies = all.filter(counts).map(({ to }) => to);
    graph.set(path, { path, part: "", dependencies });
  }
  return graph;
}
