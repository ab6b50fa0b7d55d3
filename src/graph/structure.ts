import { components } from "./components.js";
import type { SourceGraph } from "./types.js";

/**
 * What of a graph stays the same while only the nodes' own parts change: its strongly connected components, and who
 * depends on whom. Belongs to all graphs with these edges.
 */
export class GraphStructure {
  /** The members' paths of each component, which comes after all components that it depends on. */
  readonly groups: readonly (readonly string[])[];
  readonly #graph: SourceGraph;
  #index: StructureIndex | undefined;

  constructor(graph: SourceGraph) {
    this.#graph = graph;
    this.groups = components(graph).map((group) =>
      group.map(({ path }) => path),
    );
  }

  /** Which component a source belongs to: its place in `groups`. */
  groupOf(path: string): number | undefined {
    return this.#indexed().groupOf.get(path);
  }

  /** The components of these sources and of all that depends on them, in the order of `groups`. */
  closureOf(paths: Iterable<string>): number[] {
    const { groupOf, dependents } = this.#indexed();
    const found = new Set<number>();
    for (const path of paths) {
      const group = groupOf.get(path);
      if (group !== undefined) found.add(group);
    }
    // A Set's iteration also visits what is added on the way.
    for (const group of found) {
      for (const dependent of dependents[group] ?? []) found.add(dependent);
    }
    return [...found].sort((a, b) => a - b);
  }

  /** Made when it is first needed: many graphs are replaced by one with other edges. */
  #indexed(): StructureIndex {
    this.#index ??= indexOf(this.#graph, this.groups);
    return this.#index;
  }
}

interface StructureIndex {
  readonly groupOf: ReadonlyMap<string, number>;
  /** By component: those that depend on it directly. */
  readonly dependents: readonly (readonly number[])[];
}

function indexOf(
  graph: SourceGraph,
  groups: readonly (readonly string[])[],
): StructureIndex {
  const groupOf = new Map<string, number>();
  groups.forEach((paths, group) => {
    for (const path of paths) groupOf.set(path, group);
  });
  const dependents: number[][] = groups.map(() => []);
  groups.forEach((paths, group) => {
    for (const path of paths) {
      for (const dependency of graph.get(path)?.dependencies ?? []) {
        const other = groupOf.get(dependency);
        if (other === undefined || other === group) continue;
        const list = dependents[other];
        if (list?.at(-1) !== group) list?.push(group);
      }
    }
  });
  return { groupOf, dependents };
}
