/**
 * What becomes of processes, and what follows from it for their worker: ready, died, failed to boot, hangs. What is booted
 * next is decided elsewhere (`decide.ts`), after each of these.
 */
import type { Diagnostic } from "../diagnostic.js";
import { backoffMs } from "../pool/backoff.js";
import type { WorkerProcess } from "../pool/worker-process.js";
import type { BootOptions } from "./boot.js";
import type { Departures } from "./departures.js";
import type { Following } from "./following.js";
import { bootEnded } from "./place.js";
import type { Place, Serving } from "./place.js";
import type { Roll, Rolls } from "./roll.js";
import type { Canary, ProcessEvent, ProcessIdentity } from "./types.js";

/** A process that dies within this time after it was ready counts as a failure towards the backoff. */
const EARLY_DEATH_MS = 5_000;

export interface LivesOptions extends Pick<BootOptions, "traffic" | "onEvent"> {
  readonly places: readonly Place[];
  readonly rolls: Rolls;
  readonly departures: Departures;
  readonly following: Following;
  /** Is a process that hangs replaced? */
  readonly replaceHung: boolean;
  /** Looks at what is to be booted now. */
  readonly step: () => void;
}

export class Lives {
  readonly #options: LivesOptions;
  #ended = false;

  constructor(options: LivesOptions) {
    this.#options = options;
  }

  /** Whatever ends from now on was meant to. */
  end(): void {
    this.#ended = true;
  }

  /** The swap, in one tick. */
  served(place: Place, next: Serving, canary: Canary): void {
    const { traffic, rolls, departures, following } = this.#options;
    const { isStandby, bootMs, activateMs, loadMs, listenMs } = canary;
    const { process } = next.placed;
    const times = { isStandby, bootMs, activateMs, loadMs, listenMs };
    this.#tell(place, process, { kind: "ready", ...times });
    const previous = place.serving;
    const endReason = place.stale ?? "replaced";
    if (place.stale === "hung") place.restarts++;
    place.stale = undefined;
    place.serving = next;
    const proven = rolls.ready(next.target.generation, canary);
    traffic.admit(next.target, previous?.target);
    if (proven !== undefined) following.proven(next.target, proven);
    traffic.expose(place.worker.index);
    if (previous !== undefined)
      void departures.retire(place, previous, endReason);
    bootEnded(place, { kind: "ready", serving: next });
    void process.exited.then(() => this.#exited(place, next));
  }

  async #exited(place: Place, serving: Serving): Promise<void> {
    if (place.serving !== serving) return; // it was asked to
    const { placed, target, readyAt } = serving;
    place.serving = undefined;
    place.stale = undefined;
    place.emptyBecause = "died";
    place.restarts++;
    this.#options.traffic.remove(target);
    place.worker.forget(placed);
    place.failures =
      performance.now() - readyAt < EARLY_DEATH_MS ? place.failures + 1 : 0;
    // The first death is no pattern yet: the place is refilled at once.
    const wait = backoffMs(Math.max(0, place.failures - 1));
    place.retryAt = performance.now() + wait;
    const exit = await placed.process.exited;
    if (this.#ended) return;
    const end = { kind: "died", ...exit, backoffMs: wait } as const;
    this.#tell(place, placed.process, end);
    this.#options.step();
  }

  bootFailed(
    place: Place,
    roll: Roll,
    process: WorkerProcess,
    diagnostic: Diagnostic,
  ): void {
    if (this.#ended) return;
    let retryMs: number | undefined;
    if (this.#options.rolls.failed(roll, diagnostic)) {
      retryMs = backoffMs(++place.failures);
      place.retryAt = performance.now() + retryMs;
    }
    if (place.serving === undefined) place.emptyBecause = "retry";
    // Whoever asked is told, and may ask again.
    else if (place.stale === "asked") place.stale = undefined;
    this.#tell(place, process, { kind: "boot-failed", diagnostic, retryMs });
    bootEnded(place, { kind: "failed", diagnostic });
  }

  /** No heartbeat for so long. */
  hung(process: WorkerProcess, silentMs: number): void {
    const place = this.#placeOf(process);
    if (place === undefined) return;
    const isReplaced = this.#options.replaceHung;
    this.#tell(place, process, { kind: "hung", silentMs, isReplaced });
    if (!isReplaced) return;
    place.stale = "hung";
    this.#options.step();
  }

  /** The heartbeat of one that hung. */
  responsive(process: WorkerProcess, silentMs: number): void {
    const place = this.#placeOf(process);
    if (place !== undefined)
      this.#tell(place, process, { kind: "responsive", silentMs });
  }

  #placeOf(process: WorkerProcess): Place | undefined {
    return this.#options.places.find(
      ({ serving }) => serving?.placed.process === process,
    );
  }

  #tell(
    place: Place,
    process: WorkerProcess,
    event: WithoutIdentity<ProcessEvent>,
  ): void {
    const { index: worker, port } = place.worker;
    const { pid, program } = process;
    const { generation } = program;
    this.#options.onEvent({ ...event, worker, pid, port, generation });
  }
}

/** An event without the process that it's about. */
type WithoutIdentity<Event> = Event extends unknown
  ? Omit<Event, keyof ProcessIdentity>
  : never;
