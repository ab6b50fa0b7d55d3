/**
 * Which sources are likely to change next: those that were saved last, also in earlier runs of this cache's tools.
 *
 * Only a guess, which decides how far a standby goes: a wrong one costs time, never correctness. So when the file of an
 * earlier run can't be read, nothing is known, and when two tools use one cache, the last to write wins.
 */
import { readFileSync } from "node:fs";
import { writeAtomically } from "./atomic-write.js";

const MAX_SAVES = 64;
/** More at once is a checkout or a formatter: it doesn't say where somebody works. */
const MAX_BATCH = 16;
const MAX_GUESSES = 8;
/** A clone or an installation writes all files within this time, or most of them. */
const SPREAD_MS = 120_000;

/** A source that {@link RecentSaves.likely} may name. */
interface Written {
  readonly path: string;
  readonly mtimeMs: number;
}

/** See this file's header. */
export class RecentSaves {
  readonly #path: string;
  /** Least recent first. */
  readonly #saves: Set<string>;
  #isWritten = true;

  /** @param path - the file in which they are kept */
  constructor(path: string) {
    this.#path = path;
    this.#saves = new Set(read(path).toReversed());
  }

  /** Takes note of the sources among what was saved at once. */
  note(sources: readonly string[]): void {
    if (sources.length === 0 || sources.length > MAX_BATCH) return;
    for (const path of sources) {
      this.#saves.delete(path);
      this.#saves.add(path);
    }
    for (const path of this.#saves) {
      if (this.#saves.size <= MAX_SAVES) break;
      this.#saves.delete(path);
    }
    this.#isWritten = false;
  }

  /** Those that are sources now, most likely first; see `Compiler.likelyToChange`. */
  likely(
    isSource: (path: string) => boolean,
    files: Iterable<Written>,
  ): string[] {
    const saved = [...this.#saves].reverse().filter(isSource);
    return saved.length > 0
      ? saved
      : outstanding([...files].filter(({ path }) => isSource(path)));
  }

  /** Writes them where the next run looks for them. */
  write(): void {
    if (this.#isWritten) return;
    writeAtomically(this.#path, JSON.stringify([...this.#saves].reverse()));
    this.#isWritten = true;
  }
}

/** The files that were written well after most others, newest first. */
function outstanding(files: Written[]): string[] {
  const byAge = files.sort((a, b) => b.mtimeMs - a.mtimeMs);
  const median = byAge[Math.floor(byAge.length / 2)]?.mtimeMs ?? 0;
  return byAge
    .slice(0, MAX_GUESSES)
    .filter(({ mtimeMs }) => mtimeMs > median + SPREAD_MS)
    .map(({ path }) => path);
}

function read(path: string): string[] {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (!Array.isArray(value)) return [];
    return value
      .filter((item): item is string => typeof item === "string")
      .slice(0, MAX_SAVES);
  } catch {
    return [];
  }
}
