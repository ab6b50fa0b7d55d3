/** Where the manifest's order and needs don't agree with the imports. Pure. */
import { GraphStructure } from "../graph/index.js";
import { relativeTo } from "../manifest/messages.js";
import type { NeedsGraph } from "../manifest/needs.js";
import { fieldsBySource } from "./check-list.js";
import type { Edge, Finding, ProjectModel, WrittenEntry } from "./types.js";

/**
 * Sources that are listed before one that they import.
 *
 * Not those of one glob (which says that their order doesn't matter), nor those that import each other.
 *
 * @param placeOf - where in the code an edge is, to show
 */
export function contradictedOrder(
  { root, edges, eagerGraph, listed }: ProjectModel,
  entries: readonly WrittenEntry[],
  placeOf: (edge: Edge) => string,
): Finding[] {
  const ranks = new Map(listed.map((path, rank) => [path, rank]));
  // Most manifests have nothing to look up in it.
  let structure: GraphStructure | undefined;
  return listed.flatMap((path, rank) => {
    const isAfter = ({ to, kind, isEager }: Edge): boolean =>
      isEager && kind !== "needs" && (ranks.get(to) ?? -1) > rank;
    const after = edges.get(path)?.filter(isAfter) ?? [];
    // Nearly always: the rest needn't be cheap.
    if (after.length === 0) return [];
    const fieldOf = fieldsBySource(entries);
    const field = fieldOf.get(path);
    const seen = new Set<string>();
    return after.flatMap((edge): Finding[] => {
      const otherField = fieldOf.get(edge.to);
      if (field === undefined || field === otherField) return [];
      structure ??= new GraphStructure(eagerGraph);
      if (structure.groupOf(path) === structure.groupOf(edge.to)) return [];
      if (seen.has(edge.to)) return [];
      seen.add(edge.to);
      const imported = relativeTo(root, edge.to);
      return [
        {
          kind: "order",
          field,
          source: relativeTo(root, path),
          message: `is listed before ${otherField ?? "entry"} ${imported}, which it imports (${placeOf(edge)}), so it's loaded after it.`,
          remedy: `Move ${imported} before it.`,
          isFixable: false,
        },
      ];
    });
  });
}

/**
 * Needs that imports imply: whoever needs it imports it anyway, maybe through others.
 *
 * @param textOf - what is written in a place of the manifest
 */
export function impliedNeeds(
  { root, edges }: ProjectModel,
  needs: NeedsGraph,
  textOf: (field: string) => string | undefined,
): Finding[] {
  const needers = new Map<string, Map<string, string[]>>();
  for (const [source, needed] of needs) {
    for (const [path, field] of needed) {
      const fields = needers.get(path) ?? new Map<string, string[]>();
      needers.set(path, fields);
      fields.set(field, [...(fields.get(field) ?? []), source]);
    }
  }
  if (needers.size === 0) return [];
  const importersOf = importersIn(edges);
  /** Of each place, one pair that imports imply; `undefined` once one isn't: the place is needed then. */
  const implied = new Map<string, readonly [string, string] | undefined>();
  for (const [path, fields] of needers) {
    const importers = importersOf(path);
    for (const [field, sources] of fields) {
      const isImplied = sources.every((each) => importers.has(each));
      const [source = ""] = sources;
      const isStillImplied =
        !implied.has(field) || implied.get(field) !== undefined;
      implied.set(
        field,
        isImplied && isStillImplied ? [source, path] : undefined,
      );
    }
  }
  return [...implied].flatMap(([field, pair]): Finding[] => {
    if (pair === undefined) return [];
    const [source, path] = pair.map((each) => relativeTo(root, each));
    const text = textOf(field);
    return [
      {
        kind: "implied-needs",
        field,
        ...(text !== undefined && { text }),
        message: `says what imports say: ${source ?? ""} imports ${path ?? ""} anyway, directly or through others.`,
        remedy: "Remove it.",
        isFixable: field.startsWith("sources"),
      },
    ];
  });
}

/** Tells who imports a source, itself included: certainly, by imports alone, directly or through others. */
function importersIn(
  edges: ProjectModel["edges"],
): (path: string) => ReadonlySet<string> {
  const direct = new Map<string, string[]>();
  for (const all of edges.values()) {
    for (const { from, to, kind, isEager } of all) {
      if (!isEager || kind === "needs") continue;
      const known = direct.get(to);
      if (known === undefined) direct.set(to, [from]);
      else known.push(from);
    }
  }
  return (path) => {
    const found = new Set([path]);
    // A Set's iteration also visits what is added on the way.
    for (const each of found)
      for (const importer of direct.get(each) ?? []) found.add(importer);
    return found;
  };
}
