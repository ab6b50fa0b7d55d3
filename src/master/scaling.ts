/**
 * The number of workers, changed while they serve. New ones get the next ports; those that leave are the last ones:
 * first nothing sends new requests to their ports any more, then they drain, then the port is given back.
 *
 * The number asked for last counts. A worker that is asked back while it still drains keeps its port, and gets a new process beside the old one.
 */
import type { WorkerPlace } from "../pool/worker-place.js";
import type { Departures } from "./departures.js";
import { bootEnded, makePlace, nextBoot } from "./place.js";
import type { BootEnd, Place } from "./place.js";
import type { ScaleOutcome, Traffic, WorkerEvent } from "./types.js";

/** Where workers come from and go to: their ports and hooks. */
export interface Registrar {
  /**
   * Binds the port of a new worker.
   *
   * @throws PreforkError `ERR_PREFORK_PORT`
   */
  register(index: number): Promise<WorkerPlace>;
  /** Gives the port of a worker back that has no process any more. Never rejects. */
  unregister(worker: WorkerPlace): Promise<void>;
}

export interface ScalingOptions {
  /** The workers, by index. Changed here and nowhere else. */
  readonly places: Place[];
  readonly registrar: Registrar;
  readonly departures: Departures;
  readonly traffic: Traffic;
  /** Looks at what is to be booted now. */
  readonly step: () => void;
  /** Is there code that is known to run? Without, nobody waits for processes. */
  readonly canBoot: () => boolean;
  /** The workers are others now: what holds copies of their sockets is of no use. Fulfils when it's gone. */
  readonly onChanged: () => Promise<void>;
  readonly onEvent: (event: WorkerEvent) => void;
}

/** A worker on its way out. */
interface Leaving {
  readonly place: Place;
  /** Fulfils when the worker is unregistered, or here again. */
  readonly left: Promise<void>;
  /** Takes it back; `false`: too late. */
  readonly comeBack: () => boolean;
}

/** Changes while something is waited for, which the compiler doesn't see. */
function isOpen(request: Request): boolean {
  return !request.isOver;
}

interface Request {
  readonly workers: number;
  readonly end: (outcome: ScaleOutcome) => void;
  readonly fail: (error: unknown) => void;
  isOver: boolean;
}

