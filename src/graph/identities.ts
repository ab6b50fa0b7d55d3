import { hash } from "node:crypto";
import { components } from "./components.js";
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
 * @returns 16 hexadecimal characters (64 bits of sha256) by path
 */
export function identities(
  graph: SourceGraph,
  before?: IdentifiedGraph,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const group of components(graph)) {
    const identity =
      unchanged(graph, group, found, before) ??
      hash("sha256", describe(graph, group, found), "hex").slice(
        0,
        IDENTITY_LENGTH,
      );
    for (const node of group) found.set(node.path, identity);
  }
  return found;
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
  known: ReadonlyMap<string, string>,
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
      text += `${known.get(path) ?? `=${path}`}\0`;
    }
    text += "\n";
  }
  return text;
}
