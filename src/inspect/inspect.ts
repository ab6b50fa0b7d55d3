/**
 * Looks at a project without running it: what its sources are, in which order they are loaded, what leads from one to the
 * other, and how that compares with the manifest. It doesn't watch, builds no output, and knows no server.
 *
 * Called by the sub-commands `init`, `check`, `files` and `graph`. Reading is done by `read-project.ts` and the compiler's
 * `scanProject`; the answers are pure functions over a `ProjectModel`.
 */
import { PreforkError } from "../errors.js";
import { closureOf } from "../graph/index.js";
import { findingsOf } from "./check.js";
import { fixManifest, removeStaleDrafts } from "./fix.js";
import { readManifest } from "./read-project.js";
import type { Finding, ProjectModel } from "./types.js";

export { placeOfEdge } from "./check.js";
export { dot, mermaid } from "./diagrams.js";
export { initProject } from "./init.js";
export { lookUpSource } from "./look-up.js";
export { openModel } from "./open-model.js";
export { page } from "./page.js";
export { pathOfChange } from "./why.js";

/** What `check` found. */
export interface Checked {
  /** Absolute path; `undefined`: there is none, so there was nothing to compare. */
  readonly manifest: string | undefined;
  /** What is wrong (still, after mending). */
  readonly findings: readonly Finding[];
  /** What was mended. */
  readonly fixed: readonly Finding[];
  /** What could have been mended, but isn't written in the manifest as it would have to be. Also among `findings`. */
  readonly notFixed: readonly Finding[];
}

/**
 * Compares a manifest with what its sources import.
 *
 * @param target - an entry file, a manifest or a directory that holds one
 * @param shouldFix - whether to mend what is safe to mend
 * @throws PreforkError - as `loadProject`, but for sources and needs that aren't there: those are findings
 */
export async function checkProject(
  target: string,
  cwd: string,
  shouldFix: boolean,
): Promise<Checked> {
  const read = await readManifest(target, cwd);
  const none = { fixed: [], notFixed: [] };
  if (read === undefined) return { manifest: undefined, findings: [], ...none };
  const manifest = read.place.path;
  if (shouldFix) removeStaleDrafts(manifest);
  const findings = await findingsOf(read);
  if (!shouldFix || !findings.some(({ isFixable }) => isFixable)) {
    return { manifest, findings, ...none };
  }
  const { fixed, left } = await fixManifest(read, findings, cwd);
  const again = await readManifest(target, cwd);
  if (again === undefined) {
    throw new PreforkError(
      "ERR_PREFORK_MANIFEST",
      `${read.place.name} went away while it was checked. Try again.`,
    );
  }
  // Fields are other ones now.
  return { manifest, findings: await findingsOf(again), fixed, notFixed: left };
}

/** What a change of these sources reloads, in load order; nothing for those with `reload: false`. */
export function closureInOrder(
  { graph, edges, unreloaded }: ProjectModel,
  changed: readonly string[],
): string[] {
  const reloading = changed.filter((path) => !unreloaded.has(path));
  const closure = closureOf(graph, reloading);
  return [...edges.keys()].filter((path) => closure.has(path));
}
