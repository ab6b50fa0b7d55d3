/**
 * What each step was like when it last succeeded, kept between runs of the tool. A shortcut: where nothing is known, the step runs.
 */
import { readFileSync } from "node:fs";

/** A step as it last succeeded. */
export interface RecordedStep {
  /** Hash of what runs and of what it read. */
  readonly definition: string;
  /** Hash of what it made. */
  readonly outputs: string;
}

/** Raised when the hashes of the same step would come out different. */
const VERSION = 1;

/** See this file's header. */
export class StepRecord {
  readonly #file: string;
  readonly #write: (file: string, text: string) => void;
  readonly #steps: Map<string, RecordedStep>;

  /**
   * @param file - where it's kept; need not exist
   * @param write - writes a file in one step
   */
  constructor(file: string, write: (file: string, text: string) => void) {
    this.#file = file;
    this.#write = write;
    this.#steps = read(file);
  }

  get(key: string): RecordedStep | undefined {
    return this.#steps.get(key);
  }

  /** A step begins to run: if nobody says how it ended, it didn't succeed. */
  forget(key: string): void {
    if (this.#steps.delete(key)) this.#save();
  }

  /**
   * A step has succeeded.
   *
   * @param keys - those of all steps that there are: others are forgotten
   */
  keep(key: string, step: RecordedStep, keys: ReadonlySet<string>): void {
    this.#steps.set(key, step);
    for (const each of this.#steps.keys())
      if (!keys.has(each)) this.#steps.delete(each);
    this.#save();
  }

  #save(): void {
    try {
      const steps = Object.fromEntries(this.#steps);
      this.#write(this.#file, JSON.stringify({ version: VERSION, steps }));
    } catch {
      // A full disk costs no more than a run at the next start.
    }
  }
}

function read(file: string): Map<string, RecordedStep> {
  try {
    const stored: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof stored !== "object" || stored === null) return new Map();
    const { version, steps } = stored as Record<string, unknown>;
    if (version !== VERSION || typeof steps !== "object" || steps === null)
      return new Map();
    return new Map(
      Object.entries(steps).filter((entry): entry is [string, RecordedStep] => {
        const { definition, outputs } = Object(entry[1]) as Partial<
          Record<string, unknown>
        >;
        return typeof definition === "string" && typeof outputs === "string";
      }),
    );
  } catch {
    return new Map();
  }
}
