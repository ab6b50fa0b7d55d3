/** What a file looks like without being read, as a text to keep and compare. A leaf. */
import { statSync } from "node:fs";

/** Equal stamps, equal files. */
export type Stamp = string;

/** Of what isn't there. */
export const ABSENT: Stamp = "absent";

/** What is at a path now. */
export function stampOf(path: string): Stamp {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return ABSENT;
    const { mtimeMs, ctimeMs, size, ino } = stats;
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    // Below a file, or in a directory that can't be searched.
    return ABSENT;
  }
}
