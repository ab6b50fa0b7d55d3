/**
 * Keeps standbys for the newest program that is known to be good, and hands them out.
 *
 * They are made one at a time, and only while `gate` lets them: neither a save nor
 * requests are to wait for them. It decides nothing about workers (`master/`), nor
 * what a standby does (`Ahead`, made by the composition root).
 */
import { backoffMs } from "./backoff.js";
import { BarredModules } from "./barred-modules.js";
import { Standby } from "./standby.js";
import type { Stop } from "./standby.js";
import { StandbySet } from "./standby-set.js";
import type {
  Deadlines,
  StandbyDepth,
  Program,
  StandbyEvent,
  StandbyStatus,
} from "./types.js";
import type { WorkerProcess } from "./worker-process.js";

export interface StandbyPoolOptions {
  /** How many there are to be at this moment; 0: none. */
  readonly count: () => number;
  readonly deadlines: Deadlines;
  readonly fork: (program: Program) => WorkerProcess;
  /** Gives a forked process all workers' sockets and its first order. */
  readonly begin: (process: WorkerProcess) => void;
  /** Fulfils when a standby may use the machine. */
  readonly gate: () => Promise<void>;
  readonly onEvent: (event: StandbyEvent) => void;
}

/**
 * What a worker behind a roll's canary can expect: a standby that is ready, one that is being made, or none.
 */
export type Outlook = "ready" | "soon" | "none";

/** So many are left: nobody waits for the workers behind the canary, but somebody may be about to save. */
const RESERVE = 1;

export class StandbyPool {
  /** Are there workers behind a canary that wait? Then one more than asked for is made, if need be, and those for surprises last. */
  isAwaited = false;
  /** Called when there is one more, or no more are being made. */
  onChange: () => void = () => undefined;
  readonly #options: StandbyPoolOptions;
  readonly #standbys: StandbySet;
  readonly #barred = new BarredModules();
  #program: Program | undefined;
  #filling: Promise<void> | undefined;
  /** Forks in a row that came to nothing and taught nothing. */
  #failures = 0;
  #closed = false;
  #isSuspended = false;
  #wake: NodeJS.Timeout | undefined;

  constructor(options: StandbyPoolOptions) {
    this.#options = options;
    this.#standbys = new StandbySet(options.onEvent);
  }

  /** Sees which standbys fit a new program, and discards the others. Before {@link take}. */
  async fit(program: Program): Promise<void> {
    await this.#standbys.fit(program);
  }

  /** Discards all. */
  clear(reason: string): void {
    this.#standbys.discardAll(reason);
  }

  /** Discards all, and makes others; fulfils when the old ones are gone. */
  async renew(reason: string): Promise<void> {
    this.clear(reason);
    await this.#standbys.ended();
    this.#fill();
  }

  /**
   * A standby that fits a program, which isn't one any more from now on: the best for the canary, for which requests wait. For
   * others the second best, if there is one.
   */
  take(program: Program, isCanary: boolean): WorkerProcess | undefined {
    const best = this.#standbys.take(program, isCanary ? 0 : RESERVE);
    if (best !== undefined || !isCanary) return best;
    return this.#standbys.takeBooting(program);
  }

