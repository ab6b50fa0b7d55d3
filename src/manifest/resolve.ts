/**
 * What a manifest says -> its sources in load order, each with what it needs. Pure but for the `Listing` it is given.
 *
 * The rules, each with a test:
 * - A source stands where it is listed first. Listed again, it only gains needs.
 * - A glob's matches are in plain order of their paths (by code unit: the same on every machine and in every locale).
 *   A path that exists is never taken for a glob, so `routes/[id].ts` can be listed.
 * - Where several sources share one list of needs (a directory, a glob), those that the list names don't get it:
 *   `{ file: "models/*.ts", needs: ["models/base.ts"] }` means all others.
 * - The entry is a source; not listed, it is the last.
 * - Mixins are in the order written, each once; listed as sources or not.
 * - What a step (`run`) makes is a source, behind what it reads unless it's listed elsewhere, and needn't exist yet (`outputs.ts`).
 * - `standby: false` and `reload: false` hold for all that their entry lists, nested entries included, and no other entry
 *   takes them back.
 */
import path from "node:path";
import { createExpander } from "./expand.js";
import type { Listing } from "./listing.js";
import { needsCycle, needsUnknown, relativeTo } from "./messages.js";
import type { Written } from "./messages.js";
import { findCycle } from "./needs.js";
import type { NeedsGraph } from "./needs.js";
import { writtenOutputs } from "./outputs.js";
import { resolveSteps, withOutputs, withoutOwn } from "./steps.js";
import type { ListedStep } from "./steps.js";
import type {
  ProjectConfig,
  ResolvedSource,
  ResolvedStep,
  SourceEntry,
  SourceGlob,
} from "./types.js";

/** Where a manifest stands. */
export interface ManifestPlace {
  /** Its name in messages. */
  readonly name: string;
  /** Its absolute path: a glob never matches it. */
  readonly path: string;
  /** Its directory, absolute and real. */
  readonly root: string;
}

/** One list of `needs`. */
interface NeedsList {
  readonly needs: readonly Written[];
  /** Where they are looked up, in order. */
  readonly bases: readonly string[];
  /** Whether several sources share it. */
  readonly isShared: boolean;
}

/** What the directories around an entry say about all that is listed in them. */
interface Surroundings {
  readonly lists: readonly NeedsList[];
  readonly standby: boolean;
  readonly reload: boolean;
}

/** A resolved project's sources, steps, entry and mixins. */
export interface ResolvedSources {
  readonly entry: string;
  readonly sources: readonly ResolvedSource[];
  readonly steps: readonly ResolvedStep[];
  /** Those of the list, each once. */
  readonly globs: readonly SourceGlob[];
  readonly mixins: readonly string[];
}

/** … and where each need is written. */
interface ResolvedWithNeeds {
  readonly resolved: ResolvedSources;
  readonly needs: NeedsGraph;
}

/**
 * Resolves the sources and needs of a manifest.
 *
 * @throws PreforkError ERR_PREFORK_SOURCE_MISSING - the entry or something listed doesn't exist
 * @throws PreforkError ERR_PREFORK_NEEDS_UNKNOWN - needs or changes name no listed source
 * @throws PreforkError ERR_PREFORK_NEEDS_CYCLE - sources need each other in a circle
 * @throws PreforkError ERR_PREFORK_MANIFEST - steps make what they read, the same, or each other's sources in a circle
 */
export function resolveSources(
  config: ProjectConfig,
  place: ManifestPlace,
  listing: Listing,
): ResolvedSources {
  return resolveWithNeeds(config, place, listing).resolved;
}

