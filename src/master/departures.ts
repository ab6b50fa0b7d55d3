/**
 * How processes go: given up while they boot, drained when another took their place or there are to be fewer,
 * killed. Knows all that are on their way out. When one has to go is decided in `decide.ts` and `scaling.ts`.
 */
import type { WorkerProcess } from "../pool/worker-process.js";
import { StreamEnd } from "./stream-end.js";
import type { Place, Serving } from "./place.js";
import type {
  EndReason,
  ProcessEvent,
  ServingProcess,
  Traffic,
} from "./types.js";

export interface DeparturesOptions {
  readonly traffic: Traffic;
  readonly onEvent: (event: ProcessEvent) => void;
  /** How many processes may drain with open streams. Read whenever it's needed. */
  readonly maxDraining: number;
  /** Are the streams of a replaced process ended at its drain deadline? Read whenever it's needed. */
  readonly endStreams: boolean;
}

export class Departures {
  readonly #options: DeparturesOptions;
  readonly #onClosed: () => void;
  /** What goes, and when it's gone. */
  readonly #going = new Map<WorkerProcess, Promise<void>>();
  /** Those of them that drain, the oldest first. */
  readonly #draining = new Set<StreamEnd>();
  /** Those that another took the place of, and that may still accept connections on the worker's port. */
  readonly #accepting = new Set<WorkerProcess>();

  /** @param onClosed - called when {@link isAccepting} may be another */
  constructor(options: DeparturesOptions, onClosed: () => void) {
    this.#options = options;
    this.#onClosed = onClosed;
  }

  /** May a process that another took the place of still accept connections? */
  get isAccepting(): boolean {
    return this.#accepting.size > 0;
  }

  /** Ends the process that boots in a place. */
  abandon(place: Place): void {
    const { booting, worker } = place;
    if (booting === undefined) return;
    place.booting = undefined;
    void this.#track(booting.process, async () => {
      await booting.process.kill();
      worker.forget(booting);
    });
  }

  /**
   * Lets a process go that serves, or served until now. The place may have another one by then.
   *
   * @returns fulfils when it's gone
   */
  retire(place: Place, serving: Serving, reason: EndReason): Promise<void> {
    const { onEvent } = this.#options;
    if (place.serving === serving) place.serving = undefined;
    const { placed, target } = serving;
    const { worker, pid, generation } = target;
    const identity = { worker, pid, port: place.worker.port, generation };
    onEvent({ kind: "draining", ...identity, reason });
    place.draining++;
    return this.#track(placed.process, async () => {
      if (reason === "hung") await this.#kill(place, serving);
      else await this.#drain(place, serving, reason);
      place.draining--;
      onEvent({ kind: "stopped", ...identity, reason });
    });
  }

  async #drain(
    place: Place,
    { placed, target }: Serving,
    reason: EndReason,
  ): Promise<void> {
    const { traffic } = this.#options;
    const { process } = placed;
    const leases = traffic.drain(target);
    if (reason === "replaced") this.#accepting.add(process);
    const end = new StreamEnd(process);
    this.#draining.add(end);
    this.#limitDraining();
    await place.worker.retire(placed, {
      onClosed: () => {
        if (this.#accepting.delete(process)) this.#onClosed();
      },
      leases,
      abort: () => traffic.remove(target),
      streamsEnded: end.ended,
      // Whoever asked for the end of a process waits for it.
      mayWait: (hasDirect) =>
        reason === "replaced" &&
        !this.#options.endStreams &&
        !end.isEnded &&
        (hasDirect || this.#hasStreams(target)),
    });
    this.#draining.delete(end);
  }

  /** Streams are many old processes' only reason to live: those of the oldest end first. */
  #limitDraining(): void {
    let surplus = this.#draining.size - this.#options.maxDraining;
    for (const each of this.#draining) {
      if (surplus-- <= 0) return;
      each.end();
    }
  }

  #hasStreams(target: ServingProcess): boolean {
    return (this.#options.traffic.load(target)?.streams ?? 0) > 0;
  }

  /** Ends the event streams and upgraded sockets of all that drains. */
  endStreams(): void {
    for (const each of this.#draining) each.end();
  }

  /** A process that doesn't turn its event loop can't drain. */
  async #kill(place: Place, { placed, target }: Serving): Promise<void> {
    this.#options.traffic.remove(target);
    await placed.process.kill();
    place.worker.forget(placed);
  }

  /** The generations of what is on its way out: a process with open streams may live for long, and load more of its code. */
  generations(): number[] {
    return Array.from(this.#going.keys(), ({ program }) => program.generation);
  }

  /** Fulfils when nothing is on its way out any more. */
  async gone(): Promise<void> {
    await Promise.all(this.#going.values());
  }

  /** Kills what is on its way out. */
  async kill(): Promise<void> {
    await Promise.all(
      Array.from(this.#going.keys(), (process) => process.kill()),
    );
  }

  #track(process: WorkerProcess, go: () => Promise<void>): Promise<void> {
    const gone = go().finally(() => this.#going.delete(process));
    this.#going.set(process, gone);
    return gone;
  }
}
