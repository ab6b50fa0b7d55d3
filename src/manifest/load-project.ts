/**
 * From what the user named to a `ResolvedProject`: finds the target, evaluates the manifest if there is one, checks its
 * shape and resolves its sources. Called at the start, and again when a file of `definedBy` has changed.
 *
 * It never looks into sources: what they import is the compiler's business.
 */
import path from "node:path";
import process from "node:process";
import { choose, chosenIndex } from "./choose.js";
import type { Choice } from "./choose.js";
import { knowing } from "./files-of.js";
import { rootOfEntry } from "./locate-project.js";
import { nameOf, readManifest, resolveProject } from "./read-manifest.js";
import type { ResolvedProject } from "./types.js";

/** Options of `loadProject`. */
export interface LoadProjectOptions {
  /** What a relative target, and the paths in messages, are relative to. Default: the working directory. */
  readonly cwd?: string;
  /** The name of the project, where the manifest has several. Default: the only one. */
  readonly project?: string;
}

/** The project of a program without a manifest. */
export function projectOfEntry(entry: string): ResolvedProject {
  const root = rootOfEntry(entry);
  return {
    name: nameOf(root),
    root,
    manifest: undefined,
    isOneOfList: false,
    entry,
    sources: [{ path: entry, needs: [], standby: true, reload: true }],
    steps: [],
    globs: [],
    listsSources: false,
    preload: [],
    mixins: [],
    server: {},
    definedBy: [],
  };
}

async function loadChosen(
  { found, project, asName }: Choice,
  cwd: string,
): Promise<ResolvedProject> {
  if (found.kind === "manifest") {
    const manifest = await readManifest(found.path, cwd);
    const index = chosenIndex(manifest, { project, asName }, cwd);
    return resolveProject(manifest, index);
  }
  const only = projectOfEntry(found.path);
  chosenIndex(
    { path: only.entry, names: [only.name] },
    { project, asName },
    cwd,
  );
  return only;
}

/**
 * Loads a project.
 *
 * A manifest is bundled by itself (its imports of files included, packages not), evaluated once per call in this process,
 * and may use top-level await. Its project's `root` is the directory it stands in. An entry file without a manifest is a
 * project of one source, whose `root` is the nearest directory above it with a `package.json`.
 *
 * @param target - an entry file, a manifest (`prefork.config.ts`, `.mts`, `.js`, `.mjs`, `.json`), a directory that holds
 *   one, or the name of a project of the manifest in `cwd`; behind a manifest or directory `#<name>` chooses one of its
 *   projects. A path that exists is never taken for a name. Default: the working directory
 * @throws PreforkError ERR_PREFORK_TARGET - the target is none of these
 * @throws PreforkError ERR_PREFORK_PROJECT - the manifest has several projects and none was chosen, or none of that name
 * @throws PreforkError ERR_PREFORK_MANIFEST - the manifest can't be evaluated, or has the wrong shape
 * @throws PreforkError ERR_PREFORK_SOURCE_MISSING - it lists a source that doesn't exist
 * @throws PreforkError ERR_PREFORK_NEEDS_UNKNOWN - a `needs` or `changes` names no listed source
 * @throws PreforkError ERR_PREFORK_NEEDS_CYCLE - sources need each other in a circle
 *
 * @example
 * ```ts
 * const project = await loadProject("src/server.ts");
 * ```
 */
export async function loadProject(
  target = ".",
  options: LoadProjectOptions = {},
): Promise<ResolvedProject> {
  const cwd = path.resolve(options.cwd ?? ".");
  return await loadChosen(choose(target, cwd, options.project), cwd);
}

/**
 * Loads all projects of a manifest, in the order written. An entry file is a single one.
 *
 * @param target - as for `loadProject`, but for names
 * @throws PreforkError as `loadProject`, for any of the projects
 *
 * @example
 * ```ts
 * for (const { name, root } of await loadProjects()) console.log(name, root);
 * ```
 */
export async function loadProjects(
  target = ".",
  options: Pick<LoadProjectOptions, "cwd"> = {},
): Promise<readonly ResolvedProject[]> {
  const cwd = path.resolve(options.cwd ?? ".");
  const choice = choose(target, cwd, undefined);
  if (choice.found.kind === "entry" || choice.project !== undefined)
    return [await loadChosen(choice, cwd)];
  const manifest = await readManifest(choice.found.path, cwd);
  return manifest.projects.map((_, index) => resolveProject(manifest, index));
}

/** Options of `findProject`. */
export interface FindProjectOptions extends Pick<LoadProjectOptions, "cwd"> {
  /** The manifest that knows the project, or its directory. Default: the one in the working directory. */
  readonly target?: string;
}

/**
 * Finds a project by its name: so that a function may take either, as in `findProject("shop")`.
 *
 * @param nameOrProject - a name; or a project, which is handed back as it is
 * @throws PreforkError ERR_PREFORK_PROJECT - there is none of that name: the message has the nearest one, and all there are
 * @throws PreforkError as `loadProject`
 *
 * @example
 * ```ts
 * const shop = await findProject("shop");
 * ```
 */
export async function findProject(
  nameOrProject: string | ResolvedProject,
  options: FindProjectOptions = {},
): Promise<ResolvedProject> {
  if (typeof nameOrProject !== "string") return nameOrProject;
  const { target = ".", ...rest } = options;
  return await loadProject(target, { ...rest, project: nameOrProject });
}

/**
 * Loads a project of a manifest anew, as its manifest says now. In a list it's the one of the same name; a manifest's only
 * project may have got another name.
 *
 * @throws PreforkError as `loadProject`; `filesLookedAt` has what was read
 */
export async function reloadProject({
  manifest,
  name,
  entry,
}: ResolvedProject): Promise<ResolvedProject> {
  const cwd = process.cwd();
  if (manifest === undefined) return projectOfEntry(entry);
  const now = await readManifest(manifest, cwd);
  const project = now.names.length === 1 ? undefined : name;
  const choice = { project, asName: undefined };
  return knowing(now.definedBy, () =>
    resolveProject(now, chosenIndex(now, choice, cwd)),
  );
}
