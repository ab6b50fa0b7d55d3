import { realpathSync } from "node:fs";
import type { ResolvedProject, ResolvedSource } from "../manifest/types.js";
import { RealPaths } from "../real-paths.js";

/** What the compiler takes from a project, by real paths: those are what imports resolve to. */
export interface ProjectSources {
  readonly entry: string;
  /** The listed sources in order, then the mixins, each once. */
  readonly listed: readonly string[];
  readonly mixins: readonly string[];
  /** The entry, then those listed. */
  readonly roots: readonly string[];
  /** Declared dependencies, by source. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
}

/** Reads a project. */
export function projectSources(project: ResolvedProject): ProjectSources {
  const real = realPathOfMany();
  const needs = new Map<string, readonly string[]>();
  for (const { path, needs: needed } of project.sources) {
    const source = real(path);
    const all = [...(needs.get(source) ?? []), ...needed.map(real)];
    needs.set(source, [...new Set(all)]);
  }
  const inNeeds = [...needs.values()].flat();
  // Nothing imports them: processes load them by name, after the program.
  const mixins = project.mixins.map(real);
  const entry = real(project.entry);
  const listed = [...new Set([...needs.keys(), ...inNeeds, ...mixins])];
  const roots = [entry, ...listed];
  return { entry, listed, mixins, roots, needs: withoutNothing(needs) };
}

/** As {@link realPath}, for many paths at a moment. */
export function realPathOfMany(): typeof realPath {
  const files = new RealPaths();
  return (path) => files.fileAt(path) ?? realPath(path);
}

/** A path without symbolic links; as it is when it doesn't exist. */
export function realPath(path: ResolvedSource["path"]): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function withoutNothing(
  needs: ReadonlyMap<string, readonly string[]>,
): Map<string, readonly string[]> {
  return new Map([...needs].filter(([, needed]) => needed.length > 0));
}
