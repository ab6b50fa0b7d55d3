import { isInert } from "./inert.js";
import type { LinkableCode } from "./record.js";
import type { RecordStore } from "./record-store.js";
import { Slices } from "./slices.js";
import type { SourceFile } from "./source-file.js";
import type { BuiltSource } from "./types.js";

/** A source's code is looked at once, as long as not more than so many others are asked about in between. */
const MAX_ANSWERS = 10_000;

/** The records that sources of builds were made from, and what can be told from these. */
export class BuiltRecords {
  readonly #records: RecordStore;
  // Builds share the sources that are the same.
  readonly #keys = new WeakMap<BuiltSource, string>();
  /** Those whose code is evaluated after all that it loads. */
  readonly #complete = new WeakSet<BuiltSource>();
  /** By record: whether it is inert. */
  readonly #answers = new Map<string, boolean>();

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** Takes note of what a source was built from. */
  add(source: BuiltSource, { key, evaluation }: SourceFile): void {
    this.#keys.set(source, key);
    if (evaluation.isComplete) this.#complete.add(source);
  }

  /** The name of the record behind a source's output. */
  keyOf(source: BuiltSource): string | undefined {
    return this.#keys.get(source);
  }

  /** Which of these sources are inert (see `inert.ts`). */
  async inert(sources: Iterable<BuiltSource>): Promise<Set<string>> {
    const slices = new Slices();
    const inert = new Set<string>();
    for (const source of sources) {
      if (source.output === undefined) {
        // What isn't code is never evaluated.
        inert.add(source.path);
        continue;
      }
      const key = this.#keys.get(source);
      if (key === undefined || !this.#complete.has(source)) continue;
      const known = this.#answers.get(key);
      if (known === undefined) await slices.pause();
      if (known ?? this.#ask(key)) inert.add(source.path);
    }
    return inert;
  }

  #ask(key: string): boolean {
    const record = this.#records.known(key);
    // It may be made again.
    if (record === undefined) return false;
    const answer = isJson(record) || isInert(record.code, record.format);
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(key, answer);
    return answer;
  }
}

function isJson({ format, requires }: LinkableCode): boolean {
  return format === "cjs" && !requires;
}
