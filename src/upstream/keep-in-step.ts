/**
 * Keeps one external front in step with the workers: one apply at a time, the newest list wins, failures are told once and
 * retried. It never stops the master: `set` doesn't reject, and answers in time. What a front is told and how is its
 * {@link Upstream}'s; who has confirmed what is in `confirmations.ts`.
 */
import { messageOf } from "../errors.js";
import { namesOf } from "./address.js";
import { Confirmations } from "./confirmations.js";
import type { Upstream, UpstreamServer, UpstreamStatus } from "./types.js";

/** What {@link UpstreamKeeper} takes. */
export interface UpstreamKeeperOptions {
  readonly upstream: Upstream;
  /** Is told once when the front fails, again when it fails for another reason, and once when it is in step again. */
  readonly onWarning: (message: string) => void;
  /** The longest that {@link UpstreamKeeper.set} takes, in milliseconds. Default 5,000. */
  readonly confirmTimeoutMs?: number;
  /** From a failure to the first retry, in milliseconds; doubled for each further one. Default 250. */
  readonly retryMs?: number;
  /** The longest pause between two tries, in milliseconds. Default 15,000; for a front that is rechecked, its `recheckMs` if that is less. */
  readonly retryCapMs?: number;
}

export class UpstreamKeeper {
  readonly #options: Required<UpstreamKeeperOptions>;
  readonly #confirmations: Confirmations;
  #servers: readonly UpstreamServer[] = [];
  #state: UpstreamStatus["state"] = "idle";
  #error: string | undefined;
  #failures = 0;
  /** What was told last of the failure that lasts. */
  #told: string | undefined;
  #isDue = false;
  #closed = false;
  #running: Promise<void> | undefined;
  #applying: AbortController | undefined;
  /** Ends the pause before a retry. */
  #wake: () => void = () => undefined;
  #recheck: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: UpstreamKeeperOptions) {
    const { confirmTimeoutMs = 5_000, retryMs = 250 } = options;
    const { recheckMs } = options.upstream;
    const retryCapMs = Math.min(
      options.retryCapMs ?? 15_000,
      recheckMs === undefined || recheckMs === 0 ? Infinity : recheckMs,
    );
    this.#options = { ...options, confirmTimeoutMs, retryMs, retryCapMs };
    this.#confirmations = new Confirmations(confirmTimeoutMs, (removed) =>
      this.#late(removed),
    );
  }

  /**
   * Brings the front to these servers.
   *
   * @returns `true` once it is confirmed that no new request goes to servers that were in an earlier list and aren't in this one;
   * a newer list without them confirms it as well. `false` after `confirmTimeoutMs` (it's still tried then), when a newer list
   * has one of them again, or when this is closed. Never rejects
   */
  set(servers: readonly UpstreamServer[]): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    this.#servers = [...servers];
    this.#isDue = true;
    if (this.#failures === 0) this.#state = "applying";
    const confirmed = this.#confirmations.expect(this.#servers);
    this.#applying?.abort(new Error("a newer list of servers is waiting"));
    this.#wake();
    this.#start();
    return confirmed;
  }

  /** How far the front is. */
  status(): UpstreamStatus {
    return {
      name: this.#options.upstream.name,
      state: this.#state,
      servers: this.#servers,
      error: this.#error,
      failures: this.#failures,
    };
  }

  /** Gives up what is under way; the front stays as it is. The same promise each time. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#isDue = false;
    clearTimeout(this.#recheck);
    this.#applying?.abort(new Error("the server stops"));
    this.#wake();
    this.#confirmations.giveUp();
    await this.#running;
    await this.#options.upstream.close();
    this.#state = "closed";
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false;
      const servers = this.#servers;
      const error = await this.#apply(servers);
      if (error === undefined) this.#succeeded(servers);
      else if (error !== "aborted") await this.#failed(error);
    }
    // In the same run as the look at `#isDue`: whoever sets it later starts anew.
    this.#running = undefined;
  }

  /** `undefined`: confirmed. */
  async #apply(
    servers: readonly UpstreamServer[],
  ): Promise<{ message: string } | "aborted" | undefined> {
    clearTimeout(this.#recheck);
    const applying = new AbortController();
    this.#applying = applying;
    try {
      await this.#options.upstream.apply(servers, applying.signal);
      return undefined;
    } catch (error) {
      return applying.signal.aborted
        ? "aborted"
        : { message: messageOf(error) };
    } finally {
      this.#applying = undefined;
    }
  }

  #succeeded(servers: readonly UpstreamServer[]): void {
    const { upstream, onWarning } = this.#options;
    this.#failures = 0;
    this.#error = undefined;
    this.#confirmations.confirm(servers, this.#servers);
    if (this.#isDue || this.#closed) return;
    this.#state = "in-step";
    if (this.#told !== undefined) {
      this.#told = undefined;
      onWarning(
        `${upstream.name} is in step again: it sends requests to ${namesOf(servers)}`,
      );
    }
    const { recheckMs } = upstream;
    if (recheckMs === undefined || recheckMs === 0) return;
    this.#recheck = setTimeout(() => {
      this.#isDue = true;
      this.#start();
    }, recheckMs).unref();
  }

  /** Fulfils when it is time to try again. */
  async #failed({ message }: { message: string }): Promise<void> {
    const { upstream, retryMs, retryCapMs } = this.#options;
    this.#state = "failing";
    this.#error = message;
    this.#failures++;
    this.#tell(`${upstream.name} is not in step with the workers: ${message}`);
    // A newer list is tried at once.
    if (this.#closed || this.#isDue) return;
    this.#isDue = true;
    const pauseMs = Math.min(retryCapMs, retryMs * 2 ** (this.#failures - 1));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => undefined;
  }

  /** Nobody can wait any longer for a confirmation. */
  #late(removed: readonly UpstreamServer[]): void {
    const { upstream, confirmTimeoutMs } = this.#options;
    // A failure says more.
    if (removed.length === 0 || this.#told !== undefined) return;
    this.#tell(
      `${upstream.name} has not confirmed within ${confirmTimeoutMs} ms that it sends no new requests to ${namesOf(removed)}`,
    );
  }

  /** Once for each state: a message that differs in numbers alone (times, process ids) says the same. */
  #tell(message: string): void {
    const same = message.replaceAll(/\d+/g, "#");
    if (this.#told === same) return;
    this.#told = same;
    this.#options.onWarning(message);
  }
}
