/** Opens a {@link Project}. */
import path from "node:path";
import { createCompiler } from "./compiler/compiler.js";
import { Project } from "./loaded-project.js";
import { loadProject } from "./manifest/load-project.js";
import type { LoadProjectOptions } from "./manifest/load-project.js";
import type { ResolvedProject } from "./manifest/types.js";
import { openSteps } from "./open-steps.js";
import { Guard } from "./pool/guard.js";

/**
 * Opens a project to load it into this process: for scripts, REPLs and tests, without a server. Loads nothing yet.
 *
 * @param target - as of `loadProject`; each `load()` then reads the manifest again. Or a project that was resolved already, which stays
 *   as it is. Default: the working directory
 * @returns a project to be closed
 * @throws PreforkError `ERR_PREFORK_TARGET`, `ERR_PREFORK_MANIFEST` and what else `loadProject` throws
 * @throws PreforkError ERR_PREFORK_CACHE - no cache directory can be written
 *
 * @example
 * ```ts
 * const project = await openProject();
 * await project.load();
 * const { greet } = project.exportsOf("src/greet.ts");
 * await project.close();
 * ```
 */
export async function openProject(
  target: string | ResolvedProject = ".",
  options: LoadProjectOptions = {},
): Promise<Project> {
  const cwd = path.resolve(options.cwd ?? ".");
  const resolve =
    typeof target === "string"
      ? async (): Promise<ResolvedProject> => await loadProject(target, { cwd })
      : undefined;
  const project =
    typeof target === "string" ? await loadProject(target, { cwd }) : target;
  const compiler = await createCompiler({ project, readsAll: true });
  const guards = new Set<Promise<void>>();
  const steps = openSteps(project, compiler, {
    onGroup: (pid, ended) => {
      const gone: Promise<void> = guardGroup(pid, ended).finally(() =>
        guards.delete(gone),
      );
      guards.add(gone);
    },
    onEvent: () => undefined,
  });
  const unguarded = async (): Promise<void> => {
    await Promise.all(guards);
  };
  return new Project({ project, compiler, steps, unguarded, resolve, cwd });
}

/**
 * A step's processes don't outlive the program, however that ends. A library installs no exit handlers, and none would run after
 * SIGKILL: so there is a guard as long as the step runs, and only then.
 */
async function guardGroup(pid: number, ended: Promise<unknown>): Promise<void> {
  const guard = new Guard();
  guard.watchGroup(pid, ended);
  await ended;
  await guard.close();
}
