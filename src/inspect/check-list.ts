/** What is wrong with the list itself: entries without effect, sources that it lacks or that nobody loads. Pure. */
import { isAbsolute } from "node:path";
import { loadOrder } from "../graph/index.js";
import { relativeTo } from "../manifest/messages.js";
import { isDeclarable } from "../manifest/undeclared.js";
import type { Edge, Finding, ProjectModel, WrittenEntry } from "./types.js";

/** Entries whose file an earlier one has listed, and that say nothing else. */
export function duplicates(entries: readonly WrittenEntry[]): Finding[] {
  const listedBy = new Map<string, WrittenEntry>();
  const findings: Finding[] = [];
  for (const entry of entries) {
    const { field, text, files, isGlob, isPlain, hasOptions } = entry;
    const [file = ""] = files;
    const first = listedBy.get(file);
    // A glob that follows single files means the others; an entry with options adds them to what was listed.
    if (!isGlob && !hasOptions && first !== undefined) {
      findings.push({
        kind: "duplicate",
        field,
        text,
        message: `is listed already by ${first.field} "${first.text}", so this entry does nothing.`,
        remedy: "Remove it.",
        isFixable: isPlain,
      });
    }
    for (const each of files) {
      if (!listedBy.has(each)) listedBy.set(each, entry);
    }
  }
  return findings;
}

/**
 * Sources that are loaded although the manifest, which lists sources, doesn't list them.
 *
 * @param placeOf - where in the code an edge is, to show
 */
export function unlisted(
  { root, edges, listed, mixins }: ProjectModel,
  entries: readonly WrittenEntry[],
  placeOf: (edge: Edge) => string,
): Finding[] {
  const known = new Set([...listed, ...mixins]);
  const importers = new Map<string, Edge>();
  for (const all of edges.values()) {
    for (const edge of all) {
      if (known.has(edge.to) || edge.kind === "step") continue;
      const first = importers.get(edge.to);
      // One that is listed says best where it belongs.
      if (
        first === undefined ||
        (known.has(edge.from) && !known.has(first.from))
      )
        importers.set(edge.to, edge);
    }
  }
  // As a rule, and not to be paid for by all.
  if (importers.size === 0) return [];
  const fieldOf = fieldsBySource(entries);
  return [...edges.keys()].flatMap((path): Finding[] => {
    const edge = importers.get(path);
    if (edge === undefined || !isDeclarable(path, root)) return [];
    const source = relativeTo(root, path);
    const field = fieldOf.get(edge.from);
    const place = field === undefined ? "" : `, before ${field}`;
    const how =
      edge.kind === "runtime"
        ? loadedHow(relativeTo(root, edge.from), edge.where)
        : `is imported by ${placeOf(edge)}`;
    return [
      {
        kind: "unlisted",
        source,
        message: `${how}, but isn't listed.`,
        remedy: `Add "${source}" to sources${place}.`,
        isFixable: false,
      },
    ];
  });
}

/** @param asked - a specifier; code of packages asks for the program's files by their paths */
function loadedHow(from: string, asked: string): string {
  return isAbsolute(asked) || asked.startsWith("file:")
    ? `was loaded at run time by its path, by a package that ${from} uses`
    : `was loaded at run time by ${from}, which asked for "${asked}"`;
}

/** Listed sources that the entry and the mixins never lead to. */
export function unused(
  { root, entry, edges, graph, listed, mixins, steps }: ProjectModel,
  entries: readonly WrittenEntry[],
): Finding[] {
  const used = new Set(loadOrder(graph, [entry, ...mixins]));
  if (listed.every((path) => used.has(path))) return [];
  const inSteps = new Set(
    steps.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
  );
  const fieldOf = fieldsBySource(entries);
  // Most manifests have nothing to look up in it.
  let users: ReadonlyMap<string, string> | undefined;
  return listed.flatMap((path): Finding[] => {
    // What isn't there any more is reported as missing.
    if (used.has(path) || !edges.has(path)) return [];
    // A step reads it; or makes it, with types maybe, which no import shows.
    if (inSteps.has(path)) return [];
    const source = relativeTo(root, path);
    const field = fieldOf.get(path);
    users ??= usersIn(edges);
    const user = users.get(path);
    const message =
      user === undefined
        ? "is listed, but no source imports or needs it: a change of it reloads nothing that runs."
        : `is listed, but only ${relativeTo(root, user)} and the like lead to it, which the entry doesn't lead to.`;
    return [
      {
        kind: "unused",
        source,
        ...(field !== undefined && { field }),
        message,
        remedy:
          'Remove it, import it, or add it to "needs" of the source that reads it. ' +
          "What is loaded by a computed name counts once a server has loaded it.",
        isFixable: false,
      },
    ];
  });
}

/** For each source one that imports or needs it, if there is one. */
function usersIn(edges: ProjectModel["edges"]): Map<string, string> {
  const users = new Map<string, string>();
  for (const { from, to } of [...edges.values()].flat()) {
    if (from !== to) users.set(to, from);
  }
  return users;
}

/** Several comparisons ask for the same list. */
const knownFields = new WeakMap<
  readonly WrittenEntry[],
  ReadonlyMap<string, string>
>();

/** Which entry lists each source: the first. */
export function fieldsBySource(
  entries: readonly WrittenEntry[],
): ReadonlyMap<string, string> {
  const known = knownFields.get(entries);
  if (known !== undefined) return known;
  const fields = new Map<string, string>();
  knownFields.set(entries, fields);
  for (const { field, files } of entries) {
    for (const file of files) if (!fields.has(file)) fields.set(file, field);
  }
  return fields;
}
