/** Looks at a project: reads its manifest, scans its sources. Nothing is run but the manifest, nothing is written but the cache. */
import { scanProject } from "../compiler/scan-project.js";
import { modelOf } from "./model.js";
import { quickListing } from "../manifest/quick-listing.js";
import {
  projectOfEntry,
  projectOfManifest,
  readManifest,
} from "./read-project.js";
import type { ReadProject } from "./read-project.js";
import type { ProjectModel } from "./types.js";

/**
 * The model of the project that a target means.
 *
 * @param target - an entry file, a manifest or a directory that holds one
 * @param cwd - what a relative target is relative to
 * @throws PreforkError - as `loadProject`
 */
export async function openModel(
  target: string,
  cwd: string,
): Promise<ProjectModel> {
  const manifest = await readManifest(target, cwd);
  return await scanned(
    manifest === undefined
      ? projectOfEntry(target, cwd)
      : projectOfManifest(manifest, quickListing()),
  );
}

/** The model of a project that was read. */
export async function scanned(project: ReadProject): Promise<ProjectModel> {
  const { root, entry, listed, mixins } = project;
  const sources = await scanProject({
    root,
    entry,
    listed: [...listed, ...mixins],
  });
  return modelOf(project, sources);
}
