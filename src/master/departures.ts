/**
 * How processes go: given up while they boot, drained when another took their place or there are to be fewer,
 * killed. Knows all that are on their way out. When one has to go is decided in `decide.ts` and `scaling.ts`.
 */
import type { WorkerProcess } from "../pool/worker-process.js";
import type { Place, Serving } from "./place.js";
import type { EndReason, ProcessEvent, Traffic } from "./types.js";

export class Departures {
  readonly #traffic: Traffic;
  readonly #onEvent: (event: ProcessEvent) => void;
  /** What goes, and when it's gone. */
  readonly #going = new Map<WorkerProcess, Promise<void>>();

  constructor(traffic: Traffic, onEvent: (event: ProcessEvent) => void) {
    this.#traffic = traffic;
    this.#onEvent = onEvent;
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
    if (place.serving === serving) place.serving = undefined;
    const { placed, target } = serving;
    const { worker, pid, generation } = target;
    const identity = { worker, pid, port: place.worker.port, generation };
    this.#onEvent({ kind: "draining", ...identity, reason });
    place.draining++;
    return this.#track(placed.process, async () => {
      if (reason === "hung") await this.#kill(place, serving);
      else {
        const leases = this.#traffic.drain(target);
        const abort = (): void => this.#traffic.remove(target);
        await place.worker.retire(placed, leases, abort);
      }
      place.draining--;
      this.#onEvent({ kind: "stopped", ...identity, reason });
    });
  }

  /** A process that doesn't turn its event loop can't drain. */
  async #kill(place: Place, { placed, target }: Serving): Promise<void> {
    this.#traffic.remove(target);
    await placed.process.kill();
    place.worker.forget(placed);
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
