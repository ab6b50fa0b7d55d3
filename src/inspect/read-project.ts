/** From what the user named to what its manifest says. Like `loadProject`, but it also keeps where things are written. */
import path from "node:path";
import { evaluateManifest } from "../manifest/evaluate.js";
import { display, findTarget, packageFields } from "../manifest/find.js";
import type { Listing } from "../manifest/listing.js";
import { rootOfEntry } from "../manifest/locate-project.js";
import type { NeedsGraph } from "../manifest/needs.js";
import { resolveWithNeeds } from "../manifest/resolve.js";
import type { ManifestPlace } from "../manifest/resolve.js";
import type { ProjectConfig } from "../manifest/types.js";
import { parseConfig } from "../manifest/validate.js";

/** A manifest as it was read. */
export interface ReadManifest {
  readonly config: ProjectConfig;
  readonly place: ManifestPlace;
}

/** A project as its manifest defines it, and where. All paths are absolute and real. */
export interface ReadProject {
  readonly name: string;
  readonly root: string;
  readonly manifest: string | undefined;
  readonly entry: string;
  /** In the order listed; without a manifest the entry alone. */
  readonly listed: readonly string[];
  readonly mixins: readonly string[];
  /** What each source needs, and where that is written. */
  readonly needs: NeedsGraph;
}

/**
 * Reads the manifest that a target means.
 *
 * @returns `undefined` when it means an entry file without a manifest
 * @throws PreforkError ERR_PREFORK_TARGET, ERR_PREFORK_MANIFEST - as `loadProject`
 */
export async function readManifest(
  target: string,
  cwd: string,
): Promise<ReadManifest | undefined> {
  const found = findTarget(target, cwd);
  if (found.kind === "entry") return undefined;
  return await readManifestAt(found.path, found.path, cwd);
}

/**
 * Reads a manifest.
 *
 * @param file - absolute and real
 * @param as - the path that it stands for: another one, if `file` is a draft of it
 */
export async function readManifestAt(
  file: string,
  as: string,
  cwd: string,
): Promise<ReadManifest> {
  const name = display(cwd, as);
  const { value } = await evaluateManifest(file, cwd);
  const config = parseConfig(value, name);
  return { config, place: { name, path: as, root: path.dirname(as) } };
}

/**
 * The project that a manifest defines.
 *
 * @throws PreforkError ERR_PREFORK_SOURCE_MISSING, ERR_PREFORK_NEEDS_UNKNOWN, ERR_PREFORK_NEEDS_CYCLE - as `loadProject`
 */
export function projectOfManifest(
  { config, place }: ReadManifest,
  listing: Listing,
): ReadProject {
  const { resolved, needs } = resolveWithNeeds(config, place, listing);
  const { entry, sources, mixins } = resolved;
  const { root, path: manifest } = place;
  const listed = sources.map((source) => source.path);
  const name = config.name ?? nameOf(root);
  return { name, root, manifest, entry, listed, mixins, needs };
}

/** The project of an entry file without a manifest. */
export function projectOfEntry(target: string, cwd: string): ReadProject {
  const { path: entry } = findTarget(target, cwd);
  const root = rootOfEntry(entry);
  return {
    name: nameOf(root),
    root,
    manifest: undefined,
    entry,
    listed: [entry],
    mixins: [],
    needs: new Map<string, Map<string, string>>(),
  };
}

function nameOf(root: string): string {
  const { name } = packageFields(root) as { name?: unknown };
  return typeof name === "string" && name !== "" ? name : path.basename(root);
}
