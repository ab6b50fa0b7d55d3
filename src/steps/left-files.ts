/**
 * What files looked like when a step had ended: an event of a file that still looks like that is the step's own work, and
 * nobody has to hear of it. Any later edit makes it look different, a bare touch included.
 */
import { stampOf } from "../file-stamp.js";

/** See this file's header. */
export class LeftFiles {
  readonly #stamps = new Map<string, string>();

  /** These are as a step left them. */
  note(files: Iterable<string>): void {
    for (const file of files) this.#stamps.set(file, stampOf(file));
  }

  /** Nothing is known of these any more. */
  forget(files: Iterable<string>): void {
    for (const file of files) this.#stamps.delete(file);
  }

  /** Is a file as a step left it? */
  has(file: string): boolean {
    const stamp = this.#stamps.get(file);
    return stamp !== undefined && stamp === stampOf(file);
  }
}