/** As {@link resolveSources}, for those who also want to show where a need comes from. */
export function resolveWithNeeds(
  config: ProjectConfig,
  place: ManifestPlace,
  listing: Listing,
): ResolvedWithNeeds {
  const { root } = place;
  /** Each source's lists of needs, in load order. */
  const listed = new Map<string, NeedsList[]>();
  /** The sources that no standby may evaluate ahead. */
  const keptBack = new Set<string>();
  /** The sources whose change reloads nothing. */
  const unreloaded = new Set<string>();

  const outputs = writtenOutputs(config, place, listing);
  const expander = createExpander(place, listing, outputs);
  const { expand, missing } = expander;
  const steps: ListedStep[] = [];

  function add(
    files: readonly string[],
    { lists, standby, reload }: Surroundings,
  ): void {
    for (const file of files) {
      if (!standby) keptBack.add(file);
      if (!reload) unreloaded.add(file);
      const known = listed.get(file);
      if (known === undefined) listed.set(file, [...lists]);
      else known.push(...lists);
    }
  }

  function collect(
    entries: readonly SourceEntry[],
    base: string,
    field: string,
    outer: Surroundings,
  ): void {
    entries.forEach((entry, index) => {
      const here = `${field}[${index}]`;
      if (typeof entry === "string") {
        add(expand({ text: entry, field: here }, base), outer);
        return;
      }
      const needs = (entry.needs ?? []).map((text, number) => ({
        text,
        field: `${here}.needs[${number}]`,
      }));
      const switches = {
        standby: outer.standby && entry.standby !== false,
        reload: outer.reload && entry.reload !== false,
      };
      if ("file" in entry) {
        const written = { text: entry.file, field: `${here}.file` };
        const { run } = entry;
        const at = `${here}.run`;
        const made = outputs.bySteps.get(at) ?? [];
        const isGlob = listing.isGlob(entry.file);
        const all = expand(written, base);
        const files = isGlob ? withoutOwn(all, made) : all;
        const isShared = isGlob && files.length > 1;
        const list = { needs, bases: [base, root], isShared };
        add(files, { lists: [...outer.lists, list], ...switches });
        if (run === undefined) return;
        const reads = (run.reads ?? []).flatMap((text, number) =>
          expand({ text, field: `${at}.reads[${number}]` }, base),
        );
        const inputs = [...new Set([...files, ...withoutOwn(reads, made)])];
        steps.push({ field: at, run, sources: files, inputs });
        // What it makes is in the directory's list, but isn't the entry.
        for (const file of made.flatMap((output) => output.files)) {
          if (!outer.standby) keptBack.add(file);
          if (!outer.reload) unreloaded.add(file);
        }
        return;
      }
      const directory = path.resolve(base, entry.directory);
      if (!listing.isDirectory(directory)) {
        if (outputs.mayMake(entry.directory, base)) return;
        const text = entry.directory;
        const at = `${here}.directory`;
        throw missing({ text, field: at }, base, "directory");
      }
      const list = { needs, bases: [directory, base, root], isShared: true };
      const lists = needs.length > 0 ? [...outer.lists, list] : outer.lists;
      const inner = { lists, ...switches };
      collect(entry.sources, directory, `${here}.sources`, inner);
    });
  }

  /** The listed sources that a text names: in the first of the bases that has any. */
  function lookUp(written: Written, bases: readonly string[]): Set<string> {
    for (const base of bases) {
      const absolute = path.resolve(base, written.text);
      const file = listing.fileAt(absolute) ?? absolute;
      if (listed.has(file)) return new Set([file]);
      if (!listing.isGlob(written.text)) continue;
      const files = listing.glob(written.text, base);
      const sources = [...files].sort().filter((each) => listed.has(each));
      if (sources.length > 0) return new Set(sources);
    }
    if (bases.some((base) => outputs.mayMake(written.text, base)))
      return new Set();
    throw needsUnknown(
      place.name,
      [...new Set(bases)],
      written,
      listed.keys(),
      listing,
    );
  }

  const outermost: Surroundings = { lists: [], standby: true, reload: true };
  collect(config.sources ?? [], root, "sources", outermost);
  const entryWritten = { text: config.entry, field: "entry" };
  const entry = listing.fileAt(path.resolve(root, config.entry));
  if (entry === undefined) throw missing(entryWritten, root, "file");
  add([entry], outermost);
  const order = withOutputs(listed, steps, outputs, () => []);
  for (const file of order.keys()) if (!listed.has(file)) listed.set(file, []);

  const mixins = (config.mixins ?? []).map((text, index) => {
    const file = listing.fileAt(path.resolve(root, text));
    if (file !== undefined) return file;
    throw missing({ text, field: `mixins[${index}]` }, root, "file");
  });

  /** What each source needs, and where that is written. */
  const graph = new Map<string, Map<string, string>>();
  for (const source of order.keys()) graph.set(source, new Map());
  const need = (source: string, needed: string, field: string): void => {
    const needs = graph.get(source);
    if (needs?.has(needed) === false) needs.set(needed, field);
  };

  const lookedUp = new Map<NeedsList, Map<Written, Set<string>>>();
  const resolveList = (list: NeedsList): Map<Written, Set<string>> => {
    const known = lookedUp.get(list);
    if (known !== undefined) return known;
    const found = new Map(
      list.needs.map((written) => [written, lookUp(written, list.bases)]),
    );
    lookedUp.set(list, found);
    return found;
  };
  for (const [source, lists] of listed) {
    for (const list of lists) {
      const found = resolveList(list);
      const isNamed = [...found.values()].some((named) => named.has(source));
      if (list.isShared && isNamed) continue;
      for (const [written, named] of found) {
        for (const needed of named) {
          // A glob that happens to match the one it stands at means the others.
          if (needed === source && listing.isGlob(written.text)) continue;
          need(source, needed, written.field);
        }
      }
    }
  }

  for (const [key, values] of Object.entries(config.changes ?? {})) {
    const field = `changes[${JSON.stringify(key)}]`;
    const changed = lookUp({ text: key, field: "changes" }, [root]);
    values.forEach((text, index) => {
      const written = { text, field: `${field}[${index}]` };
      for (const source of lookUp(written, [root])) {
        for (const needed of changed) {
          const isByGlob = listing.isGlob(text) || listing.isGlob(key);
          if (needed === source && isByGlob) continue;
          need(source, needed, written.field);
        }
      }
    });
  }

  const cycle = findCycle(graph);
  if (cycle !== undefined)
    throw needsCycle(
      place.name,
      cycle.sources.map((source) => relativeTo(root, source)),
      cycle.fields,
    );
  const resolved = {
    entry,
    mixins: [...new Set(mixins)],
    steps: resolveSteps(steps, outputs, place.name, root),
    sources: [...graph].map(([source, needs]) => ({
      path: source,
      needs: [...needs.keys()],
      standby: !keptBack.has(source),
      reload: !unreloaded.has(source),
    })),
    globs: expander.globs(),
  };
  return { resolved, needs: graph };
}
