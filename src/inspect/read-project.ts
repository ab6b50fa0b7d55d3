/** From what the user named to what its manifest says. Like `loadProject`, but it also keeps where things are written. */
import path from "node:path";
import { choose, chosenIndex } from "../manifest/choose.js";
import { display, findTarget } from "../manifest/find.js";
import type { Listing } from "../manifest/listing.js";
import { projectOfEntry as entryProject } from "../manifest/load-project.js";
import type { NeedsGraph } from "../manifest/needs.js";
import { readManifest as readProjects } from "../manifest/read-manifest.js";
import type { ReadManifest as ReadProjects } from "../manifest/read-manifest.js";
import { resolveWithNeeds } from "../manifest/resolve.js";
import type { ManifestPlace } from "../manifest/resolve.js";
import type { ProjectConfig } from "../manifest/types.js";
import { labelOf } from "../manifest/validate.js";
import type { ProjectOutline } from "./types.js";

/** A manifest as it was read, and which of its projects is meant. */
export interface ReadManifest {
  /** The one that is meant. */
  readonly config: ProjectConfig;
  /** Its name, its own or the default. */
  readonly name: string;
  readonly place: ManifestPlace;
  /** All projects of the manifest; most have one. */
  readonly projects: readonly ProjectConfig[];
  /** The place of the one that is meant among them. */
  readonly index: number;
}

/** A project as its manifest defines it, and where. */
export interface ReadProject extends ProjectOutline {
  /** What each source needs, and where that is written. */
  readonly needs: NeedsGraph;
}

/**
 * Reads the manifest that a target means.
 *
 * @returns `undefined` when it means an entry file without a manifest
 * @throws PreforkError ERR_PREFORK_TARGET, ERR_PREFORK_PROJECT, ERR_PREFORK_MANIFEST - as `loadProject`
 */
export async function readManifest(
  target: string,
  cwd: string,
): Promise<ReadManifest | undefined> {
  const { found, ...choice } = choose(target, cwd, undefined);
  if (found.kind === "entry") return undefined;
  const read = await readProjects(found.path, cwd);
  return one(read, chosenIndex(read, choice, cwd), found.path, cwd);
}

/**
 * Reads a draft of a manifest.
 *
 * @param file - absolute and real
 * @param of - what it's a draft of
 */
export async function readDraft(
  file: string,
  { place, index }: ReadManifest,
  cwd: string,
): Promise<ReadManifest> {
  return one(await readProjects(file, cwd), index, place.path, cwd);
}

function one(
  { projects, names, isList }: ReadProjects,
  index: number,
  manifest: string,
  cwd: string,
): ReadManifest {
  const config = projects[index];
  const name = names[index] ?? "";
  if (config === undefined) throw new Error(`no project ${index}`);
  const shown = display(cwd, manifest);
  const place = {
    name: isList ? labelOf(shown, name) : shown,
    path: manifest,
    root: path.dirname(manifest),
  };
  return { config, name, place, projects, index };
}

/**
 * The project that a manifest defines.
 *
 * @throws PreforkError ERR_PREFORK_SOURCE_MISSING, ERR_PREFORK_NEEDS_UNKNOWN, ERR_PREFORK_NEEDS_CYCLE - as `loadProject`
 */
export function projectOfManifest(
  { config, name, place }: Pick<ReadManifest, "config" | "name" | "place">,
  listing: Listing,
): ReadProject {
  const { resolved, needs } = resolveWithNeeds(config, place, listing);
  const { entry, sources, steps, mixins } = resolved;
  const { root, path: manifest } = place;
  const listed = sources.map((source) => source.path);
  const unreloaded = new Set(
    sources.filter(({ reload }) => !reload).map((source) => source.path),
  );
  const outlined = steps.map(({ field, inputs, outputs, outputGlobs }) => {
    const found = outputGlobs.flatMap(({ pattern, directory }) =>
      listing.glob(pattern, directory),
    );
    return { field, inputs, outputs: [...new Set([...outputs, ...found])] };
  });
  return {
    ...{ name, root, manifest, entry, listed, mixins, needs },
    ...{ unreloaded, steps: outlined },
  };
}

/** The project of an entry file without a manifest. */
export function projectOfEntry(target: string, cwd: string): ReadProject {
  const { sources, ...project } = entryProject(findTarget(target, cwd).path);
  return {
    ...project,
    listed: sources.map((source) => source.path),
    needs: new Map<string, Map<string, string>>(),
    unreloaded: new Set(),
    steps: [],
  };
}
