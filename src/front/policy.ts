/** Who gets a request, and whether it may be given to a second process: pure. */
import type { Consistency } from "./types.js";

/** What the choice looks at. */
export interface Candidate {
  readonly id: number;
  readonly generation: number;
  /** Requests that it has in hand. */
  readonly leases: number;
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
}

/**
 * Picks the process for a request: of the newest generation (fresh) or of all
 * (available), the one with the fewest leases; among equals, the one unused the longest.
 *
 * @param candidates - the admitted processes
 * @returns the choice, or `undefined` when none comes into question
 */
export function pickTarget<C extends Candidate>(
  candidates: Iterable<C>,
  rule: PickRule,
): C | undefined {
  const fresh = rule.consistency === "fresh";
  let best: C | undefined;
  for (const candidate of candidates) {
    if (rule.avoid?.has(candidate.id)) continue;
    if (fresh && candidate.generation < rule.floor) continue;
    if (best === undefined || isBetter(candidate, best, fresh)) {
      best = candidate;
    }
  }
  return best;
}

function isBetter(a: Candidate, b: Candidate, fresh: boolean): boolean {
  if (fresh && a.generation !== b.generation) {
    return a.generation > b.generation;
  }
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