export class Scaling {
  readonly #options: ScalingOptions;
  readonly #leaving = new Map<number, Leaving>();
  #request: Request | undefined;
  #adjusting: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ScalingOptions) {
    this.#options = options;
  }

  /** The number of workers that was asked for last. */
  get wanted(): number {
    const request = this.#request;
    return request === undefined || request.isOver
      ? this.#options.places.length
      : request.workers;
  }

  /** Those on their way out, by index. */
  get leaving(): readonly Place[] {
    return Array.from(this.#leaving.values(), ({ place }) => place).sort(
      (a, b) => a.worker.index - b.worker.index,
    );
  }

  /**
   * Registers the first workers.
   *
   * @throws PreforkError `ERR_PREFORK_PORT`; those that were registered are unregistered then
   */
  async start(workers: number): Promise<void> {
    try {
      while (this.#options.places.length < workers) await this.#register();
    } catch (error) {
      await this.unregisterAll();
      throw error;
    }
  }

  /**
   * Brings the number of workers to this. A newer call supersedes an older one.
   *
   * @throws PreforkError `ERR_PREFORK_PORT` when a port can't be had; the workers that there are stay
   */
  async scale(workers: number): Promise<ScaleOutcome> {
    if (this.#stopped) return { kind: "stopped" };
    this.#end({ kind: "superseded", workers: this.wanted });
    return await new Promise((resolve, reject) => {
      const request: Request = {
        workers,
        isOver: false,
        end: resolve,
        fail: reject,
      };
      this.#request = request;
      this.#adjusting = this.#adjusting.then(() => this.#adjust(request));
    });
  }

  /** Nothing is changed any more; fulfils when nothing is being changed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#end({ kind: "stopped" });
    await this.#adjusting;
    await Promise.all(Array.from(this.#leaving.values(), ({ left }) => left));
  }

  /** Every port is given back. After {@link stop}, when no process is left. */
  async unregisterAll(): Promise<void> {
    const { places } = this.#options;
    for (const { worker } of places.splice(0).reverse())
      await this.#unregister(worker);
  }

  #end(outcome: ScaleOutcome): void {
    const request = this.#request;
    if (request === undefined || request.isOver) return;
    request.isOver = true;
    request.end(outcome);
  }

  async #adjust(request: Request): Promise<void> {
    const { places, canBoot, onChanged, step } = this.#options;
    const { workers } = request;
    if (request.isOver) return;
    try {
      if (places.length > workers) {
        const left = this.#leave(workers);
        await onChanged();
        void left.then(() => this.#done(request, []));
        return;
      }
      const boots: Promise<BootEnd>[] = [];
      while (places.length < workers && isOpen(request)) {
        const place = await this.#add();
        if (place.serving === undefined) boots.push(nextBoot(place));
      }
      await onChanged();
      step();
      void Promise.all(canBoot() ? boots : []).then((ends) =>
        this.#done(request, ends),
      );
    } catch (error) {
      step();
      request.isOver = true;
      request.fail(error);
    }
  }

  #done(request: Request, boots: readonly BootEnd[]): void {
    if (request.isOver) return;
    const { workers } = request;
    const failed = boots.find((end) => end.kind === "failed");
    this.#end(
      failed === undefined
        ? { kind: "done", workers }
        : { kind: "failed", workers, diagnostic: failed.diagnostic },
    );
  }

  /** One worker more: the one that was about to leave, or a new one. */
  async #add(): Promise<Place> {
    const { places, traffic } = this.#options;
    const leaving = this.#leaving.get(places.length);
    if (leaving === undefined) return await this.#register();
    if (!leaving.comeBack()) {
      await leaving.left;
      return await this.#register();
    }
    const { place } = leaving;
    places.push(place);
    if (place.serving === undefined) place.emptyBecause = "start";
    else traffic.expose(place.worker.index);
    return place;
  }

  async #register(): Promise<Place> {
    const { places, registrar, onEvent } = this.#options;
    const worker = await registrar.register(places.length);
    const place = makePlace(worker);
    places.push(place);
    onEvent({ kind: "registered", worker: worker.index, port: worker.port });
    return place;
  }

  /** Those behind the first so many leave, all at a time. */
  async #leave(workers: number): Promise<void> {
    const { places, departures, traffic } = this.#options;
    const leaving = places.splice(workers);
    const withdrawn = traffic.withdraw(
      leaving.map(({ worker }) => worker.index),
    );
    const each = leaving.map(async (place) => {
      departures.abandon(place);
      bootEnded(place, { kind: "none" });
      const back = makeReturn();
      const left = this.#drainAndUnregister(place, withdrawn, back);
      const { index } = place.worker;
      const entry = { place, left, comeBack: back.take };
      this.#leaving.set(index, entry);
      await left;
      if (this.#leaving.get(index) === entry) this.#leaving.delete(index);
    });
    await Promise.all(each);
  }

  async #drainAndUnregister(
    place: Place,
    withdrawn: Promise<void>,
    back: Return,
  ): Promise<void> {
    const { departures } = this.#options;
    await Promise.race([withdrawn, back.taken]);
    if (back.isOver()) return;
    if (place.serving !== undefined) {
      const gone = departures.retire(place, place.serving, "scaled");
      await Promise.race([gone, back.taken]);
    }
    if (back.isOver()) return;
    back.end();
    await this.#unregister(place.worker);
  }

  async #unregister(worker: WorkerPlace): Promise<void> {
    const { registrar, onEvent } = this.#options;
    const { index, port } = worker;
    await registrar.unregister(worker);
    onEvent({ kind: "unregistered", worker: index, port });
  }
}

/** A way back that is open until it's taken or ended. */
interface Return {
  readonly isOver: () => boolean;
  readonly taken: Promise<void>;
  readonly take: () => boolean;
  readonly end: () => void;
}

function makeReturn(): Return {
  let state: "open" | "taken" | "ended" = "open";
  let resolve = (): void => undefined;
  const taken = new Promise<void>((fulfil) => (resolve = fulfil));
  return {
    taken,
    isOver: () => state !== "open",
    take() {
      if (state !== "open") return false;
      state = "taken";
      resolve();
      return true;
    },
    end() {
      state = "ended";
    },
  };
}
