/** Orders about single workers, from whoever runs the server: replace its process, stop it, start it again. */
import { PreforkError } from "../errors.js";
import type { WorkerProcess } from "../pool/worker-process.js";
import type { Departures } from "./departures.js";
import { bootEnded, nextBoot } from "./place.js";
import type { Place } from "./place.js";
import type { RestartOutcome } from "./types.js";

export interface WorkerControlOptions {
  /** By index. Owned by the master. */
  readonly places: readonly Place[];
  readonly departures: Departures;
  /** Looks at what is to be booted now. */
  readonly step: () => void;
}

export class WorkerControl {
  readonly #options: WorkerControlOptions;

  constructor(options: WorkerControlOptions) {
    this.#options = options;
  }

  /** The workers that there are, without those that leave. */
  get indexes(): readonly number[] {
    return this.#options.places.map(({ worker }) => worker.index);
  }

  /** The process that serves for a worker, if there is one. */
  processOf(index: number): WorkerProcess | undefined {
    return this.#options.places[index]?.serving?.placed.process;
  }

  /**
   * Replaces a worker's process by a new one of the same generation, which is ready before the old one drains. A worker
   * without a process gets one.
   *
   * @throws PreforkError `ERR_PREFORK_OPTION` when there is no such worker
   */
  async restart(index: number): Promise<RestartOutcome> {
    const place = this.#placeAt(index);
    place.isHeld = false;
    place.retryAt = 0;
    if (place.serving === undefined) place.emptyBecause = "asked";
    else place.stale ??= "asked";
    return await this.#booted(place);
  }

  /**
   * Starts a worker that was stopped.
   *
   * @throws PreforkError `ERR_PREFORK_OPTION` when there is no such worker
   */
  async start(index: number): Promise<RestartOutcome> {
    const place = this.#placeAt(index);
    place.isHeld = false;
    if (place.serving !== undefined)
      return { kind: "done", pid: place.serving.target.pid };
    place.emptyBecause = "start";
    return await this.#booted(place);
  }

  /**
   * Drains and stops a worker's process. The worker keeps its port, and has no process until it is started, replaced or unregistered.
   *
   * @returns fulfils when the process is gone
   * @throws PreforkError `ERR_PREFORK_OPTION` when there is no such worker, or no other one that would serve
   */
  async stop(index: number): Promise<void> {
    const { places, departures, step } = this.#options;
    const place = this.#placeAt(index);
    if (places.every((each) => each === place || each.isHeld)) {
      throw new PreforkError(
        "ERR_PREFORK_OPTION",
        `worker ${index} is the last one that serves: stop the server instead, with server.stop()`,
      );
    }
    place.isHeld = true;
    place.stale = undefined;
    departures.abandon(place);
    // Whoever waits for a restart of it.
    bootEnded(place, { kind: "none" });
    const { serving } = place;
    const gone = serving && departures.retire(place, serving, "asked");
    step();
    await gone;
  }

  #booted(place: Place): Promise<RestartOutcome> {
    const end = nextBoot(place);
    this.#options.step();
    return end.then((boot) => {
      if (boot.kind === "failed") return boot;
      return boot.kind === "ready"
        ? { kind: "done", pid: boot.serving.target.pid }
        : { kind: "stopped" };
    });
  }

  #placeAt(index: number): Place {
    const place = this.#options.places[index];
    if (place !== undefined) return place;
    throw new PreforkError(
      "ERR_PREFORK_OPTION",
      `there is no worker ${index}: they are numbered from 0 to ${this.#options.places.length - 1}`,
    );
  }
}
