/**
 * Asks every serving process again and again whether its event loop turns. What a missed answer leads to is
 * decided by `master.ts`.
 *
 * A master that was itself suspended (a laptop's lid, SIGSTOP) sees its own timer come far too late: it
 * then begins to wait anew for everyone, so that nobody seems to hang because nobody was listening.
 */
import type { WorkerProcess } from "../pool/worker-process.js";

export interface HeartbeatOptions {
  /** Without an answer for so long a process hangs; 0: no process ever does. */
  readonly hangTimeoutMs: number;
  readonly processes: () => Iterable<WorkerProcess>;
  readonly onHung: (process: WorkerProcess, silentMs: number) => void;
  readonly onResponsive: (process: WorkerProcess, silentMs: number) => void;
}

/** For the figures in `status`, without a hang timeout. */
const LONGEST_INTERVAL_MS = 2_500;
const SHORTEST_INTERVAL_MS = 50;
/** A tick that is later than so many intervals says that the master didn't run. */
const LATE_TICKS = 2;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #intervalMs: number;
  /** The answers that are waited for. A question may be somebody else's. */
  readonly #awaited = new WeakSet<Promise<number>>();
  #timer: NodeJS.Timeout | undefined;
  #tickedAt = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { hangTimeoutMs } = options;
    const wanted = hangTimeoutMs > 0 ? hangTimeoutMs / 4 : LONGEST_INTERVAL_MS;
    this.#intervalMs = Math.min(
      LONGEST_INTERVAL_MS,
      Math.max(SHORTEST_INTERVAL_MS, wanted),
    );
  }

  start(): void {
    this.#tickedAt = performance.now();
    this.#timer ??= setInterval(() => this.#tick(), this.#intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = performance.now();
    const wasSuspended =
      now - this.#tickedAt > (1 + LATE_TICKS) * this.#intervalMs;
    this.#tickedAt = now;
    for (const process of this.#options.processes())
      this.#look(process, now, wasSuspended);
  }

  #look(process: WorkerProcess, now: number, wasSuspended: boolean): void {
    const { heartbeat } = process;
    const { hangTimeoutMs, onHung, onResponsive } = this.#options;
    const { askedAt } = heartbeat;
    const answer = process.ping();
    if (!this.#awaited.has(answer)) {
      this.#awaited.add(answer);
      void answer.then((silentMs) => {
        if (!heartbeat.isMissed) return;
        heartbeat.isMissed = false;
        onResponsive(process, silentMs);
      });
    }
    if (askedAt === undefined) return;
    if (wasSuspended) heartbeat.askedAt = now;
    const silentMs = wasSuspended ? 0 : now - askedAt;
    if (hangTimeoutMs === 0 || silentMs < hangTimeoutMs || heartbeat.isMissed)
      return;
    heartbeat.isMissed = true;
    onHung(process, silentMs);
  }
}
