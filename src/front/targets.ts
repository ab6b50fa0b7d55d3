/** The processes that the front knows, and the leases each one holds. No policy: see `policy.ts`. */
import { FreshAgent, PooledAgent } from "./agents.js";
import type { NumberBook, WorkerTotals } from "./numbers/number-book.js";
import type { Histogram } from "./numbers/histogram.js";
import type { LoopState } from "./policy.js";
import type { FrontTarget, FrontTargetStats } from "./types.js";

/** What holds a lease: one request or upgraded socket. */
export interface LeaseHolder {
  /** The process has died: end what still waits for the first byte of its answer. */
  abortUnanswered(reason: Error): void;
  /** Others would be faster: take back what the process hasn't been sent any of. */
  abortUnsent(reason: Error): void;
}

/** One admitted request bound to one process. */
export interface Lease {
  readonly target: Target;
  /** The head of an answer has come. */
  readonly answered: () => void;
  /** From now on it is an open stream or upgraded socket: it is not counted as a request in hand any more. Idempotent. */
  readonly becomeStream: () => void;
  /** Gives the lease back. Idempotent. */
  readonly release: () => void;
}

/** Any order of events will do; a clock has ties. */
let tick = 0;

/** One process. */
export class Target {
  readonly id: number;
  readonly generation: number;
  readonly info: FrontTarget;
  readonly pooled: PooledAgent;
  readonly fresh: FreshAgent;
  readonly tunnels: FreshAgent;
  state: FrontTargetStats["state"] = "connected";
  /** Kept by `loop-watch.ts`. */
  loop: LoopState = "turns";
  lastUsed = 0;
  requests = 0;
  /** `performance.now()` when the head of its last answer came. */
  answeredAt = 0;
  /** `performance.now()` when the head of its first answer came. */
  firstAnswerAt: number | undefined;
  /** Fulfils at that moment, if it comes. */
  readonly firstAnswer: Promise<void>;
  #onFirstAnswer: () => void = () => undefined;
  readonly #holders = new Set<LeaseHolder>();
  /** Those that are requests in hand, oldest first, and when they were given to it. */
  readonly #busy = new Map<LeaseHolder, number>();
  readonly #onDrained: (() => void)[] = [];

  /** Its worker's numbers. */
  readonly totals: WorkerTotals;
  readonly #latency: Histogram;

  constructor(info: FrontTarget, numbers: NumberBook) {
    this.id = info.id;
    this.generation = info.generation;
    this.info = info;
    this.totals = numbers.totals(info.worker);
    this.#latency = numbers.latency(info.worker, info.generation);
    const { bytes } = this.totals;
    this.pooled = new PooledAgent(info, bytes);
    this.fresh = new FreshAgent(info, "request", bytes);
    this.tunnels = new FreshAgent(info, "tunnel", bytes);
    this.firstAnswer = new Promise(
      (resolve) => (this.#onFirstAnswer = resolve),
    );
  }

  /** @param since - when it was given the request */
  #answered(since: number): void {
    this.answeredAt = performance.now();
    this.#latency.observe(this.answeredAt - since);
    if (this.firstAnswerAt !== undefined) return;
    this.firstAnswerAt = this.answeredAt;
    this.#onFirstAnswer();
  }

  get leases(): number {
    return this.#holders.size;
  }

  /** How many of the leases are requests in hand: neither open streams nor upgraded sockets. */
  get busy(): number {
    return this.#busy.size;
  }

  /** `performance.now()` when it was given the oldest request that it has in hand. */
  get busySince(): number | undefined {
    for (const since of this.#busy.values()) return since;
    return undefined;
  }

  /** @param onFreed - called when there is one request less in hand, and when the lease is back */
  lease(holder: LeaseHolder, onFreed: (target: Target) => void): Lease {
    const since = performance.now();
    this.requests++;
    this.totals.requests++;
    this.lastUsed = ++tick;
    this.#holders.add(holder);
    this.#busy.set(holder, since);
    return {
      target: this,
      answered: () => this.#answered(since),
      becomeStream: () => {
        if (this.#busy.delete(holder)) onFreed(this);
      },
      release: () => {
        if (!this.#holders.delete(holder)) return;
        this.#busy.delete(holder);
        this.lastUsed = ++tick;
        if (this.#holders.size === 0) this.#settleDrain();
        onFreed(this);
      },
    };
  }

  /** Resolves when there are no leases and, after that, no sockets. */
  async drain(): Promise<void> {
    this.state = "draining";
    await new Promise<void>((resolve) => {
      this.#onDrained.push(resolve);
      if (this.#holders.size === 0) this.#settleDrain();
    });
  }

  #settleDrain(): void {
    if (this.state !== "draining") return;
    // Whatever a request left behind (the rest of an upload that was answered early) goes too.
    this.closeSockets();
    for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  /** Closes every connection that has no request. */
  closeIdleSockets(): void {
    this.pooled.dropWarm();
    for (const sockets of Object.values(this.pooled.freeSockets)) {
      for (const socket of [...(sockets ?? [])]) socket.destroy();
    }
  }

  closeSockets(): void {
    this.pooled.destroy();
    this.fresh.destroy();
    this.tunnels.destroy();
  }

  abortUnanswered(reason: Error): void {
    for (const holder of [...this.#holders]) holder.abortUnanswered(reason);
  }

  abortUnsent(reason: Error): void {
    for (const holder of [...this.#busy.keys()]) holder.abortUnsent(reason);
  }

  stats(): FrontTargetStats {
    return {
      id: this.id,
      worker: this.info.worker,
      generation: this.generation,
      state: this.state,
      leases: this.leases,
      streams: this.leases - this.busy,
      isBlocked: this.loop === "blocked",
      requests: this.requests,
    };
  }
}
