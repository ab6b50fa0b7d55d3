/** One asked-for generation on its way to all workers, and the promise of its outcome. */
import type { Diagnostic } from "../diagnostic.js";
import type { Program } from "../pool/types.js";
import type { Canary, RollOutcome } from "./types.js";

/** When the canary is ready, the requests that waited for it are on their way: what can wait, waits for so long. */
export const FIRST_ANSWERS_MS = 30;

export class Roll {
  readonly program: Program;
  /** Settles at the end of the roll; never rejects. */
  readonly outcome: Promise<RollOutcome>;
  /** Settles when the canary is ready or the roll has ended without: nothing newer is about to come of it. Never rejects. */
  readonly decided: Promise<void>;
  /** Settles when it can't go on before there are more standbys, or when it has ended. Never rejects. */
  readonly paused: Promise<void>;
  readonly #startedAt = performance.now();
  #firstMs: number | undefined;
  #canary: Canary | undefined;
  #settle: ((outcome: RollOutcome) => void) | undefined;
  #decide: () => void = () => undefined;
  #pause: () => void = () => undefined;

  constructor(program: Program) {
    this.program = program;
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.decided = new Promise((resolve) => {
      this.#decide = resolve;
    });
    this.paused = new Promise((resolve) => {
      this.#pause = resolve;
    });
  }

  get generation(): number {
    return this.program.generation;
  }

  /** The canary is ready. */
  proven(canary: Canary): void {
    this.#firstMs ??= performance.now() - this.#startedAt;
    this.#canary ??= canary;
    this.#decide();
  }

  /** The next worker waits for a standby. */
  pause(): void {
    this.#pause();
  }

  /** Every worker runs it. Like every end, only the first counts. */
  done(): void {
    const allMs = performance.now() - this.#startedAt;
    this.end({
      kind: "done",
      generation: this.generation,
      firstMs: this.#firstMs ?? allMs,
      allMs,
      canary: this.#canary,
    });
  }

  end(outcome: RollOutcome): void {
    this.#settle?.(outcome);
    this.#settle = undefined;
    this.#decide();
    this.#pause();
  }

  /** A newer generation has taken over. */
  superseded(): void {
    this.end({ kind: "superseded", generation: this.generation });
  }
}

/** The generation that runs, and the one that is tried. */
export class Rolls {
  #current: Roll | undefined;
  #candidate: Roll | undefined;

  /** The one that the workers run or are on their way to: its canary was ready. */
  get current(): Roll | undefined {
    return this.#current;
  }

  /** A newer one whose canary isn't ready yet. */
  get candidate(): Roll | undefined {
    return this.#candidate;
  }

  /** A new candidate. One that was not proven yet is superseded. */
  begin(roll: Roll): void {
    this.#candidate?.superseded();
    this.#candidate = roll;
  }

  /** The roll to boot a process for. */
  find(generation: number): Roll | undefined {
    return this.#candidate?.generation === generation
      ? this.#candidate
      : this.#current;
  }

  /**
   * A process of this generation is ready: a candidate becomes the current one.
   *
   * @returns the roll whose canary it was
   */
  ready(generation: number, canary: Canary): Roll | undefined {
    const candidate = this.#candidate;
    if (candidate?.generation !== generation) return undefined;
    this.#current?.superseded();
    this.#current = candidate;
    this.#candidate = undefined;
    candidate.proven(canary);
    return candidate;
  }

  /**
   * A process of this roll could not boot.
   *
   * @returns whether to try again: there is nothing older, or the generation is proven and this is bad luck.
   * Otherwise it was the canary: nothing else has happened, and the candidate is dropped
   */
  failed(roll: Roll, diagnostic: Diagnostic): boolean {
    roll.end({ kind: "failed", generation: roll.generation, diagnostic });
    const isCanary = roll === this.#candidate && this.#current !== undefined;
    if (isCanary) this.#candidate = undefined;
    return !isCanary;
  }

  /** Nothing more comes of either. */
  stop(): void {
    for (const roll of [this.#candidate, this.#current]) {
      roll?.end({ kind: "stopped", generation: roll.generation });
    }
  }
}
