/** What a server says of itself at a moment. Part of the composition root, called by `dev-server.ts`. */
import process from "node:process";
import { targetOf } from "./manifest/choose.js";
import type { ResolvedProject } from "./manifest/types.js";
import type { Running } from "./running.js";
import type { ServerStatus } from "./server-events.js";
import type { SourceWatch } from "./source-watch.js";

/**
 * @param running - `undefined` before the start
 * @param watch - `undefined`: nothing is watched
 */
export function serverStatus(
  project: ResolvedProject,
  running: Running | undefined,
  watch: SourceWatch | undefined,
  uptimeMs: number,
): ServerStatus {
  const parts = running?.parts;
  const reloader = running?.reloader;
  return {
    name: project.name,
    target: targetOf(project),
    pid: process.pid,
    uptimeMs,
    url: parts?.address.url,
    certificate: parts?.certificate?.info,
    generation: parts?.master.currentGeneration,
    sources: reloader?.sources ?? 0,
    workers: parts?.master.status() ?? [],
    standbys: parts?.standbys.status() ?? [],
    notAhead: parts?.standbys.barred() ?? [],
    undeclared: watch?.undeclared ?? [],
    upstreams: parts?.upstreams.status() ?? [],
    steps: parts?.steps.status() ?? [],
    lastRoll: reloader?.lastOutcome(),
    lastError: reloader?.lastError,
  };
}
