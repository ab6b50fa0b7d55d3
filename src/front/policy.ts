/** Who gets a request, and whether it may be given to a second process: pure. */
import type { Consistency } from "./types.js";

/**
 * What is known of a process's event loop: it turns as far as anybody knows; whether it does was asked, without an answer
 * yet; there was none in time. See `loop-watch.ts`.
 */
export type LoopState = "turns" | "asked" | "blocked";

/** What the choice looks at. */
export interface Candidate {
  readonly id: number;
  readonly generation: number;
  /** Requests that it has in hand; event streams and upgraded sockets that are open don't count. */
  readonly busy: number;
  /** Those, and open streams and sockets. */
  readonly leases: number;
  readonly loop: LoopState;
  /** Greater means: used (picked, or done with a request) more recently. */
  readonly lastUsed: number;
}

/** Which candidates come into question. */
export interface PickRule {
  readonly consistency: Consistency;
  /**
   * Fresh: no generation under this one. It is the newest that ever was
   * admitted, so that a death can't bring an older answer after a newer one.
   */
  readonly floor: number;
  /** Ids of those that have failed this request. */
  readonly avoid?: ReadonlySet<number> | undefined;
  /** A process gets no more requests than this at a time. Default: any number. */
  readonly concurrency?: number;
  /** Will a process do whose event loop is blocked? Default: no. */
  readonly isLastResort?: boolean;
}

/**
 * Picks the process for a request: of the newest generation (fresh) or of all (available), one whose event loop
 * turns, with the fewest requests in hand; among equals the one with the fewest streams, then the one unused the longest.
 * Where the newest generation has processes, but none can take more, the request is not for an older one.
 *
 * @param candidates - the admitted processes
 * @returns the choice, or `undefined` when none can take the request now
 */
export function pickTarget<C extends Candidate>(
  candidates: Iterable<C>,
  rule: PickRule,
): C | undefined {
  const { avoid, concurrency = Infinity, isLastResort = false } = rule;
  const isFresh = rule.consistency === "fresh";
  let { floor } = rule;
  let best: C | undefined;
  for (const candidate of candidates) {
    if (avoid?.has(candidate.id)) continue;
    if (isFresh) {
      if (candidate.generation < floor) continue;
      if (candidate.generation > floor) {
        floor = candidate.generation;
        best = undefined;
      }
    }
    if (candidate.busy >= concurrency) continue;
    if (candidate.loop === "blocked" && !isLastResort) continue;
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

/** One that was asked counts as slow: it has a request without an answer, and doesn't say at once that it turns. */
const RANKS: Readonly<Record<LoopState, number>> = {
  turns: 0,
  asked: 1,
  blocked: 2,
};

function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.loop !== b.loop) return RANKS[a.loop] < RANKS[b.loop];
  if (a.busy !== b.busy) return a.busy < b.busy;
  if (a.leases !== b.leases) return a.leases < b.leases;
  return a.lastUsed < b.lastUsed;
}

/**
 * Whether a request that a process may have seen can be given to another.
 * These methods are safe (RFC 9110 section 9.2.1); TRACE is left out, it is meant for one hop.
 */
export function isRepeatable(
  method: string | undefined,
  hasBody: boolean,
): boolean {
  return (
    !hasBody && (method === "GET" || method === "HEAD" || method === "OPTIONS")
  );
}

/** How an attempt to have a request answered failed. No byte of an answer was seen. */
export interface FailedAttempt {
  /** Whether the process may have seen any of the request. */
  readonly sent: boolean;
  readonly repeatable: boolean;
  /** How often the request was repeated after it had been sent. */
  readonly repeats: number;
}

/**
 * What becomes of the request. What never left can go elsewhere whatever it
 * is; what was sent is repeated once at most, so that a URL that crashes its process can't take down the whole pool.
 */
export function afterFailure(attempt: FailedAttempt): "elsewhere" | "give-up" {
  if (!attempt.sent) return "elsewhere";
  return attempt.repeatable && attempt.repeats === 0 ? "elsewhere" : "give-up";
}
