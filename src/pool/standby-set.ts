/** The standbys that there are: which fit, which is taken, which are discarded. It makes none: `standby-pool.ts` does. */
import type { Standby } from "./standby.js";
import type {
  StandbyDepth,
  Program,
  StandbyEvent,
  StandbyStatus,
} from "./types.js";
import type { WorkerProcess } from "./worker-process.js";

export class StandbySet {
  readonly #standbys = new Set<Standby>();
  readonly #ending = new Set<Promise<void>>();
  readonly #onEvent: (event: StandbyEvent) => void;

  constructor(onEvent: (event: StandbyEvent) => void) {
    this.#onEvent = onEvent;
  }

  get size(): number {
    return this.#standbys.size;
  }

  all(): Standby[] {
    return [...this.#standbys];
  }

  has(standby: Standby): boolean {
    return this.#standbys.has(standby);
  }

  hasDepth(depth: StandbyDepth): boolean {
    return this.all().some((standby) => standby.depth === depth);
  }

  add(standby: Standby): void {
    this.#standbys.add(standby);
  }

  /** @returns whether it was there */
  delete(standby: Standby): boolean {
    return this.#standbys.delete(standby);
  }

  /** Those that can become a program's process now. */
  fitting({ generation }: Program): Standby[] {
    return this.all().filter(
      ({ isReady, fits, process }) =>
        isReady && fits.has(generation) && !process.gone,
    );
  }

  /**
   * One that fits a program; it is none of the set any more.
   *
   * @param after - so many that have done more of it are left
   */
  take(program: Program, after: number): WorkerProcess | undefined {
    const standby = this.fitting(program).sort(
      (a, b) => b.plan.evaluated.length - a.plan.evaluated.length,
    )[after];
    if (standby === undefined) return undefined;
    this.#standbys.delete(standby);
    return standby.process;
  }

  /** One that is on its way, and fits as far as it is: it is at most one order from standing by. */
  takeBooting({ generation }: Program): WorkerProcess | undefined {
    const standby = this.all().find(
      ({ isReady, fits, process }) =>
        !isReady && fits.has(generation) && !process.gone,
    );
    if (standby === undefined) return undefined;
    this.#standbys.delete(standby);
    standby.claim();
    return standby.process;
  }

  /** Finds out who fits a program; the others are discarded. */
  async fit(program: Program): Promise<void> {
    for (const standby of this.all()) {
      const why = await misfit(standby, program);
      if (why === undefined) standby.fits.add(program.generation);
      else if (this.has(standby)) this.discard(standby, why);
    }
  }

  discard(standby: Standby, reason: string): void {
    this.#standbys.delete(standby);
    const { process } = standby;
    const gone = process.kill().then(() => {
      this.#ending.delete(gone);
    });
    this.#ending.add(gone);
    this.#onEvent({ kind: "discarded", pid: process.pid, reason });
  }

  discardAll(reason: string): void {
    for (const standby of this.#standbys) this.discard(standby, reason);
  }

  /** Fulfils when all that were discarded are gone. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending);
  }

  status(): StandbyStatus[] {
    return this.all().map(
      ({ process, isReady, fits, depth, plan, rssBytes }) => ({
        pid: process.pid,
        state: isReady ? "ready" : "booting",
        generation: Math.max(...fits),
        depth,
        evaluated: plan.evaluated.length,
        stoppedBy: plan.stoppedBy,
        rssBytes,
      }),
    );
  }
}

/** Why a standby can't become a process of a program. */
async function misfit(
  { process, plan }: Standby,
  { ahead }: Program,
): Promise<string | undefined> {
  if (process.program.ahead.surroundings !== ahead.surroundings)
    return "its environment, packages or entry are other ones now";
  return await ahead.misfit(plan.evaluated);
}
