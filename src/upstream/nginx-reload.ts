/**
 * When nginx runs a new configuration, and nothing else. `nginx -s reload` only sends a signal. Relied on, from
 * https://nginx.org/en/docs/control.html ("Changing Configuration"): the master starts new worker processes first, then
 * asks the old ones to shut down; these close their listening sockets, and go on with what they have in hand.
 * An old one says so in its title, in the same run of its event loop in which it closes them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { PreforkError } from "../errors.js";
import { childrenOf, titleOf } from "./process-tree.js";

const SHUTTING_DOWN = "is shutting down";
/** The end of somebody else's child is no event: it has to be looked for. */
const LOOK_AGAIN_MS = 20;

/** What {@link NginxReload} takes. */
export interface NginxReloadOptions {
  /** The process id of nginx's master. */
  readonly master: number;
  /** From the reload until the old processes accept nothing more, in milliseconds. */
  readonly timeoutMs: number;
  /** How long they may go on with what they have in hand before it counts as confirmed all the same, in milliseconds. */
  readonly finishMs: number;
  readonly signal: AbortSignal;
}

/** One reload of nginx. Made before it's asked for. */
export class NginxReload {
  readonly #options: NginxReloadOptions;
  readonly #old: readonly number[];

  /** @param old - the processes that nginx's master has now */
  private constructor(options: NginxReloadOptions, old: readonly number[]) {
    this.#options = options;
    this.#old = old;
  }

  /** Remembers which processes there are before a reload. */
  static async watch(options: NginxReloadOptions): Promise<NginxReload> {
    return new NginxReload(options, await childrenOf(options.master));
  }

  /**
   * Fulfils when all new requests go by the new configuration.
   *
   * @throws PreforkError `ERR_PREFORK_UPSTREAM` when that isn't so in time
   */
  async done(): Promise<void> {
    const { timeoutMs, finishMs } = this.#options;
    const accepting = await this.#until(timeoutMs, (titles) =>
      titles.every((title) => title.includes(SHUTTING_DOWN)),
    );
    if (accepting.length > 0 || !(await this.#hasNewProcess())) {
      throw new PreforkError(
        "ERR_PREFORK_UPSTREAM",
        `nginx (process ${this.#options.master}) was told to reload, and ${timeoutMs} ms later ` +
          (accepting.length > 0
            ? `${accepting.length} of its old worker processes still accept requests`
            : "has no new worker process") +
          ": its error log says why",
      );
    }
    // A request that an old process has begun to read is still passed on by the old configuration. A stream may stay for hours.
    await this.#until(finishMs, (titles) => titles.length === 0);
  }

  /**
   * Looks at the old processes until they are as wanted or the time is over.
   *
   * @returns the titles of those that are not, of which there are none when they are
   */
  async #until(
    withinMs: number,
    isEnough: (titles: readonly string[]) => boolean,
  ): Promise<readonly string[]> {
    const { signal } = this.#options;
    const deadline = performance.now() + withinMs;
    for (;;) {
      signal.throwIfAborted();
      const titles = await this.#titles();
      if (isEnough(titles)) return [];
      if (performance.now() >= deadline) return titles;
      await delay(LOOK_AGAIN_MS, undefined, { signal });
    }
  }

  /** Of those old processes that are still there. */
  async #titles(): Promise<readonly string[]> {
    const { master } = this.#options;
    const all = await Promise.all(this.#old.map((pid) => titleOf(pid, master)));
    return all.filter((title) => title !== undefined);
  }

  /** The old ones are asked to go only after the new ones are there. */
  async #hasNewProcess(): Promise<boolean> {
    const now = await childrenOf(this.#options.master);
    return now.some((pid) => !this.#old.includes(pid));
  }
}
