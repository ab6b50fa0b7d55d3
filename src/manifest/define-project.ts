import type { ProjectConfig } from "./types.js";

/**
 * Types a manifest; at run time it hands back what it got.
 *
 * @example
 * ```ts
 * // prefork.config.ts
 * import { defineProject } from "prefork-dev";
 *
 * export default defineProject({
 *   entry: "src/server.ts",
 *   sources: [
 *     "src/schema.graphql",
 *     { directory: "src/models", sources: ["base.ts", "*.ts"], needs: ["base.ts"] },
 *     { file: "src/server.ts", needs: ["src/schema.graphql"] },
 *   ],
 * });
 * ```
 */
export function defineProject(config: ProjectConfig): ProjectConfig {
  return config;
}
