/**
 * From what the user named to a `ResolvedProject`: finds the target, evaluates the manifest if there is one, checks its
 * shape and resolves its sources. Called at the start, and again when a file of `definedBy` has changed.
 *
 * It never looks into sources: what they import is the compiler's business.
 */
import path from "node:path";
import { evaluateManifest } from "./evaluate.js";
import { display, findTarget, packageFields } from "./find.js";
import { fileListing } from "./listing.js";
import { rootOfEntry } from "./locate-project.js";
import { resolveSources } from "./resolve.js";
import type { ResolvedProject } from "./types.js";
import { parseConfig } from "./validate.js";

/** Options of `loadProject`. */
export interface LoadProjectOptions {
  /** What a relative target, and the paths in messages, are relative to. Default: the working directory. */
  readonly cwd?: string;
}

function nameOf(root: string): string {
  const { name } = packageFields(root) as { name?: unknown };
  return typeof name === "string" && name !== "" ? name : path.basename(root);
}

async function loadManifest(
  file: string,
  cwd: string,
): Promise<ResolvedProject> {
  const name = display(cwd, file);
  const root = path.dirname(file);
  const { value, definedBy } = await evaluateManifest(file, cwd);
  const config = parseConfig(value, name);
  const place = { name, path: file, root };
  const resolved = resolveSources(config, place, fileListing);
  return {
    name: config.name ?? nameOf(root),
    root,
    manifest: file,
    ...resolved,
    preload: [...new Set(config.preload)],
    definedBy,
  };
}

/**
 * Loads a project.
 *
 * A manifest is bundled by itself (its imports of files included, packages not), evaluated once per call in this process,
 * and may use top-level await. Its project's `root` is the directory it stands in. An entry file without a manifest is a
 * project of one source, whose `root` is the nearest directory above it with a `package.json`.
 *
 * @param target - an entry file, a manifest (`prefork.config.ts`, `.mts`, `.js`, `.mjs`) or a directory that holds one.
 *   Default: the working directory
 * @throws PreforkError ERR_PREFORK_TARGET - the target is none of these
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
  const found = findTarget(target, cwd);
  if (found.kind === "manifest") return loadManifest(found.path, cwd);
  const root = rootOfEntry(found.path);
  return {
    name: nameOf(root),
    root,
    manifest: undefined,
    entry: found.path,
    sources: [{ path: found.path, needs: [], standby: true }],
    preload: [],
    mixins: [],
    definedBy: [],
  };
}
