/** What a step reads and makes, as it is in the file system now. */
import path from "node:path";
import type { ResolvedStep } from "../manifest/types.js";
import { ABSENT, hashOf, hashOfFile } from "./files.js";
import type { Hashes } from "./files.js";
import type { StepProject } from "./types.js";

/** See this file's header. */
export class StepFiles {
  readonly #glob: (pattern: string, directory: string) => readonly string[];

  /** @param glob - the absolute paths of the files that a glob matches */
  constructor(glob: (pattern: string, directory: string) => readonly string[]) {
    this.#glob = glob;
  }

  /** What it makes: the files that it names by path, there or not, and those that its globs match. */
  outputsOf(step: ResolvedStep, { manifest }: StepProject): Set<string> {
    const files = new Set(step.outputs);
    for (const { pattern, directory } of step.outputGlobs)
      for (const file of this.#glob(pattern, directory)) files.add(file);
    // A glob that happens to match these means the others.
    for (const input of step.inputs) files.delete(input);
    if (manifest !== undefined) files.delete(manifest);
    return files;
  }

  /** What it should have made and hasn't, as messages show it. */
  missingOf(step: ResolvedStep, { root }: StepProject): string[] {
    const files = step.outputs.filter((file) => hashOfFile(file) === ABSENT);
    const globs = step.outputGlobs.filter(
      ({ pattern, directory }) => this.#glob(pattern, directory).length === 0,
    );
    return [
      ...files.map((file) => shown(root, file)),
      ...globs.map(({ pattern, directory }) =>
        shown(root, path.resolve(directory, pattern)),
      ),
    ];
  }
}

function shown(root: string, file: string): string {
  return path.relative(root, file).replaceAll(path.sep, "/");
}

/** A hash of contents, the same wherever the project stands. */
export function digestOf(contents: Hashes, root: string): string {
  const sorted = [...contents].sort(([a], [b]) => (a < b ? -1 : 1));
  return hashOf(sorted.flatMap(([file, hash]) => [shown(root, file), hash]));
}

/**
 * A hash of what a step runs and reads: with the same one, it has nothing to do.
 *
 * A function is its text and, since it may well call what the manifest imports, the content of all that.
 *
 * @param found - the contents of what it reads
 */
export function definitionOf(
  { task }: Pick<ResolvedStep, "task">,
  found: Hashes,
  { root, definedBy, manifest }: StepProject,
): string {
  const what =
    task.kind === "command"
      ? [JSON.stringify(task.command)]
      : [
          String(task.fn),
          ...definedBy.filter((file) => file !== manifest).map(hashOfFile),
        ];
  return hashOf([task.kind, ...what, digestOf(found, root)]);
}
