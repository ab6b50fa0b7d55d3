/**
 * The numbers of each worker, which outlive its processes, and the latencies of its last generations. Generations grow with
 * every save, so only a few are kept; a worker's own numbers are never dropped.
 */
import { Histogram } from "./histogram.js";
import { SocketBytes } from "./socket-bytes.js";
import type { LatencyNumbers, WorkerNumbers } from "./types.js";

/** Old ones may still drain. */
const KEPT_GENERATIONS = 5;

/** What is counted for a worker. */
export class WorkerTotals {
  requests = 0;
  retries = 0;
  upgrades = 0;
  readonly bytes: SocketBytes = new SocketBytes();

  /** @param worker - its index */
  value(worker: number): WorkerNumbers {
    const { requests, retries, upgrades, bytes } = this;
    return {
      ...{ worker, requests, retries, upgrades },
      // What it was sent came from clients.
      bytesIn: bytes.written,
      bytesOut: bytes.read,
    };
  }
}

/** See this file's header. */
export class NumberBook {
  readonly #workers = new Map<number, WorkerTotals>();
  /** By generation, then by worker. */
  readonly #latencies = new Map<number, Map<number, Histogram>>();

  /** What is counted for a worker; made when it's first asked for. */
  totals(worker: number): WorkerTotals {
    let totals = this.#workers.get(worker);
    if (totals === undefined) {
      totals = new WorkerTotals();
      this.#workers.set(worker, totals);
    }
    return totals;
  }

  /** The latencies of a worker's processes of a generation. Those of the oldest generation are forgotten when there are too many. */
  latency(worker: number, generation: number): Histogram {
    let workers = this.#latencies.get(generation);
    if (workers === undefined) {
      workers = new Map();
      this.#latencies.set(generation, workers);
      if (this.#latencies.size > KEPT_GENERATIONS)
        this.#latencies.delete(Math.min(...this.#latencies.keys()));
    }
    let latency = workers.get(worker);
    if (latency === undefined) {
      latency = new Histogram();
      workers.set(worker, latency);
    }
    return latency;
  }

  /** By worker's index. */
  workers(): WorkerNumbers[] {
    return Array.from(this.#workers, ([worker, totals]) =>
      totals.value(worker),
    ).sort((a, b) => a.worker - b.worker);
  }

  /** By generation, then by worker's index. */
  latencies(): LatencyNumbers[] {
    const all = [...this.#latencies].flatMap(([generation, workers]) =>
      Array.from(workers, ([worker, latency]) => ({
        ...{ worker, generation },
        latency: latency.value(),
      })),
    );
    return all.sort(
      (a, b) => a.generation - b.generation || a.worker - b.worker,
    );
  }
}
