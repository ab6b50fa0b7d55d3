/**
 * Which process a request gets, and when: the fresh window, the floor under
 * generations, and the requests that wait. The choice itself is `policy.ts`, whose event loop turns `loop-watch.ts`.
 */
import { Histogram } from "./numbers/histogram.js";
import { NumberBook } from "./numbers/number-book.js";
import { pickTarget } from "./policy.js";
import type { PickRule } from "./policy.js";
import { Target } from "./targets.js";
import type { Lease, LeaseHolder } from "./targets.js";
import type { Consistency, FrontTarget } from "./types.js";
import { Waiting } from "./waiting.js";
import type { Patience, Seeker } from "./waiting.js";

/** The limits of {@link Admission}; times in milliseconds. Those that may change are read whenever they're needed. */
export interface AdmissionLimits {
  readonly holdTimeoutMs: number;
  readonly freshTimeoutMs: number;
  /**
   * How long after a process dropped a request its death must be known, else it is
   * taken to be alive, and to drop requests on purpose.
   */
  readonly deathNoticeMs: number;
  /** How many requests may wait at a time. */
  readonly maxHeld: number;
  /** How many requests a process is given at a time. */
  readonly concurrency: number;
}

/** The processes that take requests, and the requests that wait for one. */
export class Admission {
  readonly #consistency: Consistency;
  readonly #limits: AdmissionLimits;
  readonly #targets = new Map<number, Target>();
  /** Those of #targets that are admitted: what is looked through for each request. */
  readonly #admitted = new Set<Target>();
  /** In the order in which they came. */
  #waiting = new Set<Waiting>();
  #windows = 0;
  #newest = -Infinity;
  #closed = false;
  heldTotal = 0;
  /** How long those waited that don't any more. */
  readonly holds: Histogram = new Histogram();
  readonly numbers: NumberBook = new NumberBook();
  /** Called when a process was given a request. */
  onLease: (target: Target) => void = () => undefined;

  constructor(consistency: Consistency, limits: AdmissionLimits) {
    this.#consistency = consistency;
    this.#limits = limits;
  }

  /** The process of that id; made known if it wasn't. */
  know(info: FrontTarget): Target {
    let target = this.#targets.get(info.id);
    if (target === undefined) {
      target = new Target(info, this.numbers);
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

  admitted(): IterableIterator<Target> {
    return this.#admitted.values();
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

  /** Gives a process a request. What waits is looked at when there's room again. */
  lease(target: Target, holder: LeaseHolder): Lease {
    const lease = target.lease(holder, (freed) => this.#freed(freed));
    this.onLease(target);
    return lease;
  }

  /**
   * The process for a request now, or `undefined`: then the request has to wait.
   *
   * @param home - the one that knows its session: no other will do while it comes into question, even if it's busy or blocked
   */
  find(
    avoid: ReadonlySet<number> | undefined,
    patience: Patience = "fresh",
    home?: Target,
  ): Target | undefined {
    if (this.#windows > 0 && patience === "fresh" && !this.#closed)
      return undefined;
    const rule = this.#rule(avoid, patience);
    if (home?.state === "admitted") {
      const any = { ...rule, concurrency: Infinity, isLastResort: true };
      if (pickTarget([home], any) !== undefined)
        return home.busy < this.#limits.concurrency ? home : undefined;
    }
    return pickTarget(this.#admitted, rule);
  }

  /** Is there a process that could take a request if it had less to do? */
  isBusy(avoid: ReadonlySet<number> | undefined): boolean {
    const rule = { ...this.#rule(avoid, "last"), concurrency: Infinity };
    return pickTarget(this.#admitted, rule) !== undefined;
  }

  #rule(avoid: ReadonlySet<number> | undefined, patience: Patience): PickRule {
    const isFresh = patience === "fresh" && !this.#closed;
    return {
      consistency: this.#consistency,
      floor: isFresh ? this.#newest : -Infinity,
      avoid,
      concurrency: this.#limits.concurrency,
      isLastResort: patience === "last",
    };
  }

  /**
   * Waits for a process.
   *
   * @returns ends the wait without a call of either
   */
  wait(seeker: Seeker): () => void {
    const entry = new Waiting(seeker);
    const { holdTimeoutMs, freshTimeoutMs, maxHeld } = this.#limits;
    const isFull = this.#waiting.size >= maxHeld && seeker.isRepeated !== true;
    this.#add(entry);
    this.heldTotal++;
    if (isFull) {
      entry.after(0, () => this.#endWait(entry));
      return () => this.#leave(entry);
    }
    if (freshTimeoutMs < holdTimeoutMs) {
      entry.after(freshTimeoutMs, () => {
        entry.patience = "stale";
        this.#tryEntry(entry);
      });
    }
    entry.after(holdTimeoutMs, () => this.#endWait(entry));
    const { suspect, avoid } = seeker;
    if (suspect !== undefined && this.#isAdmitted(suspect)) {
      entry.after(this.#limits.deathNoticeMs, () => {
        if (this.#isAdmitted(suspect) && !this.isBusy(avoid))
          this.#giveUp(entry);
      });
    }
    // Nothing will be admitted any more.
    if (this.#closed && !this.isBusy(avoid))
      entry.after(0, () => this.#giveUp(entry));
    return () => this.#leave(entry);
  }

  /** Gives those that wait, first come first served, whatever can be had. */
  wake(): void {
    for (const entry of [...this.#waiting]) {
      if (this.#tryEntry(entry)) continue;
      // Nothing will be admitted any more; but one that is busy has room again some time.
      if (this.#closed && !this.isBusy(entry.seeker.avoid)) this.#giveUp(entry);
    }
  }

  /** There is one request less in hand, or a lease is back. */
  #freed(target: Target): void {
    if (this.#waiting.size === 0 || target.state !== "admitted") return;
    const { concurrency } = this.#limits;
    for (const entry of this.#waiting) {
      if (target.busy >= concurrency) return;
      if (!this.#waiting.has(entry)) continue;
      if (entry.seeker.crowded === target.id) {
        this.#leave(entry);
        entry.seeker.onTarget(target);
        return;
      }
      // Without that limit nobody waits for a process that has much to do.
      if (concurrency < Infinity) this.#tryEntry(entry);
    }
  }

  /** From now on nothing waits but for a process that has too much to do: what can't be had is given up. */
  close(): void {
    this.#closed = true;
    this.wake();
  }

  #isAdmitted(id: number): boolean {
    return this.#targets.get(id)?.state === "admitted";
  }

  #add(entry: Waiting): void {
    if (entry.seeker.isRepeated === true)
      this.#waiting = new Set([entry, ...this.#waiting]);
    else this.#waiting.add(entry);
  }

  #tryEntry(entry: Waiting): boolean {
    if (!this.#waiting.has(entry)) return true;
    const { avoid, home } = entry.seeker;
    const target = this.find(avoid, entry.patience, home);
    if (target === undefined) return false;
    this.#leave(entry);
    entry.seeker.onTarget(target);
    return true;
  }

  /** The wait is over: what is newest and ready, or nothing. */
  #endWait(entry: Waiting): void {
    entry.patience = "last";
    if (!this.#tryEntry(entry)) this.#giveUp(entry);
  }

  #giveUp(entry: Waiting): void {
    this.#leave(entry);
    entry.seeker.onTimeout();
  }

  #leave(entry: Waiting): void {
    entry.end();
    if (!this.#waiting.delete(entry)) return;
    this.holds.observe(performance.now() - entry.since);
  }
}