  /** What workers behind a program's canary can expect. */
  outlook(program: Program): Outlook {
    if (this.spare(program) > 0) return "ready";
    if (this.#program !== program || this.#failures > 0) return "none";
    if (this.#filling === undefined && this.#missing() === undefined)
      return "none";
    this.#fill();
    return this.#filling === undefined ? "none" : "soon";
  }

  /** How many standbys there are at this moment for workers behind a program's canary. */
  spare(program: Program): number {
    return Math.max(0, this.#standbys.fitting(program).length - RESERVE);
  }

  /** A standby that was taken turned out not to fit: whoever did it isn't evaluated ahead any more. */
  returned({ unfit }: WorkerProcess, program: Program): void {
    if (unfit?.file === undefined) return;
    this.#bar(unfit.file, unfit.reason, program);
  }

  /** From now on standbys are made for this program. */
  aim(program: Program): void {
    this.#program = program;
    this.#failures = 0;
    this.#fill();
  }

  /** Replaces those that were taken for a program that turned out to be broken. */
  refill(): void {
    this.#fill();
  }

  /** Standbys that are being made stop where they are: something is more urgent. */
  suspend(): void {
    this.#isSuspended = true;
    for (const { process, isReady } of this.#standbys.all()) {
      if (!isReady) process.suspension.begin();
    }
  }

  /** … and go on. */
  resume(): void {
    this.#isSuspended = false;
    for (const { process } of this.#standbys.all()) process.suspension.end();
  }

  status(): StandbyStatus[] {
    return this.#standbys.status();
  }

  /** Modules that aren't evaluated ahead since they misbehaved. */
  barred(): { readonly path: string; readonly reason: string }[] {
    return this.#program === undefined ? [] : this.#barred.of(this.#program);
  }

  /** Ends all; fulfils when they are gone. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#wake);
    this.clear("stop");
    await this.#standbys.ended();
  }

  #fill(): void {
    clearTimeout(this.#wake);
    if (this.#closed || this.#options.count() === 0) return;
    if (this.#filling !== undefined) return;
    this.#filling = this.#fillUp().finally(() => {
      this.#filling = undefined;
      this.onChange();
    });
  }

  #fillLater(): void {
    const wait = backoffMs(++this.#failures);
    this.#wake = setTimeout(() => this.#fill(), wait).unref();
  }

  async #fillUp(): Promise<void> {
    for (;;) {
      await this.#options.gate();
      const program = this.#program;
      if (this.#closed || program === undefined) return;
      // Those that were forked while the last save was built.
      await this.fit(program);
      const depth = this.#missing() ?? (await this.#outdated(program));
      if (depth === undefined) return;
      const isGood = await this.#add(program, depth);
      if (isGood) continue;
      this.#fillLater();
      return;
    }
  }

  /** What kind is wanted next: one that goes deep, then the shallow one, for a surprise, then more deep ones. */
  #missing(): StandbyDepth | undefined {
    const wanted = this.#options.count();
    const { size } = this.#standbys;
    if (wanted === 0) return undefined;
    if (this.isAwaited)
      return size < Math.max(wanted, RESERVE + 1) ? "deep" : undefined;
    if (size >= wanted) return undefined;
    return size > 0 && !this.#standbys.hasDepth("shallow") ? "shallow" : "deep";
  }

  /** Replaces one that has evaluated what became likely to change. */
  async #outdated(program: Program): Promise<StandbyDepth | undefined> {
    const plans = new Map<StandbyDepth, Set<string>>();
    for (const standby of this.#standbys.all()) {
      const { depth, plan } = standby;
      let wanted = plans.get(depth);
      if (wanted === undefined) {
        const { evaluated } = await this.#plan(program, depth);
        wanted = new Set(evaluated.map(({ path }) => path));
        plans.set(depth, wanted);
      }
      const likely = plan.evaluated.find(({ path }) => !wanted.has(path));
      if (likely === undefined || !this.#standbys.has(standby)) continue;
      this.#standbys.discard(standby, `${likely.path} is likely to change now`);
      return depth;
    }
    return undefined;
  }

  /** Makes one; whether that went well. */
  async #add(program: Program, depth: StandbyDepth): Promise<boolean> {
    const { fork, begin, gate, deadlines, onEvent } = this.#options;
    const plan = await this.#plan(program, depth);
    if (this.#closed || this.#program !== program) return true;
    const process = fork(program);
    const standby = new Standby(process, depth, plan);
    this.#standbys.add(standby);
    if (this.#isSuspended) process.suspension.begin();
    onEvent({ kind: "forked", pid: process.pid });
    void process.exited.then(() => this.#ended(standby));
    let stop: Stop | undefined;
    do {
      stop = await standby.run(() => begin(process), gate, deadlines);
      if (!this.#standbys.has(standby)) return true; // discarded meanwhile
      if (stop === undefined) break;
      const { reason } = stop;
      const path = stop.kind === "refused" ? stop.step.path : stop.path;
      const isNews =
        path !== undefined && this.#bar(path, reason, process.program);
      if (stop.kind === "spoiled" || !isNews) {
        this.#standbys.discard(
          standby,
          path === undefined ? reason : `${path} ${reason}`,
        );
        return isNews;
      }
      standby.plan = await this.#plan(process.program, depth);
    } while (this.#standbys.has(standby));
    if (!this.#standbys.has(standby)) return true;
    this.#failures = 0;
    onEvent({
      kind: "ready",
      pid: process.pid,
      depth,
      evaluated: standby.plan.evaluated.length,
      stoppedBy: standby.plan.stoppedBy,
      rssBytes: standby.rssBytes ?? 0,
      bootMs: performance.now() - process.startedAt,
    });
    this.onChange();
    return true;
  }

  #plan(
    program: Program,
    depth: StandbyDepth,
  ): ReturnType<Program["ahead"]["plan"]> {
    return program.ahead.plan(depth, (path) => this.#barred.has(path, program));
  }

  #bar(path: string, reason: string, program: Program): boolean {
    const isNews = this.#barred.add(path, reason, program);
    if (isNews) this.#options.onEvent({ kind: "barred", path, reason });
    return isNews;
  }

  /** One that stood by was killed by somebody else. */
  #ended(standby: Standby): void {
    if (!standby.isReady || !this.#standbys.delete(standby)) return;
    const { pid } = standby.process;
    this.#options.onEvent({ kind: "discarded", pid, reason: "it died" });
    this.#fillLater();
  }
}
