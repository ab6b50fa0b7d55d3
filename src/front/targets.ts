/** The processes that the front knows, and the leases each one holds. No policy: see `policy.ts`. */
import { FreshAgent, PooledAgent } from "./agents.js";
import type { FrontTarget, FrontTargetStats } from "./types.js";

/** What holds a lease: one request or upgraded socket. */
export interface LeaseHolder {
  /** The process is given up: end what was begun with it. */
  abort(reason: Error): void;
  /** The process has died: end what still waits for the first byte of its answer. */
  abortUnanswered(reason: Error): void;
}

/** One admitted request bound to one process. */
export interface Lease {
  readonly target: Target;
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
  lastUsed = 0;
  requests = 0;
  /** `performance.now()` when the head of its first answer came. */
  firstAnswerAt: number | undefined;
  /** Fulfils at that moment, if it comes. */
  readonly firstAnswer: Promise<void>;
  #onFirstAnswer: () => void = () => undefined;
  readonly #holders = new Set<LeaseHolder>();
  readonly #onDrained: (() => void)[] = [];

  constructor(info: FrontTarget) {
    this.id = info.id;
    this.generation = info.generation;
    this.info = info;
    this.pooled = new PooledAgent(info);
    this.fresh = new FreshAgent(info, "request");
    this.tunnels = new FreshAgent(info, "tunnel");
    this.firstAnswer = new Promise(
      (resolve) => (this.#onFirstAnswer = resolve),
    );
  }

  /** The head of an answer has come. */
  answered(): void {
    if (this.firstAnswerAt !== undefined) return;
    this.firstAnswerAt = performance.now();
    this.#onFirstAnswer();
  }

  get leases(): number {
    return this.#holders.size;
  }

  /** @param onRelease - called once, after the lease is back */
  lease(holder: LeaseHolder, onRelease: (target: Target) => void): Lease {
    this.requests++;
    this.lastUsed = ++tick;
    this.#holders.add(holder);
    return {
      target: this,
      release: () => {
        if (!this.#holders.delete(holder)) return;
        this.lastUsed = ++tick;
        if (this.#holders.size === 0) this.#settleDrain();
        onRelease(this);
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

  abort(reason: Error): void {
    for (const holder of [...this.#holders]) holder.abort(reason);
  }

  abortUnanswered(reason: Error): void {
    for (const holder of [...this.#holders]) holder.abortUnanswered(reason);
  }

  stats(): FrontTargetStats {
    return {
      id: this.id,
      worker: this.info.worker,
      generation: this.generation,
      state: this.state,
      leases: this.leases,
      requests: this.requests,
    };
  }
}
