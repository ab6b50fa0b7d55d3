/**
 * When the workers behind a canary may follow it. Nobody waits for them where requests reach only the newest
 * generation, so the canary's first answers come first, then a standby for the next save, then they, each with
 * a standby of its own. Which of them is next is decided in `decide.ts`.
 */
import type { StandbyPool } from "../pool/standby-pool.js";
import { FIRST_ANSWERS_MS } from "./roll.js";
import type { Roll } from "./roll.js";
import type { ServingProcess, Traffic } from "./types.js";

export interface FollowingOptions {
  readonly standbys: StandbyPool;
  readonly traffic: Traffic;
  /** Do requests reach only processes of the newest generation? */
  readonly isFresh: boolean;
  /** How many standbys may be activated at a time. */
  readonly parallelActivations: number;
  /** Looks at what is to be booted now. */
  readonly step: () => void;
}

export class Following {
  readonly #options: FollowingOptions;
  /** On the clock of `performance.now()`. */
  #notBefore = 0;

  constructor(options: FollowingOptions) {
    this.#options = options;
    options.standbys.onChange = options.step;
  }

  /** A canary gets requests from now on. What is done next takes a core and, where it forks, stops the event loop for some milliseconds. */
  proven(canary: ServingProcess, { program }: Roll): void {
    const { standbys, traffic, step } = this.#options;
    const until = performance.now() + FIRST_ANSWERS_MS;
    this.#notBefore = until;
    standbys.aim(program);
    if (standbys.outlook(program) !== "ready") return;
    void traffic.firstAnswer(canary).then(() => {
      if (this.#notBefore !== until) return;
      this.#notBefore = 0;
      step();
    });
  }

  /**
   * When the next may be replaced, on the clock of `performance.now()`; `Infinity`: `step` is called.
   *
   * @param isFollowed - are there any?
   */
  replaceAt(current: Roll | undefined, isFollowed: boolean): number {
    const { standbys, isFresh } = this.#options;
    standbys.isAwaited = isFollowed && isFresh;
    if (current === undefined || !standbys.isAwaited) return this.#notBefore;
    if (this.#notBefore > performance.now()) return this.#notBefore;
    if (standbys.outlook(current.program) !== "soon") return this.#notBefore;
    current.pause();
    return Infinity;
  }

  /** How many may be replaced at a time: a standby has its boot behind it, and leaves the cores to requests for a moment only. */
  parallelReplacements(current: Roll | undefined, booting: number): number {
    const { standbys, isFresh, parallelActivations } = this.#options;
    if (current === undefined || !isFresh) return 1;
    const standing = booting + standbys.spare(current.program);
    return Math.max(1, Math.min(parallelActivations, standing));
  }
}
