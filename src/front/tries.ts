/** What one request remembers of the processes that failed it, and what that means for the next try. */
import { badAnswer, noAnswer } from "./answers.js";
import type { OwnAnswer } from "./answers.js";
import { isParseError } from "./attempt.js";
import type { AttemptFailure } from "./attempt.js";
import { afterFailure } from "./policy.js";
import type { FrontTarget } from "./types.js";

/** How the search for another process goes on: what `Admission.wait` should know. */
export interface SeekHint {
  readonly suspect?: number;
  readonly crowded?: number;
}

/** The failed tries of one request. */
export class Tries {
  readonly #repeatable: boolean;
  #repeats = 0;

  /** Processes not to be tried again. */
  avoid: ReadonlySet<number> | undefined;
  /** Whether no kept connection may be used any more. */
  afresh = false;
  /** The last failure. */
  last: { readonly target: FrontTarget; readonly error: Error } | undefined;

  constructor(repeatable: boolean) {
    this.#repeatable = repeatable;
  }

  /**
   * Takes note of a failure.
   *
   * @param isElsewhere - whether there is a process outside this set
   * @returns how to go on, or what to tell the client
   */
  failed(
    target: FrontTarget,
    failure: AttemptFailure,
    isElsewhere: (avoid: ReadonlySet<number>) => boolean,
  ): SeekHint | OwnAnswer {
    const { error, sent, reused } = failure;
    if (isParseError(error)) return badAnswer(target.worker, error);
    const next = afterFailure({
      sent,
      repeatable: this.#repeatable,
      repeats: this.#repeats,
    });
    if (next === "give-up") {
      const why = this.#repeats > 0 ? "repeated" : "unsafe";
      return noAnswer(target.worker, error, why);
    }
    this.last = { target, error };
    if (sent) this.#repeats++;
    const avoid = new Set(this.avoid).add(target.id);
    // An idle connection may be closed by a process in the best of health: then a new connection to it will do.
    if (reused && !this.afresh && !isElsewhere(avoid)) {
      this.afresh = true;
      return {};
    }
    this.avoid = avoid;
    if ("code" in error && error.code === "EAGAIN") {
      return { crowded: target.id };
    }
    return sent ? { suspect: target.id } : {};
  }
}
