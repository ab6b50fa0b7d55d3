/** A server's numbers as metrics: which there are, and what each means. Pure; part of the composition root. docs/control-protocol.md lists them. */
import type {
  FrontNumbers,
  HistogramValue,
  WorkerNumbers,
} from "./front/numbers/types.js";
import type { Distribution, Labels, Metric, Sample } from "./metrics/types.js";
import type { ReloadCounts } from "./reload-numbers.js";
import type { ServerStatus } from "./server-events.js";

/** @param front - `undefined`: there is none, and nothing is known of requests */
export function serverMetrics(
  status: ServerStatus,
  front: FrontNumbers | undefined,
  reloads: ReloadCounts,
): Metric[] {
  return [
    ...(front === undefined ? [] : frontMetrics(front)),
    ...processMetrics(status),
    counter(
      "prefork_reloads_total",
      "Reloads by how they ended.",
      Object.entries(reloads.outcomes).map(([outcome, value]) => ({
        ...{ labels: { outcome }, value },
      })),
    ),
    histogram(
      "prefork_reload_first_worker_seconds",
      "From a change, or a call, until the first worker ran the new code.",
      [distribution(reloads.first)],
    ),
    histogram(
      "prefork_reload_duration_seconds",
      "From a change, or a call, until all workers ran the new code.",
      [distribution(reloads.all)],
    ),
  ];
}

function frontMetrics(front: FrontNumbers): Metric[] {
  const byWorker = (of: (numbers: WorkerNumbers) => number): Sample[] =>
    front.workers.map((numbers) => ({
      labels: { worker: numbers.worker },
      value: of(numbers),
    }));
  return [
    counter(
      "prefork_requests_total",
      "Requests and upgrades received that may be passed on.",
      [{ value: front.requests }],
    ),
    counter(
      "prefork_refusals_total",
      "Requests refused, by why.",
      Object.entries(front.refusals).map(([reason, value]) => ({
        ...{ labels: { reason }, value },
      })),
    ),
    counter(
      "prefork_own_answers_total",
      "Answers that the front wrote itself (502, 503).",
      [{ value: front.ownAnswers }],
    ),
    counter(
      "prefork_retries_total",
      "Times that a request was tried again, elsewhere or on a new connection.",
      [{ value: front.retries }],
    ),
    counter("prefork_upgrades_total", "Sockets that were upgraded.", [
      { value: front.upgrades },
    ]),
    counter(
      "prefork_received_bytes_total",
      "Bytes that clients sent, headers and all.",
      [{ value: front.bytesIn }],
    ),
    counter(
      "prefork_sent_bytes_total",
      "Bytes that clients were sent, headers and all.",
      [{ value: front.bytesOut }],
    ),
    gauge("prefork_connections", "Clients' connections that are open.", [
      { value: front.connections },
    ]),
    gauge("prefork_held_requests", "Requests that wait in the front.", [
      { value: front.held },
    ]),
    counter("prefork_holds_total", "Requests that ever had to wait.", [
      { value: front.heldTotal },
    ]),
    histogram(
      "prefork_hold_duration_seconds",
      "How long those waited that don't any more.",
      [distribution(front.holds)],
    ),
    counter(
      "prefork_worker_requests_total",
      "Requests and upgrades that a worker was given.",
      byWorker(({ requests }) => requests),
    ),
    counter(
      "prefork_worker_retries_total",
      "Requests that a worker failed, and that were tried again.",
      byWorker(({ retries }) => retries),
    ),
    counter(
      "prefork_worker_upgrades_total",
      "Sockets that a worker upgraded.",
      byWorker(({ upgrades }) => upgrades),
    ),
    counter(
      "prefork_worker_received_bytes_total",
      "Bytes that a worker was sent by the front.",
      byWorker(({ bytesIn }) => bytesIn),
    ),
    counter(
      "prefork_worker_sent_bytes_total",
      "Bytes that a worker sent to the front.",
      byWorker(({ bytesOut }) => bytesOut),
    ),
    gauge(
      "prefork_leases",
      "Requests, streams and upgraded sockets in hand.",
      summed(front.targets, ({ leases }) => leases),
    ),
    gauge(
      "prefork_streams",
      "Event streams and upgraded sockets that are open.",
      summed(front.targets, ({ streams }) => streams),
    ),
    histogram(
      "prefork_request_duration_seconds",
      "From a request's lease to the head of its answer, for the last few generations.",
      front.latencies.map(({ worker, generation, latency }) =>
        distribution(latency, { worker, generation }),
      ),
    ),
  ];
}

function processMetrics({
  uptimeMs,
  generation,
  workers,
  standbys,
}: ServerStatus): Metric[] {
  const draining = workers.reduce((sum, each) => sum + each.draining, 0);
  const restarts = workers.map(({ index, restarts }) => ({
    ...{ labels: { worker: index }, value: restarts },
  }));
  const memory = workers.flatMap(({ index, rssBytes }) =>
    rssBytes === undefined
      ? []
      : [{ labels: { worker: index }, value: rssBytes }],
  );
  return [
    gauge("prefork_uptime_seconds", "Since the server was made.", [
      { value: uptimeMs / 1_000 },
    ]),
    gauge(
      "prefork_generation",
      "The generation that serves; nothing while there is none.",
      generation === undefined ? [] : [{ value: generation }],
    ),
    gauge("prefork_workers", "Workers by state.", counted(workers)),
    gauge(
      "prefork_draining_processes",
      "Replaced processes that still drain.",
      [{ value: draining }],
    ),
    gauge("prefork_standbys", "Standbys by state.", counted(standbys)),
    counter(
      "prefork_worker_restarts_total",
      "Processes of a worker that died or hung.",
      restarts,
    ),
    gauge(
      "prefork_worker_memory_bytes",
      "Resident memory of a worker's process at its last heartbeat.",
      memory,
    ),
  ];
}

/** How many there are in each state that any is in. */
function counted(list: readonly { readonly state: string }[]): Sample[] {
  const states = new Map<string, number>();
  for (const { state } of list) states.set(state, (states.get(state) ?? 0) + 1);
  return Array.from(states, ([state, value]) => ({ labels: { state }, value }));
}

/** By worker and generation: several processes may be of the same. */
function summed(
  targets: FrontNumbers["targets"],
  of: (target: FrontNumbers["targets"][number]) => number,
): Sample[] {
  const sums = new Map<string, { labels: Labels; value: number }>();
  for (const target of targets) {
    const { worker, generation } = target;
    const key = `${worker} ${generation}`;
    const labels = { worker, generation };
    const value = (sums.get(key)?.value ?? 0) + of(target);
    sums.set(key, { labels, value });
  }
  return [...sums.values()];
}

function distribution(
  { count, sumMs, buckets }: HistogramValue,
  labels: Labels = {},
): Distribution {
  return {
    ...{ labels, count, sumSeconds: sumMs / 1_000 },
    buckets: buckets.map(({ upToMs, count: upTo }) => ({
      upToSeconds: upToMs / 1_000,
      count: upTo,
    })),
  };
}

function counter(name: string, help: string, samples: Sample[]): Metric {
  return { name, help, type: "counter", samples };
}

function gauge(name: string, help: string, samples: Sample[]): Metric {
  return { name, help, type: "gauge", samples };
}

function histogram(
  name: string,
  help: string,
  distributions: Distribution[],
): Metric {
  return { name, help, type: "histogram", distributions };
}
