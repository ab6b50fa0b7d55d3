/**
 * What has to be loaded, in which order, and why. Pure: it decides, `loader.ts` does it.
 *
 * The order is that of the list, but for dependencies (imports and `needs`), which come first. Members of an import cycle stand
 * together, where the one of them that is reached first would be evaluated: last of them, behind all that they depend on.
 */
import { loadOrder } from "../graph/index.js";
import type { SourceGraph } from "../graph/types.js";
import type { LoadableSource, LoadedSource, RecordedSource } from "./types.js";

/** What {@link planLoad} decides from. */
export interface LoadPlanInput {
  readonly graph: SourceGraph;
  /** Those of `graph`, as built. */
  readonly sources: ReadonlyMap<
    string,
    Pick<LoadableSource, "identity" | "before">
  >;
  /** Paths of the listed sources, in their order. */
  readonly listed: readonly string[];
  /** As of the last load that didn't fail; `undefined` when there was none. */
  readonly recorded: ReadonlyMap<string, RecordedSource> | undefined;
  /** By path, the identity that is evaluated in this process: not the recorded one where a load failed since. */
  readonly held: ReadonlyMap<string, string>;
  /** Load also what is the same. */
  readonly isForced: boolean;
}

/** Members of one import cycle, or one source that is in none. In load order: the last is to be evaluated first, and evaluates the others. */
export type LoadGroup = readonly LoadedSource[];

/** Says what to load. */
export function planLoad(input: LoadPlanInput): LoadGroup[] {
  const { graph, sources, listed } = input;
  const eager = eagerSources(sources, listed);
  // Members that aren't loaded count for their cycle's place: what they depend on, the others depend on, too.
  return together(loadOrder(graph, listed), sources).flatMap((paths) => {
    const group = paths.flatMap((path) =>
      eager.has(path) ? (loadOf(path, input) ?? []) : [],
    );
    return group.length === 0 ? [] : [group];
  });
}

/** The sources that are loaded: those listed, and what is evaluated before them. Others are when somebody asks for them, if ever. */
function eagerSources(
  sources: LoadPlanInput["sources"],
  listed: readonly string[],
): ReadonlySet<string> {
  const eager = new Set(listed.filter((path) => sources.has(path)));
  // A Set's iteration also visits what is added on the way.
  for (const path of eager) {
    for (const before of sources.get(path)?.before ?? []) {
      if (sources.has(before)) eager.add(before);
    }
  }
  return eager;
}

/** Moves the members of each cycle to the last of them. Only they share an identity. */
function together(
  order: readonly string[],
  sources: LoadPlanInput["sources"],
): string[][] {
  const identityOf = (path: string): string =>
    sources.get(path)?.identity ?? path;
  const groups = new Map<string, string[]>();
  for (const path of order) {
    const identity = identityOf(path);
    const members = groups.get(identity) ?? [];
    members.push(path);
    // Anew: a Map keeps the order in which keys were set.
    groups.delete(identity);
    groups.set(identity, members);
  }
  return [...groups.values()];
}

function loadOf(path: string, input: LoadPlanInput): LoadedSource | undefined {
  const { graph, recorded, isForced } = input;
  if (recorded === undefined) return { path, reason: "first", because: [] };
  const known = recorded.get(path);
  if (known?.isLoaded !== true) return { path, reason: "missing", because: [] };
  if (isSame(path, input)) {
    return isForced ? { path, reason: "forced", because: [] } : undefined;
  }
  const node = graph.get(path);
  const because = (node?.dependencies ?? []).filter(
    (dependency, index, all) =>
      dependency !== path &&
      graph.has(dependency) &&
      all.indexOf(dependency) === index &&
      !isSame(dependency, input),
  );
  // Neither: the list of what it needs is another.
  return node?.part !== known.part || because.length === 0
    ? { path, reason: "changed", because: [] }
    : { path, reason: "needs", because };
}

/** Whether a source is evaluated as it is now, and recorded so. */
function isSame(
  path: string,
  { sources, recorded, held }: LoadPlanInput,
): boolean {
  const identity = sources.get(path)?.identity;
  return (
    identity === recorded?.get(path)?.identity && identity === held.get(path)
  );
}
