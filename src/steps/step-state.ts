/** What is known of one step while the tool runs; it outlives the step's definition, which is made anew with the manifest. */
import type { Hashes } from "./files.js";
import type { StepStatus } from "./types.js";

/** See this file's header. */
export class StepState {
  status: StepStatus["state"] = "done";
  /** How long its last run took. */
  ms: number | undefined;
  /** What it made, as of its last run or of the first look. */
  made: ReadonlySet<string> = new Set();
  /** What it had made before the first run since it last succeeded. */
  before: Hashes | undefined;
  #isDue = false;
  /** `undefined`: that isn't known. */
  #changed: Set<string> | undefined = new Set();

  get isDue(): boolean {
    return this.#isDue;
  }

  /** Which of its sources have changed since it last succeeded; `undefined`: that isn't known. */
  changedOf(sources: readonly string[]): readonly string[] | undefined {
    const changed = this.#changed;
    return changed && sources.filter((source) => changed.has(source));
  }

  /**
   * It's to run.
   *
   * @param changed - of its sources; `undefined`: that isn't known
   */
  makeDue(changed: Iterable<string> | undefined): void {
    this.#isDue = true;
    if (this.status === "done") this.status = "due";
    if (changed === undefined) this.#changed = undefined;
    for (const each of changed ?? []) this.#changed?.add(each);
  }

  /** It has succeeded. */
  settle(): void {
    this.#isDue = false;
    this.#changed = new Set();
    this.before = undefined;
  }
}
