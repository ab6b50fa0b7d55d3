/**
 * Who waits for a front to leave servers alone, and when that is confirmed. A list confirms all who wait for servers to be left
 * alone that aren't in it, whichever list they gave themselves. Knows no front.
 */
import { serverKey } from "./address.js";
import type { UpstreamServer } from "./types.js";

interface Waiter {
  /** What must not get requests, by key. */
  readonly removed: ReadonlyMap<string, UpstreamServer>;
  readonly timer: NodeJS.Timeout;
  readonly end: (confirmed: boolean) => void;
}

export class Confirmations {
  readonly #timeoutMs: number;
  readonly #onLate: (removed: readonly UpstreamServer[]) => void;
  readonly #waiters = new Set<Waiter>();
  /** What the front may send requests to: a try that failed or was given up may have had its effect. */
  #exposed = new Map<string, UpstreamServer>();

  /**
   * @param timeoutMs - the longest that anybody waits, in milliseconds
   * @param onLate - is told what somebody has waited for in vain
   */
  constructor(
    timeoutMs: number,
    onLate: (removed: readonly UpstreamServer[]) => void,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#onLate = onLate;
  }

  /** A new list: `true` when nothing else that it was ever given gets requests any more. */
  expect(servers: readonly UpstreamServer[]): Promise<boolean> {
    const listed = byKey(servers);
    for (const waiter of this.#waiters) {
      // What is wanted again will not be confirmed to be gone.
      if (hasAny(waiter.removed, listed)) this.#end(waiter, false);
    }
    const removed = new Map(
      [...this.#exposed].filter(([key]) => !listed.has(key)),
    );
    for (const [key, server] of listed) this.#exposed.set(key, server);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#end(waiter, false);
        this.#onLate([...removed.values()]);
      }, this.#timeoutMs);
      const waiter: Waiter = { removed, timer, end: resolve };
      this.#waiters.add(waiter);
    });
  }

  /**
   * The front sends requests to these servers alone.
   *
   * @param newest - the newest list: it may have had some effect already
   */
  confirm(
    servers: readonly UpstreamServer[],
    newest: readonly UpstreamServer[],
  ): void {
    const confirmed = byKey(servers);
    this.#exposed = new Map([...confirmed, ...byKey(newest)]);
    for (const waiter of this.#waiters)
      if (!hasAny(waiter.removed, confirmed)) this.#end(waiter, true);
  }

  /** Nobody waits any longer. */
  giveUp(): void {
    for (const waiter of this.#waiters) this.#end(waiter, false);
  }

  #end(waiter: Waiter, confirmed: boolean): void {
    clearTimeout(waiter.timer);
    this.#waiters.delete(waiter);
    waiter.end(confirmed);
  }
}

function byKey(
  servers: readonly UpstreamServer[],
): ReadonlyMap<string, UpstreamServer> {
  return new Map(servers.map((server) => [serverKey(server), server]));
}

function hasAny(
  some: ReadonlyMap<string, unknown>,
  others: ReadonlyMap<string, unknown>,
): boolean {
  return [...some.keys()].some((key) => others.has(key));
}
