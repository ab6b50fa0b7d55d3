import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isTemporary, writeAtomically } from "./atomic-write.js";
import { hashOf } from "./hashes.js";
import { Limit } from "./limit.js";
import { parseRecord, serializeRecord } from "./record.js";
import type { LinkableCode, RecordSummary } from "./record.js";
import { transform } from "./transform.js";
import type { TransformInput } from "./transform.js";

/** Enough to keep esbuild's threads busy; more would only hold more texts in memory. */
const CONCURRENT_TRANSFORMS = 16;

/** So many records that nobody holds any more may be in memory: looking for them costs time with each save. */
const MAX_GROWTH = 64;

/**
 * The records: in memory, on disk, or else made now. Content-addressed by everything that shapes them.
 *
 * Two callers that want the same record at the same time (the first event of a save, then its build) share the work.
 */
export class RecordStore {
  readonly #directory: string;
  readonly #codes = new Map<string, LinkableCode>();
  /** What the index of the last run told, by key: saves reading the records for a warm start. */
  readonly #summaries = new Map<string, RecordSummary>();
  readonly #underWay = new Map<string, Promise<LinkableCode>>();
  readonly #limit = new Limit(CONCURRENT_TRANSFORMS);
  #made = 0;
  #madeBefore = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** How many records esbuild (or the JSON parser) had to make. */
  get made(): number {
    return this.#made;
  }

  /** The name of a source's record. */
  static keyOf(
    input: Omit<TransformInput, "text">,
    contentHash: string,
  ): string {
    const { path, loader, packageType = "", tsconfigRaw } = input;
    return hashOf(
      [
        process.version,
        path,
        contentHash,
        loader,
        packageType,
        tsconfigRaw,
      ].join("\0"),
    );
  }

  /** Where a record is written. */
  pathOf(key: string): string {
    return join(this.#directory, `${key}.json`);
  }

  /** Tells the store what the index of an earlier run knows. */
  learn(key: string, summary: RecordSummary): void {
    this.#summaries.set(key, summary);
  }

  /**
   * What the graph needs of a record.
   *
   * @throws SourceFault when the code is wrong
   */
  async summaryOf(
    key: string,
    input: () => TransformInput,
  ): Promise<RecordSummary> {
    return (
      this.#codes.get(key) ??
      this.#summaries.get(key) ??
      (await this.codeOf(key, input))
    );
  }

  /**
   * A record's code, to link it. The record is on disk afterwards, since it is also the output's source map.
   *
   * @param input - called when it must be made
   * @throws SourceFault when the code is wrong
   */
  async codeOf(
    key: string,
    input: () => TransformInput,
  ): Promise<LinkableCode> {
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return await underWay;
    // `npm ci` deletes the default cache directory while we run.
    if (existsSync(this.pathOf(key))) {
      const known = this.#codes.get(key) ?? this.#read(key);
      if (known !== undefined) {
        this.#codes.set(key, known);
        return known;
      }
    }
    const making = this.#make(key, input());
    this.#underWay.set(key, making);
    try {
      return await making;
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** A record's code if there is one, in memory or on disk. */
  known(key: string): LinkableCode | undefined {
    return this.#codes.get(key) ?? this.#read(key);
  }

  /** Whether many records were made since something was last forgotten. */
  get hasGrown(): boolean {
    return this.#made - this.#madeBefore > MAX_GROWTH;
  }

  /** Forgets what isn't held any more; the records stay on disk. */
  retain(keys: ReadonlySet<string>): void {
    this.#madeBefore = this.#made;
    for (const map of [this.#codes, this.#summaries]) {
      for (const key of map.keys()) if (!keys.has(key)) map.delete(key);
    }
  }

  /** Deletes the records that aren't held. Only for the one who uses the cache alone. */
  deleteExcept(keys: ReadonlySet<string>): void {
    for (const name of readdirSync(this.#directory)) {
      if (isTemporary(name) || !keys.has(name.replace(/\.json$/, ""))) {
        rmSync(join(this.#directory, name), { force: true });
      }
    }
  }

  async #make(key: string, input: TransformInput): Promise<LinkableCode> {
    const { linkable, map } = await this.#limit.run(() => transform(input));
    this.#made++;
    this.#codes.set(key, linkable);
    const url = pathToFileURL(input.path).href;
    const text = serializeRecord(linkable, map, url, input.text);
    writeAtomically(this.pathOf(key), text);
    return linkable;
  }

  #read(key: string): LinkableCode | undefined {
    try {
      return parseRecord(readFileSync(this.pathOf(key), "utf8"));
    } catch {
      return undefined;
    }
  }
}
