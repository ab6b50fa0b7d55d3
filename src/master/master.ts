/**
 * The master's state machine: which generation is current, which one is tried,
 * and what each worker does. Decisions are made in `decide.ts`; this class
 * carries them out and turns what happens into the next decision.
 *
 * It knows nothing of files, compilers or HTTP. `dev-server.ts` makes it.
 */
import type { Diagnostic } from "../diagnostic.js";
import type { WorkerPlace } from "../pool/worker-place.js";
import { backoffMs } from "../pool/backoff.js";
import type { Program } from "../pool/types.js";
import { boot } from "./boot.js";
import type { BootOptions } from "./boot.js";
import { decide } from "./decide.js";
import { generationsOf, makePlace, statusOf, viewOf } from "./place.js";
import type { Place, Retiring, Serving } from "./place.js";
import { FIRST_ANSWERS_MS, Roll, Rolls } from "./roll.js";
import type { Canary, WorkerStatus } from "./types.js";

/** A process that dies within this time after it was ready counts as a failure towards the backoff. */
const EARLY_DEATH_MS = 5_000;

export interface MasterOptions extends BootOptions {
  readonly workers: readonly WorkerPlace[];
  /** How many empty places boot at a time. */
  readonly parallelBoots: number;
}

export class Master {
  readonly #options: MasterOptions;
  readonly #places: readonly Place[];
  readonly #rolls = new Rolls();
  #wake: NodeJS.Timeout | undefined;
  #replaceAt = 0;
  #stopping: Promise<void> | undefined;
  readonly #abandoned = new Set<Promise<void>>();

  constructor(options: MasterOptions) {
    this.#options = options;
    this.#places = options.workers.map(makePlace);
  }

  /** The newest generation that was seen ready. */
  get currentGeneration(): number | undefined {
    return this.#rolls.current?.generation;
  }

  /** Generations that some process still runs or boots. */
  liveGenerations(): Set<number> {
    return new Set(this.#places.flatMap(generationsOf));
  }

  status(): WorkerStatus[] {
    const now = performance.now();
    return this.#places.map((place) => statusOf(place, now));
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
    this.#step();
    return roll;
  }

  /** Ends event streams and upgraded sockets, which would not end by themselves; requests in hand go on. */
  endStreams(): void {
    for (const { serving } of this.#places)
      serving?.placed.process.send({ type: "finish" });
  }

  /** Drains and stops every process. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Kills every process at once. */
  async kill(): Promise<void> {
    this.#stopping ??= Promise.resolve();
    clearTimeout(this.#wake);
    const processes = this.#places.flatMap(({ serving, booting }) =>
      [serving?.placed, booting].filter((placed) => placed !== undefined),
    );
    await Promise.all(processes.map(({ process }) => process.kill()));
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#wake);
    this.#rolls.stop();
    for (const place of this.#places) {
      this.#abandon(place);
      if (place.serving !== undefined) this.#retire(place, place.serving);
      place.serving = undefined;
    }
    await Promise.all([
      ...this.#abandoned,
      ...this.#places.flatMap(({ retiring }) =>
        Array.from(retiring, ({ gone }) => gone),
      ),
    ]);
    for (const { worker } of this.#places) worker.unregister();
  }

  #step(): void {
    if (this.#stopping !== undefined) return;
    clearTimeout(this.#wake);
    const now = performance.now();
    const { actions, wakeAt } = decide({
      places: this.#places.map(viewOf),
      candidate: this.#rolls.candidate?.generation,
      current: this.#rolls.current?.generation,
      now,
      replaceAt: this.#replaceAt,
      parallelBoots: this.#options.parallelBoots,
    });
    for (const action of actions) {
      const place = this.#places[action.place];
      if (place === undefined) continue;
      if (action.kind === "abandon") this.#abandon(place);
      else void this.#boot(place, action.generation);
    }
    if (wakeAt !== undefined)
      this.#wake = setTimeout(() => this.#step(), Math.max(1, wakeAt - now));
    this.#finishCurrent();
  }

  #finishCurrent(): void {
    const { current } = this.#rolls;
    if (current === undefined) return;
    const generation = current.generation;
    if (
      this.#places.every(
        ({ serving }) => serving?.target.generation === generation,
      )
    )
      current.done();
  }

  #abandon(place: Place): void {
    const { booting } = place;
    if (booting === undefined) return;
    place.booting = undefined;
    const gone = booting.process.kill().then(() => {
      place.worker.forget(booting);
      this.#abandoned.delete(gone);
    });
    this.#abandoned.add(gone);
  }

