/** What a server says of itself at a moment. Part of the composition root, called by `dev-server.ts`. */
import process from "node:process";
import { targetOf } from "./manifest/choose.js";
import type { ResolvedProject } from "./manifest/types.js";
import type { Running } from "./running.js";
import type { FrontNumbers } from "./front/numbers/types.js";
import type { WorkerStatus } from "./master/types.js";
import type {
  FrontStatus,
  ServerStatus,
  WorkerTraffic,
} from "./server-events.js";
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
  const numbers = parts?.front?.numbers();
  return {
    name: project.name,
    target: targetOf(project),
    pid: process.pid,
    uptimeMs,
    url: parts?.address.url,
    hosts: parts?.address.hosts ?? [],
    certificate: parts?.certificate?.info,
    generation: parts?.master.currentGeneration,
    sources: reloader?.sources ?? 0,
    workers: (parts?.master.status() ?? []).map((worker) => ({
      ...worker,
      traffic: numbers && trafficOf(worker, numbers),
    })),
    front: numbers && frontStatus(numbers),
    standbys: parts?.standbys.status() ?? [],
    notAhead: parts?.standbys.barred() ?? [],
    undeclared: watch?.undeclared ?? [],
    upstreams: parts?.upstreams.status() ?? [],
    steps: parts?.steps.status() ?? [],
    lastRoll: reloader?.lastOutcome(),
    lastError: reloader?.lastError,
  };
}

function frontStatus(numbers: FrontNumbers): FrontStatus {
  const { requests, refused, refusals, held, heldTotal, holds } = numbers;
  const { retries, upgrades, ownAnswers } = numbers;
  const { connections, bytesIn, bytesOut } = numbers;
  return {
    ...{ requests, refused, refusals, held, heldTotal },
    ...{ holdSumMs: holds.sumMs },
    ...{ holdP50Ms: holds.p50Ms, holdP99Ms: holds.p99Ms },
    ...{ retries, upgrades, ownAnswers, connections, bytesIn, bytesOut },
  };
}

function trafficOf(
  { index, generation }: WorkerStatus,
  { workers, latencies }: FrontNumbers,
): WorkerTraffic | undefined {
  const found = workers.find(({ worker }) => worker === index);
  if (found === undefined) return undefined;
  const { worker, ...numbers } = found;
  const series = latencies.find(
    (each) => each.worker === worker && each.generation === generation,
  );
  const { p50Ms, p99Ms } = series?.latency ?? {};
  return { ...numbers, p50Ms, p99Ms };
}
