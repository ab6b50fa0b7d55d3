/** The functions that a manifest is written with. They type it; at run time they hand back what they got. */
import type { ProjectConfig, SourceDirectory, SourceFile } from "./types.js";

/**
 * Types a manifest; at run time it hands back what it got. A manifest with several projects exports a list of these.
 *
 * @example
 * ```ts
 * // prefork.config.ts
 * import { defineProject, directory, file } from "prefork-dev";
 *
 * export default defineProject({
 *   entry: "src/server.ts",
 *   sources: [
 *     "src/schema.graphql",
 *     directory("src/models", ["base.ts", "*.ts"], { needs: ["base.ts"] }),
 *     file("src/server.ts", { needs: ["src/schema.graphql"] }),
 *   ],
 *   server: { workers: 4 },
 * });
 * ```
 */
export function defineProject(config: ProjectConfig): ProjectConfig {
  return config;
}

/** What can be said of a source, beside its path. */
export type FileOptions = Omit<SourceFile, "file">;

/** What can be said of all sources in a directory. */
export type DirectoryOptions = Omit<SourceDirectory, "directory" | "sources">;

/**
 * A source, or a glob of sources: the same as `{ file: path, ...options }`.
 *
 * @param path - a path or a glob, relative to the directory that the entry stands in
 *
 * @example
 * ```ts
 * file("src/routes/*.ts", { needs: ["views/*.html"] })
 * ```
 */
export function file(path: string, options: FileOptions = {}): SourceFile {
  return { ...options, file: path };
}

/**
 * A nested directory: the same as `{ directory: path, sources, ...options }`.
 *
 * @param path - relative to the directory that the entry stands in
 * @param sources - in load order; their paths are relative to the directory
 *
 * @example
 * ```ts
 * directory("src/models", ["user.ts", "order.ts"], { needs: ["schema.sql"] })
 * ```
 */
export function directory(
  path: string,
  sources: SourceDirectory["sources"],
  options: DirectoryOptions = {},
): SourceDirectory {
  return { ...options, directory: path, sources };
}
