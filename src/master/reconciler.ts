/**
 * Brings the places to what they are to be, a step after each event: has `decide.ts` decide, carries that out, and tells
 * when the current generation's roll is done. Why there is something to do, it doesn't know.
 */
import { boot } from "./boot.js";
import type { BootOptions } from "./boot.js";
import { decide, isFollowed } from "./decide.js";
import type { Departures } from "./departures.js";
import type { Following } from "./following.js";
import type { Lives } from "./lives.js";
import { viewOf } from "./place.js";
import type { Place } from "./place.js";
import type { Rolls } from "./roll.js";

/** What {@link Reconciler} takes; read whenever it's needed. */
export interface ReconcilerOptions extends BootOptions {
  /** How many empty places boot at a time. */
  readonly parallelBoots: number;
  /** From one worker's first boot to the next one's, in milliseconds. */
  readonly slowStartMs: number;
}

/** What it works on, and with. */
export interface ReconcilerParts {
  readonly places: readonly Place[];
  readonly rolls: Rolls;
  readonly departures: Departures;
  readonly following: Following;
  readonly lives: Lives;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #parts: ReconcilerParts;
  #wake: NodeJS.Timeout | undefined;
  /** No further worker boots its first process before. */
  #startAt = 0;
  #isEnded = false;

  constructor(options: ReconcilerOptions, parts: ReconcilerParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Something has happened: does what is to be done now. */
  step(): void {
    if (this.#isEnded) return;
    clearTimeout(this.#wake);
    const { places, rolls, departures, following } = this.#parts;
    const now = performance.now();
    const { slowStartMs, parallelBoots } = this.#options;
    const view = {
      places: places.map((place) => viewOf(place, this.#startAt)),
      candidate: rolls.candidate?.generation,
      current: rolls.current?.generation,
      now,
    };
    const { actions, wakeAt } = decide({
      ...view,
      replaceAt: following.replaceAt(rolls.current, isFollowed(view)),
      parallelBoots: slowStartMs > 0 ? 1 : parallelBoots,
      parallelReplacements: following.parallelReplacements(
        rolls.current,
        view.places.filter(({ booting }) => booting !== undefined).length,
      ),
    });
    for (const action of actions) {
      const place = places[action.place];
      if (place === undefined) continue;
      if (action.kind === "abandon") {
        departures.abandon(place);
        continue;
      }
      if (place.emptyBecause === "start") this.#startAt = now + slowStartMs;
      void this.#boot(place, action.generation);
    }
    if (wakeAt !== undefined)
      this.#wake = setTimeout(() => this.step(), Math.max(1, wakeAt - now));
    this.#finishCurrent();
  }

  /** Nothing is done any more. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#wake);
  }

  #finishCurrent(): void {
    const { places, rolls, departures } = this.#parts;
    const { current } = rolls;
    if (current === undefined) return;
    const { generation } = current;
    // Who is told so may ask on a worker's port at once.
    if (departures.isAccepting) return;
    const isDone = places.every(
      ({ serving, isHeld }) =>
        isHeld || serving?.target.generation === generation,
    );
    if (isDone) current.done();
  }

  async #boot(place: Place, generation: number): Promise<void> {
    const { rolls, lives } = this.#parts;
    const roll = rolls.find(generation);
    if (roll === undefined) return;
    const isCanary = roll === rolls.candidate;
    const result = await boot(place, roll.program, isCanary, this.#options);
    const { placed } = result.kind === "ready" ? result.serving : result;
    if (place.booting !== placed) return; // given up meanwhile
    place.booting = undefined;
    if (result.kind === "ready")
      lives.served(place, result.serving, result.canary);
    else lives.bootFailed(place, roll, placed.process, result.diagnostic);
    this.step();
  }
}
