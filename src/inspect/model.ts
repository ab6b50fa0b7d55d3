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
  const inSteps = edgesOfSteps(project.steps, sources);
  let isAllEager = true;
  for (const { path: from, imports } of sources.values()) {
    const edges: Edge[] = [];
    for (const { path: to, kind, isEager, specifier } of imports) {
      if (!sources.has(to)) continue;
      edges.push({ from, to, kind, isEager, where: specifier });
      isAllEager &&= isEager;
    }
    for (const [to, where] of project.needs.get(from) ?? []) {
      if (!sources.has(to)) continue;
      edges.push({ from, to, kind: "needs", isEager: true, where });
    }
    edges.push(...(inSteps.get(from) ?? []));
    found.set(from, edges);
  }
  const graph = graphOf(found, () => true);
  // As a rule they're the same, and large projects are looked at within a second.
  const loadGraph =
    inSteps.size === 0 ? graph : graphOf(found, ({ kind }) => kind !== "step");
  const eagerGraph = isAllEager
    ? loadGraph
    : graphOf(found, ({ isEager }) => isEager);
  const { name, root, manifest, entry, listed, mixins } = project;
  const { unreloaded, steps } = project;
  const roots = [...listed, ...mixins];
  const orderGraph = orderGraphOf(found, eagerGraph, listed);
  const order = orderOf(orderGraph, loadGraph, roots);
  const edges = new Map(order.map((path) => [path, found.get(path) ?? []]));
  return {
    ...{ name, root, manifest, entry, listed, mixins, unreloaded, steps },
    ...{ edges, graph, loadGraph, eagerGraph, problems },
  };
}

/** What steps make depends on what they read, as far as that's a source: a change of it makes them write. */
function edgesOfSteps(
  steps: ReadProject["steps"],
  sources: ScannedProject["sources"],
): Map<string, Edge[]> {
  const edges = new Map<string, Edge[]>();
  for (const { field: where, inputs, outputs } of steps) {
    const read = inputs.filter((to) => sources.has(to));
    for (const from of outputs.filter((output) => sources.has(output))) {
      const made = read.map((to): Edge => {
        return { from, to, kind: "step", isEager: false, where };
      });
      edges.set(from, [...(edges.get(from) ?? []), ...made]);
    }
  }
  return edges;
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
