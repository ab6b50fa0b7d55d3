/** Reads a manifest: evaluates it, checks the shape of its projects, and resolves the one that is asked for. */
import { statSync } from "node:fs";
import path from "node:path";
import { evaluateManifest } from "./evaluate.js";
import { knowing } from "./files-of.js";
import { display, packageFields } from "./find.js";
import { quickListing } from "./quick-listing.js";
import { resolveSources } from "./resolve.js";
import { resolveServer } from "./resolve-server.js";
import type { ProjectConfig, ResolvedProject } from "./types.js";
import { labelOf, parseConfig, parseConfigs } from "./validate.js";

/** A manifest whose projects have the right shape. */
export interface ReadManifest {
  /** Absolute and real. */
  readonly path: string;
  /** Its name in messages. */
  readonly shown: string;
  /** Is its default export a list? */
  readonly isList: boolean;
  readonly projects: readonly ProjectConfig[];
  /** The projects' names. */
  readonly names: readonly string[];
  /** The manifest and what it imports. */
  readonly definedBy: readonly string[];
  /** When reading began: Unix time in milliseconds. */
  readonly readAt: number;
}

/** What was read longer ago is read again by whoever needs it as it is now. */
const FRESH_MS = 1_000;

/** When the manifest of each project was read. */
const readAtOf = new WeakMap<ResolvedProject, number>();

/**
 * Was a project's manifest read just now, and is it as it was? Reading it again would give the same: a server's first build needn't do
 * what was done to make the server.
 */
export function isFresh(project: ResolvedProject): boolean {
  const readAt = readAtOf.get(project) ?? 0;
  if (Math.abs(Date.now() - readAt) > FRESH_MS) return false;
  return writtenSince(project).length === 0;
}

/** The files that define a project and that were written, or went away, since it was read. None of one that wasn't read here. */
export function writtenSince(project: ResolvedProject): string[] {
  const readAt = readAtOf.get(project);
  if (readAt === undefined) return [];
  return project.definedBy.filter((file) => {
    const stats = statSync(file, { throwIfNoEntry: false });
    return !stats || Math.max(stats.mtimeMs, stats.ctimeMs) >= readAt;
  });
}

/** What a project is called that has no name of its own. */
export function nameOf(root: string): string {
  const { name } = packageFields(root) as { name?: unknown };
  return typeof name === "string" && name !== "" ? name : path.basename(root);
}

/**
 * Reads a manifest.
 *
 * @param file - absolute and real
 * @param cwd - what paths in messages are relative to
 * @throws PreforkError ERR_PREFORK_MANIFEST; `filesLookedAt` has what was read
 */
export async function readManifest(
  file: string,
  cwd: string,
): Promise<ReadManifest> {
  const shown = display(cwd, file);
  const readAt = Date.now();
  const { value, definedBy } = await evaluateManifest(file, cwd);
  return knowing(definedBy, () => {
    const isList = Array.isArray(value);
    const projects = isList
      ? parseConfigs(value, shown)
      : [parseConfig(value, shown)];
    const names = projects.map(
      ({ name }) => name ?? nameOf(path.dirname(file)),
    );
    return { path: file, shown, isList, projects, names, definedBy, readAt };
  });
}

/**
 * Resolves a project of a manifest.
 *
 * @param index - its place in the list
 * @throws PreforkError ERR_PREFORK_SOURCE_MISSING, ERR_PREFORK_NEEDS_UNKNOWN, ERR_PREFORK_NEEDS_CYCLE; `filesLookedAt` has
 * what was read, and which missing file was asked for
 */
export function resolveProject(
  read: ReadManifest,
  index: number,
): ResolvedProject {
  const { path: manifest, shown, isList, projects, names, definedBy } = read;
  const root = path.dirname(manifest);
  const name = names[index] ?? "";
  const config = projects[index] ?? { entry: "" };
  const label = isList ? labelOf(shown, name) : shown;
  const place = { name: label, path: manifest, root };
  const resolved = knowing(definedBy, () => ({
    name,
    root,
    manifest,
    isOneOfList: isList,
    ...resolveSources(config, place, quickListing()),
    listsSources: config.sources !== undefined,
    preload: [...new Set(config.preload)],
    server: resolveServer(config.server ?? {}, root),
    definedBy,
  }));
  readAtOf.set(resolved, read.readAt);
  return resolved;
}
