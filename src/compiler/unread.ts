/**
 * Listed sources that aren't code and that no code leads to by `needs`. Nobody has to know what is in them: of these there is
 * only a stamp, and a list of 10,000 costs as many looks, not reads.
 *
 * They count all the same: one whose stamp is another is read with the next build, and is a source like the others from then on.
 * Code is always read, whoever leads to it: what is listed may be loaded by its name, and is to be compiled by then.
 */
import { ABSENT, stampOf } from "../file-stamp.js";
import type { Stamp } from "../file-stamp.js";
import { Slices } from "./slices.js";

/** See this file's header. */
export class UnreadSources {
  #stamps = new Map<string, Stamp>();
  /** Those whose stamp may be another. */
  readonly #doubtful = new Set<string>();

  /** All of them, with when they had been written (`mtimeMs`). */
  *writtenAt(): Generator<readonly [path: string, mtimeMs: number]> {
    for (const [path, stamp] of this.#stamps)
      yield [path, Number(stamp.slice(0, stamp.indexOf(" ")))];
  }

  /**
   * Something happened to a file.
   *
   * @returns whether that is one of these: the next build looks at it
   */
  doubt(path: string): boolean {
    if (!this.#stamps.has(path)) return false;
    this.#doubtful.add(path);
    return true;
  }

  /** Something may have happened to any but those that stay as they are. */
  doubtAll(kept?: ReadonlySet<string>): void {
    for (const path of this.#stamps.keys()) {
      if (kept?.has(path) !== true) this.#doubtful.add(path);
    }
  }

  /** The file was written again, and that is to mean nothing. */
  retime(path: string): void {
    if (this.#stamps.has(path)) this.#stamps.set(path, stampOf(path));
  }

  /**
   * Looks at what is listed and was neither read nor reached.
   *
   * @param listed - all that may be among them
   * @param isRead - what isn't
   * @returns what has to be read: it changed, or isn't there
   */
  async survey(
    listed: readonly string[],
    isRead: (path: string) => boolean,
  ): Promise<string[]> {
    const slices = new Slices();
    const stamps = new Map<string, Stamp>();
    const toRead: string[] = [];
    for (const path of listed) {
      if (isRead(path)) continue;
      const known = this.#stamps.get(path);
      if (known !== undefined && !this.#doubtful.has(path)) {
        stamps.set(path, known);
        continue;
      }
      await slices.pause();
      const stamp = stampOf(path);
      if (stamp === ABSENT || (known !== undefined && known !== stamp))
        toRead.push(path);
      else stamps.set(path, stamp);
    }
    this.#stamps = stamps;
    this.#doubtful.clear();
    return toRead;
  }

  /** Those that `survey` left and that weren't reached since. */
  without(reached: ReadonlyMap<string, unknown>): ReadonlySet<string> {
    for (const path of reached.keys()) this.#stamps.delete(path);
    return new Set(this.#stamps.keys());
  }
}
