/**
 * Load for tests of "no request is ever lost": several targets at once (the
 * front, workers' own ports), connections kept open and new ones, GETs, and
 * POSTs whose echo is compared byte for byte. Any answer that the app
 * would not have given is a loss, with its reason.
 *
 * It is the instrument, not a test: `load.test.ts` shows that it sees losses.
 */
import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { exchange, type Exchange } from "./exchange.js";

/** Where load goes. */
export interface LoadTarget {
  /** For the report, e.g. `"front"` or `"worker 0"`. */
  readonly name: string;
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
}

/** What {@link startLoad} takes. */
export interface LoadOptions {
  readonly targets: readonly LoadTarget[];
  /** Connections kept open per target, each sending one request after the other. Default 4. */
  readonly keepAlive?: number;
  /** Requests a second per target, each on a new connection. Default 40. */
  readonly freshPerSecond?: number;
  /** What GETs ask for. Default `/version`. */
  readonly path?: string;
  /** What POSTs send, in bytes; `false` for GETs alone. Default 1 KB to 1 MB. */
  readonly post?:
    { readonly minBytes: number; readonly maxBytes: number } | false;
  /** Default `/echo`. */
  readonly postPath?: string;
  /** Every how manyth request is a POST. Default 3. */
  readonly postEvery?: number;
  /** Rest between two requests of a connection, in milliseconds: 0 saturates the machine. Default 5. */
  readonly pauseMs?: number;
  /** When a request counts as lost, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Sees every answer, in the order in which they ended. */
  readonly onAnswer?: (answer: Answer) => void;
}

/** A request that got the app's answer, whole. */
export interface Answer {
  /** The target's name. */
  readonly target: string;
  readonly method: "GET" | "POST";
  /** The body of a GET. */
  readonly text: string;
  /** `x-prefork-worker`, where there is one. */
  readonly worker: number | undefined;
  /** `x-prefork-generation`, where there is one. */
  readonly generation: number | undefined;
  /** `performance.now()` before the request was written. */
  readonly sentAt: number;
  /** `performance.now()` when the head of the answer arrived. */
  readonly receivedAt: number;
}

/** Why a request is lost. */
export type LossReason =
  | "refused"
  | "reset"
  | "status"
  | "truncated"
  | "wrong-body"
  | "timeout"
  | "other";

/** A request without the app's whole answer. */
interface Loss {
  readonly target: string;
  readonly method: "GET" | "POST";
  readonly reason: LossReason;
  /** The error's code or message; for a status its number and the beginning of the body. */
  readonly detail: string;
  /** Whether the connection had carried a request before. */
  readonly reusedConnection: boolean;
  readonly bodyBytes: number;
  readonly sentAt: number;
  readonly lostAt: number;
}

/** What came of the load. */
export interface LoadReport {
  readonly requests: number;
  /** By target's name. */
  readonly requestsByTarget: Readonly<Record<string, number>>;
  readonly posts: number;
  readonly connectionsReused: number;
  readonly lost: readonly Loss[];
}

/** Load that runs. */
export interface Load {
  /** What came of it so far. */
  report(): LoadReport;
  /** No new requests; resolves when those under way have ended. The same promise each time. */
  stop(): Promise<LoadReport>;
}

/** Starts sending at once. */
export function startLoad(options: LoadOptions): Load {
  const { keepAlive = 4, freshPerSecond = 40, pauseMs = 5 } = options;
  const { post = { minBytes: 1_024, maxBytes: 1_048_576 } } = options;
  const { postEvery = 3 } = options;
  const lost: Loss[] = [];
  const requestsByTarget: Record<string, number> = {};
  let requests = 0;
  let posts = 0;
  let connectionsReused = 0;
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  const agents: http.Agent[] = [];

  const send = async (
    target: LoadTarget,
    agent: http.Agent | false,
  ): Promise<void> => {
    const isPost = post !== false && requests % postEvery === 0;
    requests++;
    if (isPost) posts++;
    requestsByTarget[target.name] = (requestsByTarget[target.name] ?? 0) + 1;
    const outcome = await exchange({
      host: target.host ?? "127.0.0.1",
      port: target.port,
      agent,
      path: isPost
        ? (options.postPath ?? "/echo")
        : (options.path ?? "/version"),
      body: isPost ? randomBody(post.minBytes, post.maxBytes) : undefined,
      // Both framings, in turn: by length at once, and in chunks over time.
      inChunks: posts % 2 === 0,
      timeoutMs: options.timeoutMs ?? 30_000,
    });
    if (outcome.reusedConnection) connectionsReused++;
    const method = isPost ? "POST" : "GET";
    if (outcome.kind === "answered") {
      options.onAnswer?.(answerOf(outcome, target.name, method));
    } else {
      const { reason, detail, reusedConnection, bodyBytes } = outcome;
      const { sentAt, lostAt } = outcome;
      const of = { target: target.name, method, bodyBytes } as const;
      lost.push({ ...of, reason, detail, reusedConnection, sentAt, lostAt });
    }
  };

  const track = (work: Promise<void>): void => {
    const tracked = work.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };
  const loop = async (target: LoadTarget): Promise<void> => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    while (!stopping.signal.aborted) {
      await send(target, agent);
      await rest(pauseMs, stopping.signal);
    }
  };
  const drip = async (target: LoadTarget): Promise<void> => {
    while (!stopping.signal.aborted) {
      track(send(target, false));
      await rest(1_000 / freshPerSecond, stopping.signal);
    }
  };

  for (const target of options.targets) {
    for (let index = 0; index < keepAlive; index++) track(loop(target));
    if (freshPerSecond > 0) track(drip(target));
  }

  const report = (): LoadReport => ({
    requests,
    requestsByTarget: { ...requestsByTarget },
    posts,
    connectionsReused,
    lost: [...lost],
  });
  let stopped: Promise<LoadReport> | undefined;
  const end = async (): Promise<LoadReport> => {
    stopping.abort();
    // A drip's last requests are added while its loop ends.
    while (underWay.size > 0) await Promise.all(underWay);
    for (const agent of agents) agent.destroy();
    return report();
  };
  return { report, stop: () => (stopped ??= end()) };
}

function answerOf(
  outcome: Extract<Exchange, { kind: "answered" }>,
  target: string,
  method: "GET" | "POST",
): Answer {
  return {
    target,
    method,
    text: method === "GET" ? outcome.body.toString("utf8") : "",
    worker: numberOf(outcome.headers["x-prefork-worker"]),
    generation: numberOf(outcome.headers["x-prefork-generation"]),
    sentAt: outcome.sentAt,
    receivedAt: outcome.receivedAt,
  };
}

function numberOf(header: string | string[] | undefined): number | undefined {
  return typeof header === "string" ? Number(header) : undefined;
}

/** The pace of the load; synchronises nothing. */
async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

const noise = Buffer.allocUnsafe(4 * 1_048_576);
for (let at = 0; at < noise.length; at++) noise[at] = Math.random() * 256;

/** Sizes of every order of magnitude are as likely; contents differ between requests. */
function randomBody(minBytes: number, maxBytes: number): Buffer {
  const size = Math.round(minBytes * (maxBytes / minBytes) ** Math.random());
  const start = Math.floor(Math.random() * Math.max(1, noise.length - size));
  return noise.subarray(start, start + size);
}
