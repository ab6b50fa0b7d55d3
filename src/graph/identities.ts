import { hash } from "node:crypto";
import { GraphStructure } from "./structure.js";
import type { SourceGraph, SourceNode } from "./types.js";

const IDENTITY_LENGTH = 16;

/** A graph with its identities. */
export interface IdentifiedGraph {
  readonly graph: SourceGraph;
  readonly identities: ReadonlyMap<string, string>;
}

/**
 * The identity of every source: a hash of its own part and of the identities of all that it depends on.
 *
 * Members of an import cycle share one: the hash over the members' own parts and the identities of
 * what the cycle depends on. Independent of the order in which the graph was filled.
 *
 * @param before - an earlier graph; saves hashing where the very same nodes depend on the same identities
 * @param structure - of this graph, when it is at hand
 * @returns 16 hexadecimal characters (64 bits of sha256) by path
 */
export function identities(
  graph: SourceGraph,
  before?: IdentifiedGraph,
  structure: GraphStructure = new GraphStructure(graph),
): Map<string, string> {
  const found = new Map<string, string>();
  const identityOf = (path: string): string | undefined => found.get(path);
  for (const paths of structure.groups) {
    const group = nodesOf(graph, paths);
    const identity =
      unchanged(graph, group, found, before) ??
      identityOfGroup(graph, group, identityOf);
    for (const path of paths) found.set(path, identity);
  }
  return found;
}

/**
 * The identities that are different after a change that left all edges as they were. Costs as much as the closure of
 * the change has sources.
 *
 * @param graph - as it is now
 * @param before - the graph before, and its identities
 * @param structure - of either
 * @param changed - paths of the nodes that may be different
 */
export function changedIdentities(
  graph: SourceGraph,
  before: IdentifiedGraph,
  structure: GraphStructure,
  changed: Iterable<string>,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const index of structure.closureOf(changed)) {
    const paths = structure.groups[index] ?? [];
    const group = nodesOf(graph, paths);
    const identity = identityOfGroup(graph, group, (path) =>
      structure.groupOf(path) === index
        ? undefined
        : (found.get(path) ?? before.identities.get(path)),
    );
    for (const path of paths) {
      if (before.identities.get(path) !== identity) found.set(path, identity);
    }
  }
  return found;
}

function nodesOf(graph: SourceGraph, paths: readonly string[]): SourceNode[] {
  return paths.flatMap((path) => graph.get(path) ?? []);
}

function identityOfGroup(
  graph: SourceGraph,
  group: readonly SourceNode[],
  identityOf: (path: string) => string | undefined,
): string {
  const text = describe(graph, group, identityOf);
  return hash("sha256", text, "hex").slice(0, IDENTITY_LENGTH);
}

/** A group's identity of before, if nothing that it is the hash of is different. */
function unchanged(
  graph: SourceGraph,
  group: readonly SourceNode[],
  known: ReadonlyMap<string, string>,
  before: IdentifiedGraph | undefined,
): string | undefined {
  if (before === undefined) return undefined;
  let identity: string | undefined;
  for (const node of group) {
    if (before.graph.get(node.path) !== node) return undefined;
    const own = before.identities.get(node.path);
    // Members of a cycle that were none before.
    if (identity !== undefined && own !== identity) return undefined;
    identity = own;
    for (const path of node.dependencies) {
      if (graph.has(path) !== before.graph.has(path)) return undefined;
      const dependency = known.get(path);
      if (dependency === undefined) {
        // Inside the group; outside of it before, if its identity was another.
        if (graph.has(path) && before.identities.get(path) !== own)
          return undefined;
      } else if (dependency !== before.identities.get(path)) {
        return undefined;
      }
    }
  }
  return identity;
}

/** What a group's identity is the hash of. NUL and newline can't be part of a path that Node opens or of a hash. */
function describe(
  graph: SourceGraph,
  group: readonly SourceNode[],
  identityOf: (path: string) => string | undefined,
): string {
  const members =
    group.length === 1
      ? group
      : [...group].sort((a, b) => (a.path < b.path ? -1 : 1));
  let text = "";
  for (const node of members) {
    text += `${node.path}\0${node.part}\0`;
    for (const path of node.dependencies) {
      if (!graph.has(path)) continue;
      // A dependency inside the group has no identity yet: its part is in this hash, its name stands for it.
      text += `${identityOf(path) ?? `=${path}`}\0`;
    }
    text += "\n";
  }
  return text;
}
