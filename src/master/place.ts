/** A worker's place as the master keeps it, and what can be read off it. No effects. */
import type { Diagnostic } from "../diagnostic.js";
import type { PlacedProcess, WorkerPlace } from "../pool/worker-place.js";
import type { PlaceView } from "./decide.js";
import type {
  ProcessLoad,
  ServingProcess,
  StartReason,
  WorkerStatus,
} from "./types.js";

/** A process that serves. */
export interface Serving {
  readonly placed: PlacedProcess;
  readonly target: ServingProcess;
  /** `performance.now()` when it was admitted. */
  readonly readyAt: number;
  readonly bootMs: number;
}

/** How the boot of a process that somebody waits for ended. */
export type BootEnd =
  | { readonly kind: "ready"; readonly serving: Serving }
  | { readonly kind: "failed"; readonly diagnostic: Diagnostic }
  /** There won't be one. */
  | { readonly kind: "none" };

export interface Place {
  readonly worker: WorkerPlace;
  serving: Serving | undefined;
  booting: PlacedProcess | undefined;
  /** Boots that failed and early deaths, in a row. */
  failures: number;
  /** No boot before this time, on the clock of `performance.now()`. */
  retryAt: number;
  /** Why the next process of an empty place is started. */
  emptyBecause: StartReason;
  /** Is it asked to have no process? */
  isHeld: boolean;
  /** Why what serves is to be replaced although it runs the right generation. */
  stale: "asked" | "hung" | undefined;
  /** Processes that died, or were replaced because they hung. */
  restarts: number;
  /** How many replaced processes drain. */
  draining: number;
  /** Called once, when the next boot ends. */
  readonly onBoot: ((end: BootEnd) => void)[];
}

export function makePlace(worker: WorkerPlace): Place {
  return {
    worker,
    serving: undefined,
    booting: undefined,
    failures: 0,
    retryAt: 0,
    emptyBecause: "start",
    isHeld: false,
    stale: undefined,
    restarts: 0,
    draining: 0,
    onBoot: [],
  };
}

/** How the next boot in a place ends. */
export function nextBoot(place: Place): Promise<BootEnd> {
  return new Promise((resolve) => place.onBoot.push(resolve));
}

/** Tells those that wait for {@link nextBoot}. */
export function bootEnded(place: Place, end: BootEnd): void {
  for (const tell of place.onBoot.splice(0)) tell(end);
}

/**
 * What the decision needs to know.
 *
 * @param startAt - no place boots its first process before this time, on the clock of `performance.now()`
 */
export function viewOf(place: Place, startAt: number): PlaceView {
  const { worker, serving, booting, retryAt, isHeld, stale } = place;
  const isFirst = serving === undefined && place.emptyBecause === "start";
  return {
    index: worker.index,
    serving: serving?.target.generation,
    booting: booting?.process.program.generation,
    retryAt: isFirst ? Math.max(retryAt, startAt) : retryAt,
    isHeld,
    isStale: stale !== undefined,
  };
}

/** Why a process of this generation is started here. */
export function startReason(place: Place, generation: number): StartReason {
  const { serving, stale, emptyBecause } = place;
  if (serving === undefined) return emptyBecause;
  if (serving.target.generation !== generation) return "reload";
  return stale ?? "reload";
}

/** The generations that a place's processes run, but for those that drain. */
export function generationsOf({ serving, booting }: Place): number[] {
  const generations = [
    serving?.target.generation,
    booting?.process.program.generation,
  ];
  return generations.filter((generation) => generation !== undefined);
}

function stateOf(
  { serving, booting, retryAt, draining }: Place,
  now: number,
): WorkerStatus["state"] {
  if (serving !== undefined) return "ready";
  if (booting !== undefined) return "booting";
  if (draining > 0) return "draining";
  return retryAt > now ? "backoff" : "stopped";
}

/** @param loadOf - what a process has to do, where that's known */
export function statusOf(
  place: Place,
  now: number,
  loadOf: (target: ServingProcess) => ProcessLoad | undefined,
): WorkerStatus {
  const { worker, serving, booting, draining, restarts } = place;
  const load = serving && loadOf(serving.target);
  const heartbeat = serving?.placed.process.heartbeat;
  return {
    index: worker.index,
    port: worker.port,
    pid: (serving?.placed ?? booting)?.process.pid,
    generation: serving?.target.generation,
    state: stateOf(place, now),
    draining,
    restarts,
    uptimeMs: serving && now - serving.readyAt,
    bootMs: serving?.bootMs,
    leases: load?.leases,
    requests: load?.requests,
    rssBytes: heartbeat?.rssBytes,
    loopDelayMs: heartbeat?.tookMs,
    isHung: heartbeat?.isMissed ?? false,
  };
}
