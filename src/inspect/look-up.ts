/** The sources that a user names. */
import { existsSync } from "node:fs";
import path from "node:path";
import { realPath } from "../compiler/project-sources.js";
import { PreforkError } from "../errors.js";
import { relativeTo } from "../manifest/messages.js";
import { didYouMean, nearest } from "../manifest/nearest.js";
import type { ProjectModel } from "./types.js";

/**
 * Finds the source that a text names: a path relative to the working directory, else to the root.
 *
 * @throws PreforkError ERR_PREFORK_USAGE - it is none, with the nearest that is one
 */
export function lookUpSource(
  { edges, root, manifest }: ProjectModel,
  text: string,
  cwd: string,
): string {
  const bases = [...new Set([cwd, root])];
  for (const base of bases) {
    const absolute = path.resolve(base, text);
    for (const file of [absolute, realPath(absolute)]) {
      if (edges.has(file)) return file;
    }
  }
  const candidates = new Map<string, string>();
  for (const base of bases) {
    for (const source of edges.keys()) {
      candidates.set(relativeTo(base, source), source);
    }
  }
  const name = path.posix.basename(text.replaceAll("\\", "/"));
  const meant =
    nearest(text, candidates.keys()) ??
    [...candidates.keys()].find((each) => path.posix.basename(each) === name);
  const isThere = bases.some((base) => existsSync(path.resolve(base, text)));
  const problem = isThere
    ? `is a file, but no source of the project: nothing imports it${manifest === undefined ? "" : ", and the manifest doesn't list it"}.`
    : "is no source of the project.";
  throw new PreforkError(
    "ERR_PREFORK_USAGE",
    `"${text}" ${problem}${didYouMean(meant)} "prefork-dev files" lists them all.`,
  );
}
