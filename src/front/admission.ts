/**
 * Which process a request gets, and when: the fresh window, the floor under
 * generations, and the requests that wait. The choice itself is `policy.ts`.
 */
import { pickTarget } from "./policy.js";
import { Target } from "./targets.js";
import type { Consistency, FrontTarget } from "./types.js";

/** A request in search of a process. */
export interface Seeker {
  /** Ids of the processes that have failed it. */
  readonly avoid: ReadonlySet<number> | undefined;
  /** The process that dropped it just now: most likely dead, but no one has said so yet. */
  readonly suspect?: number | undefined;
  /** The process that took no more connections just now: it may again once one of its leases is back. */
  readonly crowded?: number | undefined;
  /** Called at most once, unless the wait is left. */
  onTarget(target: Target): void;
  /** Called instead, when no process could be had in time. */
  onTimeout(): void;
}

interface Waiting {
  readonly seeker: Seeker;
  /** Its fresh window is over: the newest that is ready will do. */
  stale: boolean;
  readonly timers: NodeJS.Timeout[];
}

/** The time limits of {@link Admission}, in milliseconds. */
export interface AdmissionLimits {
  readonly holdTimeoutMs: number;
  readonly freshTimeoutMs: number;
  /**
   * How long after a process dropped a request its death must be known, else it is
   * taken to be alive, and to drop requests on purpose.
   */
  readonly deathNoticeMs: number;
}

/** The processes that take requests, and the requests that wait for one. */
export class Admission {
  readonly #consistency: Consistency;
  readonly #limits: AdmissionLimits;
  readonly #targets = new Map<number, Target>();
  /** Those of #targets that are admitted: what is looked through for each request. */
  readonly #admitted = new Set<Target>();
  readonly #waiting = new Set<Waiting>();
  #windows = 0;
  #newest = -Infinity;
  #closed = false;
  heldTotal = 0;

  constructor(consistency: Consistency, limits: AdmissionLimits) {
    this.#consistency = consistency;
    this.#limits = limits;
  }

  /** The process of that id; made known if it wasn't. */
  know(info: FrontTarget): Target {
    let target = this.#targets.get(info.id);
    if (target === undefined) {
      target = new Target(info);
      this.#targets.set(info.id, target);
    }
    return target;
  }

  get(id: number): Target | undefined {
    return this.#targets.get(id);
  }

  all(): IterableIterator<Target> {
    return this.#targets.values();
  }

  get held(): number {
    return this.#waiting.size;
  }

  /** Both sides of the swap happen before any request is looked at. */
  admit(info: FrontTarget, retiring: number | undefined): void {
    const target = this.know(info);
    target.state = "admitted";
    this.#admitted.add(target);
    this.#newest = Math.max(this.#newest, target.generation);
    if (retiring !== undefined) this.retire(retiring);
    this.wake();
  }

  /** The process gets nothing any more. */
  retire(id: number): Target | undefined {
    const target = this.#targets.get(id);
    if (target === undefined) return undefined;
    target.state = "draining";
    this.#admitted.delete(target);
    return target;
  }

  forget(id: number): Target | undefined {
    const target = this.retire(id);
    this.#targets.delete(id);
    return target;
  }

  /** Opens a fresh window. */
  hold(): () => void {
    if (this.#consistency === "available") return () => undefined;
    let open = true;
    this.#windows++;
    return () => {
      if (!open) return;
      open = false;
      this.#windows--;
      if (this.#windows === 0) this.wake();
    };
  }

  /** The process for a request now, or `undefined`: then the request has to wait. */
  find(
    avoid: ReadonlySet<number> | undefined,
    stale = false,
  ): Target | undefined {
    if (this.#windows > 0 && !stale && !this.#closed) return undefined;
    return pickTarget(this.#admitted, {
      consistency: this.#consistency,
      floor: stale || this.#closed ? -Infinity : this.#newest,
      avoid,
    });
  }

  /**
   * Waits for a process.
   *
   * @returns ends the wait without a call of either
   */
  wait(seeker: Seeker): () => void {
    const entry: Waiting = { seeker, stale: false, timers: [] };
    this.#waiting.add(entry);
    this.heldTotal++;
    const { holdTimeoutMs, freshTimeoutMs, deathNoticeMs } = this.#limits;
    if (freshTimeoutMs < holdTimeoutMs) {
      this.#after(entry, freshTimeoutMs, () => {
        entry.stale = true;
        this.#tryEntry(entry);
      });
    }
    this.#after(entry, holdTimeoutMs, () => {
      entry.stale = true;
      if (!this.#tryEntry(entry)) this.#giveUp(entry);
    });
    const { suspect } = seeker;
    if (suspect !== undefined && this.#isAdmitted(suspect)) {
      this.#after(entry, deathNoticeMs, () => {
        if (this.#isAdmitted(suspect)) this.#giveUp(entry);
      });
    }
    // Nothing will be admitted any more.
    if (this.#closed) {
      this.#after(entry, 0, () => {
        this.#giveUp(entry);
      });
    }
    return () => {
      this.#leave(entry);
    };
  }

  /** Gives those that wait, first come first served, whatever can be had. */
  wake(): void {
    for (const entry of [...this.#waiting]) this.#tryEntry(entry);
  }

  /** A lease is back. */
  released(target: Target): void {
    if (this.#waiting.size === 0 || target.state !== "admitted") return;
    for (const entry of this.#waiting) {
      if (entry.seeker.crowded !== target.id) continue;
      this.#leave(entry);
      entry.seeker.onTarget(target);
      return;
    }
  }

  /** From now on nothing waits: what can't be had at once is given up. */
  close(): void {
    this.#closed = true;
    for (const entry of [...this.#waiting]) {
      if (!this.#tryEntry(entry)) this.#giveUp(entry);
    }
  }

  #isAdmitted(id: number): boolean {
    return this.#targets.get(id)?.state === "admitted";
  }

  #after(entry: Waiting, ms: number, callback: () => void): void {
    entry.timers.push(setTimeout(callback, ms));
  }

  #tryEntry(entry: Waiting): boolean {
    if (!this.#waiting.has(entry)) return true;
    const target = this.find(entry.seeker.avoid, entry.stale);
    if (target === undefined) return false;
    this.#leave(entry);
    entry.seeker.onTarget(target);
    return true;
  }

  #giveUp(entry: Waiting): void {
    this.#leave(entry);
    entry.seeker.onTimeout();
  }

  #leave(entry: Waiting): void {
    for (const timer of entry.timers) clearTimeout(timer);
    this.#waiting.delete(entry);
  }
}
