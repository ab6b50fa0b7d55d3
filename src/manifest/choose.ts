/** Which project a target means where a manifest has several: `shop`, `apps#shop`, or a target and the option `project`. */
import { existsSync } from "node:fs";
import path from "node:path";
import { PreforkError } from "../errors.js";
import {
  display,
  findTarget,
  manifestIn,
  nearestTarget,
  PROGRAM_NAME,
} from "./find.js";
import type { Target } from "./find.js";
import { didYouMean, nearest } from "./nearest.js";
import type { ResolvedProject } from "./types.js";

/** A target that was found, and the project that is meant. */
export interface Choice {
  readonly found: Target;
  /** The project's name, as written; `undefined`: none was chosen. */
  readonly project: string | undefined;
  /** The target as written, if it is no path: it's the name of a project, or a mistake. */
  readonly asName: string | undefined;
}

/**
 * Finds what a target means. A path that exists is a path.
 *
 * @param target - as written: a path, `<path>#<project>`, or the name of a project of the manifest in `cwd`
 * @param project - the project's name, if the caller gave it apart
 * @throws PreforkError ERR_PREFORK_TARGET - it is none of these
 */
export function choose(
  target: string,
  cwd: string,
  project: string | undefined,
): Choice {
  const isPath = existsSync(path.resolve(cwd, target));
  if (isPath || project !== undefined)
    return { found: findTarget(target, cwd), project, asName: undefined };
  const at = target.lastIndexOf("#");
  const before = target.slice(0, Math.max(at, 0)) || ".";
  if (at !== -1 && existsSync(path.resolve(cwd, before))) {
    const found = findTarget(before, cwd);
    return { found, project: target.slice(at + 1), asName: undefined };
  }
  const manifest = PROGRAM_NAME.test(target) ? undefined : manifestIn(cwd);
  if (manifest === undefined)
    return { found: findTarget(target, cwd), project, asName: undefined };
  const found: Target = { kind: "manifest", path: manifest };
  return { found, project: target, asName: target };
}

/** A project's manifest with, of several, which; or its entry: what clients know its server by. */
export function targetOf({
  manifest,
  entry,
  name,
  isOneOfList,
}: Pick<
  ResolvedProject,
  "manifest" | "entry" | "name" | "isOneOfList"
>): string {
  if (manifest === undefined) return entry;
  return isOneOfList ? targetIn(manifest, name) : manifest;
}

/** A project of a manifest that has several. */
export function targetIn(manifest: string, project: string): string {
  return `${manifest}#${project}`;
}

/** A manifest, as far as choosing one of its projects goes. */
interface Choosable {
  readonly path: string;
  /** The projects' names. */
  readonly names: readonly string[];
}

/**
 * The place in the list of the project that is meant: the only one, if none was chosen.
 *
 * @throws PreforkError ERR_PREFORK_PROJECT - several, and none was chosen; or none of that name
 * @throws PreforkError ERR_PREFORK_TARGET - the target is neither a path nor a name
 */
export function chosenIndex(
  { path: manifest, names }: Choosable,
  { project, asName }: Pick<Choice, "project" | "asName">,
  cwd: string,
): number {
  const shown = display(cwd, manifest);
  const all = `It has: ${names.join(", ")}.`;
  if (project === undefined) {
    if (names.length === 1) return 0;
    throw new PreforkError(
      "ERR_PREFORK_PROJECT",
      `${shown} has several projects: ${names.join(", ")}. Say which: "prefork-dev ${shown}#${names[0] ?? ""}", ` +
        `or as the option { project: "${names[0] ?? ""}" }.`,
    );
  }
  const index = names.indexOf(project);
  if (index !== -1) return index;
  const near = nearest(project, names);
  throw asName === undefined
    ? new PreforkError(
        "ERR_PREFORK_PROJECT",
        `${shown} has no project "${project}".${didYouMean(near)} ${all}`,
      )
    : new PreforkError(
        "ERR_PREFORK_TARGET",
        `The target "${asName}" doesn't exist, and ${shown} has no project of that name.${didYouMean(near ?? nearestTarget(asName, cwd))} ${all} ` +
          "Give it an entry file, a manifest, a directory that holds one, or the name of one of its projects.",
      );
}
