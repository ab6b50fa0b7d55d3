/** A worker's place as the master keeps it, and what can be read off it. No effects. */
import type { PlacedProcess, WorkerPlace } from "../pool/worker-place.js";
import type { PlaceView } from "./decide.js";
import type { ServingProcess, WorkerStatus } from "./types.js";

/** A process that serves. */
export interface Serving {
  readonly placed: PlacedProcess;
  readonly target: ServingProcess;
  /** `performance.now()` when it was admitted. */
  readonly readyAt: number;
}

/** A process that was replaced. */
export interface Retiring {
  readonly generation: number;
  /** Fulfils when it's gone. */
  readonly gone: Promise<void>;
}

export interface Place {
  readonly worker: WorkerPlace;
  serving: Serving | undefined;
  booting: PlacedProcess | undefined;
  /** Boots that failed and early deaths, in a row. */
  failures: number;
  /** No boot before this time, on the clock of `performance.now()`. */
  retryAt: number;
  /** Processes that were replaced and drain. */
  readonly retiring: Set<Retiring>;
}

export function makePlace(worker: WorkerPlace): Place {
  return {
    worker,
    serving: undefined,
    booting: undefined,
    failures: 0,
    retryAt: 0,
    retiring: new Set(),
  };
}

/** What the decision needs to know. */
export function viewOf({
  worker,
  serving,
  booting,
  retryAt,
}: Place): PlaceView {
  return {
    index: worker.index,
    serving: serving?.target.generation,
    booting: booting?.process.program.generation,
    retryAt,
  };
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
  { serving, booting, retryAt }: Place,
  now: number,
): WorkerStatus["state"] {
  if (serving !== undefined) return "ready";
  if (booting !== undefined) return "booting";
  return retryAt > now ? "backoff" : "stopped";
}

export function statusOf(place: Place, now: number): WorkerStatus {
  const { worker, serving, booting, retiring } = place;
  return {
    index: worker.index,
    port: worker.port,
    pid: (serving?.placed ?? booting)?.process.pid,
    generation: serving?.target.generation,
    state: stateOf(place, now),
    draining: retiring.size,
  };
}
