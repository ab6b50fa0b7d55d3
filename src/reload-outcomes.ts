/** Tells how reloads ended, and remembers the last one and the last failure. Part of the composition root, made by `reloader.ts`. */
import { outageOfReload } from "./outage.js";
import type { Parts } from "./parts.js";
import type { ReloadFailure, ReloadOutcome } from "./server-events.js";

/** A failure before it's told. */
export type Failed = Pick<ReloadFailure, "kind" | "phase" | "diagnostics">;
/** An outcome before it's told. */
export type Ended = Exclude<ReloadOutcome, ReloadFailure> | Failed;

export interface ReloadOutcomesOptions {
  readonly parts: Pick<Parts, "front" | "master">;
  readonly onOutcome: (outcome: ReloadOutcome) => void;
}

/** See this file's header. */
export class ReloadOutcomes {
  readonly #options: ReloadOutcomesOptions;
  #lastFailure = "";
  #lastError: ReloadFailure | undefined;
  #last: (() => ReloadOutcome) | undefined;

  constructor(options: ReloadOutcomesOptions) {
    this.#options = options;
  }

  /** How the last reload ended; what its first answer took is known a little later. */
  get last(): ReloadOutcome | undefined {
    return this.#last?.();
  }

  /** The last failure, until a reload has succeeded. */
  get lastError(): ReloadFailure | undefined {
    return this.#lastError;
  }

  /**
   * Tells an outcome.
   *
   * @param changed - the files that the reload was for
   * @param later - what is known of it when it's asked for again; default: the same
   */
  tell(
    ended: Ended,
    changed: ReadonlySet<string>,
    later?: () => ReloadOutcome,
  ): ReloadOutcome {
    const outcome =
      ended.kind === "failed" ? this.#failure(ended, [...changed]) : ended;
    if (outcome.kind === "done") {
      this.#lastFailure = "";
      this.#lastError = undefined;
    }
    if (outcome.kind === "failed") this.#lastError = outcome;
    this.#last = () => outcome;
    this.#options.onOutcome(outcome);
    if (later !== undefined) this.#last = later;
    return outcome;
  }

  #failure(
    { phase, diagnostics }: Failed,
    changed: readonly string[],
  ): ReloadFailure {
    const { front, master } = this.#options.parts;
    const serving = master.currentGeneration;
    const text = diagnostics
      .map(({ message, file, line }) =>
        [message, file, line].filter(Boolean).join(" "),
      )
      .join("\n");
    if (serving === undefined)
      front?.setOutage(outageOfReload(phase, diagnostics));
    const repeated = text === this.#lastFailure;
    this.#lastFailure = text;
    return { kind: "failed", phase, diagnostics, changed, serving, repeated };
  }
}