  async #boot(place: Place, generation: number): Promise<void> {
    const roll = this.#rolls.find(generation);
    if (roll === undefined) return;
    const isCanary = roll === this.#rolls.candidate;
    const result = await boot(place, roll.program, isCanary, this.#options);
    const { placed } = result.kind === "ready" ? result.serving : result;
    if (place.booting !== placed) return; // given up meanwhile
    place.booting = undefined;
    if (result.kind === "ready")
      this.#serve(place, result.serving, result.canary);
    else this.#bootFailed(place, roll, placed.process.pid, result.diagnostic);
    this.#step();
  }

  /** The swap, in one tick. */
  #serve(place: Place, next: Serving, canary: Canary): void {
    const previous = place.serving;
    const { worker, pid, generation } = next.target;
    const { isStandby, bootMs, activateMs, loadMs, listenMs } = canary;
    this.#options.onEvent({
      kind: "ready",
      worker,
      pid,
      port: place.worker.port,
      generation,
      isStandby,
      bootMs,
      activateMs,
      loadMs,
      listenMs,
    });
    place.serving = next;
    const { candidate } = this.#rolls;
    this.#rolls.ready(generation, canary);
    if (this.#rolls.current === candidate && candidate !== undefined) {
      const canFollow = this.#options.standbys.canFollow(candidate.program);
      // Forking stops the event loop for some milliseconds, and booting takes a core.
      this.#replaceAt = canFollow ? 0 : performance.now() + FIRST_ANSWERS_MS;
    }
    this.#options.traffic.admit(next.target, previous?.target);
    if (previous !== undefined) this.#retire(place, previous);
    void next.placed.process.exited.then(() => this.#exited(place, next));
  }

  #retire(place: Place, { placed, target }: Serving): void {
    const { worker, pid, generation } = target;
    this.#options.onEvent({ kind: "draining", worker, pid, generation });
    const { traffic } = this.#options;
    const gone = place.worker
      .retire(placed, traffic.drain(target), () => traffic.remove(target))
      .then(() => {
        place.retiring.delete(retiring);
        this.#options.onEvent({ kind: "stopped", worker, pid, generation });
      });
    const retiring: Retiring = { generation, gone };
    place.retiring.add(retiring);
  }

  async #exited(place: Place, serving: Serving): Promise<void> {
    if (place.serving !== serving) return; // it was asked to
    place.serving = undefined;
    const { placed, target, readyAt } = serving;
    this.#options.traffic.remove(target);
    place.worker.forget(placed);
    place.failures =
      performance.now() - readyAt < EARLY_DEATH_MS ? place.failures + 1 : 0;
    // The first death is no pattern yet: the place is refilled at once.
    const wait = backoffMs(Math.max(0, place.failures - 1));
    place.retryAt = performance.now() + wait;
    const { worker, pid, generation } = target;
    const exit = await placed.process.exited;
    this.#options.onEvent({
      kind: "died",
      worker,
      pid,
      generation,
      ...exit,
      backoffMs: wait,
    });
    this.#step();
  }

  #bootFailed(
    place: Place,
    roll: Roll,
    pid: number,
    diagnostic: Diagnostic,
  ): void {
    if (this.#stopping !== undefined) return;
    const { generation } = roll;
    let retryMs: number | undefined;
    if (this.#rolls.failed(roll, diagnostic)) {
      retryMs = backoffMs(++place.failures);
      place.retryAt = performance.now() + retryMs;
    }
    const worker = place.worker.index;
    this.#options.onEvent({
      kind: "boot-failed",
      worker,
      pid,
      generation,
      diagnostic,
      retryMs,
    });
  }
}
