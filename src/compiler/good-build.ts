import type {
  GraphStructure,
  IdentifiedGraph,
  SourceNode,
} from "../graph/index.js";
import { closureOf, identities } from "../graph/index.js";
import type { Build, BuiltSource } from "./types.js";

/** The sources of builds that differ in nothing but content. */
const pathsOf = new WeakMap<GraphStructure, ReadonlySet<string>>();

/** The sources' places in load order, which is the same as long as the structure is. */
const ranksOf = new WeakMap<GraphStructure, ReadonlyMap<string, number>>();

/**
 * A good build with what its processes found at run time, and the graph that it was made from.
 *
 * What is discovered adds edges to the graph, and so would change identities although no source changed. The graph
 * kept here takes the same edges, so that the next build can tell a change from a discovery.
 */
export class GoodBuild {
  readonly build: Build;
  /** Sources that no import showed, compiled for this build's processes; each keeps its output for the build's life. */
  readonly discovered: Map<string, BuiltSource> = new Map();
  /** Of the graph as it was built. */
  readonly structure: GraphStructure;
  #isAsBuilt = true;
  #graph: ReadonlyMap<string, SourceNode>;
  #identities: ReadonlyMap<string, string> | undefined;
  #paths: ReadonlySet<string> | undefined;

  constructor(
    build: Build,
    { graph, identities: found }: IdentifiedGraph,
    structure: GraphStructure,
  ) {
    this.build = build;
    this.#graph = graph;
    this.#identities = found;
    this.structure = structure;
  }

  /** Whether nothing was discovered. */
  get isAsBuilt(): boolean {
    return this.#isAsBuilt;
  }

  /** The graph with what was discovered. */
  get known(): IdentifiedGraph {
    this.#identities ??= identities(this.#graph);
    return { graph: this.#graph, identities: this.#identities };
  }

  /** The paths of all of its sources, also of those discovered. The same object as long as they are the same. */
  get paths(): ReadonlySet<string> {
    const known = this.#isAsBuilt ? pathsOf.get(this.structure) : this.#paths;
    const paths = known ?? new Set(this.#graph.keys());
    if (this.#isAsBuilt) pathsOf.set(this.structure, paths);
    else this.#paths = paths;
    return paths;
  }

  /** A source of this build. */
  get(path: string): BuiltSource | undefined {
    return this.build.sources.get(path) ?? this.discovered.get(path);
  }

  /** The closure of a change of these sources. */
  closureOf(paths: Iterable<string>): Set<string> {
    if (!this.#isAsBuilt) return closureOf(this.#graph, paths);
    const { groups } = this.structure;
    const found = this.structure.closureOf(paths);
    return new Set(found.flatMap((group) => groups[group] ?? []));
  }

  /** Some of the sources as built, in load order. */
  inOrder(paths: Iterable<string>): string[] {
    let ranks = ranksOf.get(this.structure);
    if (ranks === undefined) {
      const order = [...this.build.sources.keys()];
      ranks = new Map(order.map((path, rank) => [path, rank]));
      ranksOf.set(this.structure, ranks);
    }
    const rankOf = (path: string): number => ranks.get(path) ?? -1;
    return [...paths].sort((a, b) => rankOf(a) - rankOf(b));
  }

  /** All of its sources, also those discovered. */
  sources(): BuiltSource[] {
    return [...this.build.sources.values(), ...this.discovered.values()];
  }

  /** Adds sources and an edge that were discovered at run time. */
  discover(
    importer: string,
    path: string,
    nodes: Iterable<SourceNode>,
    built: Iterable<BuiltSource>,
  ): void {
    for (const source of built) this.discovered.set(source.path, source);
    const graph = new Map(this.#graph);
    for (const node of nodes) graph.set(node.path, node);
    const node = graph.get(importer);
    if (node !== undefined) {
      // Also a second time, as in the tree: an edge that is known may be of the other kind.
      const dependencies = [...node.dependencies, path];
      graph.set(importer, { ...node, dependencies });
    }
    this.#graph = graph;
    this.#identities = undefined;
    this.#paths = undefined;
    this.#isAsBuilt = false;
  }

  /** Whether a graph, and what is listed beside it, has nothing new to this build's processes. */
  isSameAs(
    entry: string,
    found: ReadonlyMap<string, string>,
    unread: ReadonlySet<string>,
  ): boolean {
    if (entry !== this.build.entry) return false;
    const { identities: known } = this.known;
    if (found.size !== known.size) return false;
    if (unread.size !== this.build.unread.size) return false;
    for (const path of unread) {
      if (!this.build.unread.has(path)) return false;
    }
    for (const [path, identity] of known) {
      if (found.get(path) !== identity) return false;
    }
    return true;
  }
}
