/**
 * Finds out which processes have a blocked event loop, so that requests go to others.
 *
 * The front can't see it by itself: the kernel goes on accepting connections and taking bytes for a process that does
 * nothing. So a process is *asked* (`FrontOptions.probe`: a message that any turn of its loop answers) once it has had
 * a request in hand for 10 ms without a word, and again while that is so, every 10 to 80 ms; never when it has nothing
 * in hand. Until it answers, others are preferred. When it hasn't after ten looks, 10 ms or more apart, it is *blocked*, until the
 * answer comes. Looks are counted, not time: on a machine that has too much to do everyone is slow, the master too, and nobody is blocked.
 *
 * Not here: what that means for the choice (`policy.ts`), and hangs that are to be reported (`master/heartbeat.ts`).
 */
import type { Target } from "./targets.js";

/** So long a process may be silent with a request in hand before it's asked; also from one look to the next. */
const SILENCE_MS = 10;
/** So many looks without an answer mean that it's blocked. */
const BLOCKED_LOOKS = 10;
/** One that answers, and is silent on, is asked less and less often. */
const LONGEST_SILENCE_MS = 80;

export interface LoopWatchOptions {
  /** The processes that may get requests. */
  readonly targets: () => Iterable<Target>;
  /** Fulfils when the event loop of the process has turned. */
  readonly probe: (id: number) => Promise<void>;
  /** Called again and again while one is blocked that has requests in hand. */
  readonly onBlocked: (target: Target) => void;
  /** One that was blocked turns again. */
  readonly onTurning: (target: Target) => void;
}

interface Watched {
  /** How often it was looked at since it was asked. */
  looks: number;
  /** When it last answered. */
  heardAt: number;
  silenceMs: number;
}

export class LoopWatch {
  readonly #options: LoopWatchOptions;
  readonly #watched = new WeakMap<Target, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LoopWatchOptions) {
    this.#options = options;
  }

  /** A process was given a request. */
  leased(target: Target): void {
    // What was sent just now may be what blocks it.
    const watched = this.#watched.get(target);
    if (watched !== undefined) watched.silenceMs = SILENCE_MS;
    this.#wakeUp();
  }

  /** One timer for all, and none while nothing is in hand. */
  #wakeUp(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#look(), SILENCE_MS).unref();
  }

  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const target of this.#options.targets()) {
      if (target.loop === "asked") this.#lookAtAsked(target);
      else if (target.loop === "turns") this.#lookAtTurning(target, now);
      else this.#options.onBlocked(target);
      if (target.busy > 0 || target.loop === "asked") this.#wakeUp();
    }
  }

  #lookAtTurning(target: Target, now: number): void {
    const since = target.busySince;
    if (since === undefined) return;
    const watched = this.#watchedOf(target);
    const wordAt = Math.max(since, watched.heardAt, target.answeredAt);
    if (now - wordAt < watched.silenceMs) return;
    target.loop = "asked";
    watched.looks = 0;
    void this.#options.probe(target.id).then(() => this.#heard(target));
  }

  #lookAtAsked(target: Target): void {
    const watched = this.#watchedOf(target);
    if (++watched.looks !== BLOCKED_LOOKS) return;
    // It may be us who were busy: first what has arrived is read, in this turn of the loop.
    setImmediate(() => {
      if (target.loop !== "asked" || watched.looks < BLOCKED_LOOKS) return;
      target.loop = "blocked";
      this.#options.onBlocked(target);
    });
  }

  #heard(target: Target): void {
    const watched = this.#watchedOf(target);
    watched.heardAt = performance.now();
    watched.silenceMs = Math.min(2 * watched.silenceMs, LONGEST_SILENCE_MS);
    const wasBlocked = target.loop === "blocked";
    target.loop = "turns";
    if (wasBlocked) this.#options.onTurning(target);
  }

  #watchedOf(target: Target): Watched {
    let watched = this.#watched.get(target);
    if (watched === undefined) {
      watched = { looks: 0, heardAt: 0, silenceMs: SILENCE_MS };
      this.#watched.set(target, watched);
    }
    return watched;
  }
}
