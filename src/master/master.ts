/**
 * The master's state machine: which generation is current, which one is tried,
 * and what each worker does. This class holds its parts together: what is done next is decided in `decide.ts` and carried out by
 * `reconciler.ts`, which is asked after everything that happens. How many workers there are is `scaling.ts`, how processes go `departures.ts`, whether they still answer `heartbeat.ts`.
 *
 * It knows nothing of files, compilers or HTTP. `parts.ts` makes it.
 */
import type { Program } from "../pool/types.js";
import type { WorkerProcess } from "../pool/worker-process.js";
import { Departures } from "./departures.js";
import type { DeparturesOptions } from "./departures.js";
import { Following } from "./following.js";
import type { FollowingOptions } from "./following.js";
import { Heartbeat } from "./heartbeat.js";
import { Lives } from "./lives.js";
import { bootEnded, generationsOf, statusOf } from "./place.js";
import type { Place } from "./place.js";
import { Reconciler } from "./reconciler.js";
import type { ReconcilerOptions } from "./reconciler.js";
import { Roll, Rolls } from "./roll.js";
import { Scaling } from "./scaling.js";
import type { Registrar } from "./scaling.js";
import { WorkerControl } from "./worker-control.js";
import type { ScaleOutcome, WorkerEvent, WorkerStatus } from "./types.js";

export interface MasterOptions
  extends
    ReconcilerOptions,
    DeparturesOptions,
    Pick<FollowingOptions, "isFresh" | "parallelActivations"> {
  readonly registrar: Registrar;
  readonly onWorker: (event: WorkerEvent) => void;
  /** Without a heartbeat for so long a process hangs, in milliseconds; 0: it never does. */
  readonly hangTimeoutMs: number;
  /** Is a process that hangs replaced? */
  readonly replaceHung: boolean;
}

export class Master {
  /** Orders about single workers. */
  readonly workers: WorkerControl;
  readonly #options: MasterOptions;
  /** By index; others come and go at the end. */
  readonly #places: Place[] = [];
  readonly #rolls = new Rolls();
  readonly #departures: Departures;
  readonly #scaling: Scaling;
  readonly #lives: Lives;
  readonly #heartbeat: Heartbeat;
  readonly #reconciler: Reconciler;
  #stopping: Promise<void> | undefined;

  constructor(options: MasterOptions) {
    this.#options = options;
    const { traffic, registrar, onWorker, standbys } = options;
    const step = (): void => this.#reconciler.step();
    this.#departures = new Departures(options, step);
    this.#scaling = new Scaling({
      places: this.#places,
      registrar,
      departures: this.#departures,
      traffic,
      step,
      canBoot: () => this.#rolls.current !== undefined,
      onChanged: () => standbys.renew("the workers are others now"),
      onEvent: onWorker,
    });
    this.workers = new WorkerControl({
      places: this.#places,
      departures: this.#departures,
      step,
    });
    const following = new Following({ ...options, step });
    this.#lives = new Lives({
      ...options,
      following,
      places: this.#places,
      rolls: this.#rolls,
      departures: this.#departures,
      step,
    });
    this.#reconciler = new Reconciler(options, {
      places: this.#places,
      rolls: this.#rolls,
      departures: this.#departures,
      following,
      lives: this.#lives,
    });
    this.#heartbeat = new Heartbeat({
      hangTimeoutMs: options.hangTimeoutMs,
      processes: () => this.#serving(),
      onHung: (process, silentMs) => this.#lives.hung(process, silentMs),
      onResponsive: (process, silentMs) =>
        this.#lives.responsive(process, silentMs),
    });
  }

  /**
   * Registers the first workers. Call it once, before anything else.
   *
   * @throws PreforkError `ERR_PREFORK_PORT`
   */
  async start(workers: number): Promise<void> {
    await this.#scaling.start(workers);
    this.#heartbeat.start();
  }

  /** The newest generation that was seen ready. */
  get currentGeneration(): number | undefined {
    return this.#rolls.current?.generation;
  }

  /** How many workers there are to be. */
  get size(): number {
    return this.#scaling.wanted;
  }

  /** Generations that some process still runs or boots. */
  liveGenerations(): Set<number> {
    return new Set([
      ...this.#places.flatMap(generationsOf),
      ...this.#departures.generations(),
    ]);
  }

  /** By index; those that leave last. */
  status(): WorkerStatus[] {
    const now = performance.now();
    const { traffic } = this.#options;
    return [...this.#places, ...this.#scaling.leaving].map((place) =>
      statusOf(place, now, (target) => traffic.load(target)),
    );
  }

  /**
   * Brings all workers to a program, one at a time, its canary first. A
   * candidate that was not proven yet is superseded.
   *
   * @returns the roll under way: `outcome` is for whoever asked for it
   */
  roll(program: Program): Roll {
    const roll = new Roll(program);
    if (this.#stopping !== undefined) {
      roll.end({ kind: "stopped", generation: roll.generation });
      return roll;
    }
    this.#rolls.begin(roll);
    // New code deserves a new chance.
    for (const place of this.#places) {
      place.failures = 0;
      place.retryAt = 0;
    }
    this.#reconciler.step();
    return roll;
  }

  /**
   * Changes the number of workers. See {@link Scaling.scale}.
   *
   * @throws PreforkError `ERR_PREFORK_PORT`
   */
  async scale(workers: number): Promise<ScaleOutcome> {
    if (this.#stopping !== undefined) return { kind: "stopped" };
    return await this.#scaling.scale(workers);
  }

  /** Ends event streams and upgraded sockets, which would not end by themselves; requests in hand go on. */
  endStreams(): void {
    for (const process of this.#serving()) process.send({ type: "finish" });
    this.#departures.endStreams();
  }

  /** Fulfils when the event loop of a serving process has turned; at once for one that doesn't serve. Never rejects. */
  async probe(id: number): Promise<void> {
    const place = this.#places.find(({ serving }) => serving?.placed.id === id);
    await place?.serving?.placed.process.ping();
  }

  /** Drains and stops every process. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Kills every process at once, also those that drain. */
  async kill(): Promise<void> {
    this.#stopping ??= this.#stop();
    this.#lives.end();
    const processes = this.#places.flatMap(({ serving, booting }) =>
      [serving?.placed, booting].filter((placed) => placed !== undefined),
    );
    await Promise.all([
      ...processes.map(({ process }) => process.kill()),
      this.#departures.kill(),
    ]);
    await this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#reconciler.end();
    this.#heartbeat.stop();
    this.#rolls.stop();
    this.#departures.endStreams();
    const withdrawn = this.#options.traffic.withdraw(
      this.#places.map(({ worker }) => worker.index),
    );
    for (const place of this.#places) {
      this.#departures.abandon(place);
      bootEnded(place, { kind: "none" });
    }
    const scaled = this.#scaling.stop();
    await withdrawn;
    for (const place of this.#places) {
      if (place.serving !== undefined)
        void this.#departures.retire(place, place.serving, "stop");
    }
    await Promise.all([scaled, this.#departures.gone()]);
    await this.#scaling.unregisterAll();
  }

  *#serving(): Generator<WorkerProcess> {
    for (const { serving } of this.#places) {
      if (serving !== undefined) yield serving.placed.process;
    }
  }
}
