/** Whether files and directories are as they were: stamps to compare. Nothing is read but directories whose time differs. */
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { ABSENT, stampOf } from "../file-stamp.js";
import type { Stamp } from "../file-stamp.js";
import { hashOf } from "./hashes.js";

/** A directory: its own stamp, and the hash of the names in it. */
export type DirectoryStamp = readonly [stamp: Stamp, names: string];

/** Equal to none, itself included: nothing is known. */
const UNKNOWN: Stamp = "";

/** A file system's clock may tick as slowly as this: what was written within it may be written again with the same times. */
const RACY_MS = 100;

/**
 * The stamp of what was read just now, to be compared with in a later run.
 *
 * @param mtimeMs - what it was when it was read; default: not known
 * @param readAt - when it was read, Unix time in milliseconds. Default: now
 */
export function settledStampOf(
  path: string,
  mtimeMs?: number,
  readAt: number = Date.now(),
): Stamp {
  const stamp = stampOf(path);
  if (stamp === ABSENT) return stamp;
  const [modified = 0, changed = 0] = stamp.split(" ").map(Number);
  if (mtimeMs !== undefined && mtimeMs !== modified) return UNKNOWN;
  return Math.max(modified, changed) > readAt - RACY_MS ? UNKNOWN : stamp;
}

/** Is it as it was? */
export function isAsStamped(path: string, stamp: Stamp): boolean {
  return stamp !== UNKNOWN && stampOf(path) === stamp;
}

/** The stamp of a directory for a later run; `readAt` as in {@link settledStampOf}. */
export function directoryStampOf(
  directory: string,
  readAt: number,
): DirectoryStamp {
  const stamp = settledStampOf(directory, undefined, readAt);
  return [stamp, namesOf(directory)];
}

/** Are the same files in it, whatever happened to them meanwhile? */
export function hasSameNames(
  directory: string,
  [stamp, names]: DirectoryStamp,
): boolean {
  return isAsStamped(directory, stamp) || namesOf(directory) === names;
}

/** A hash of the names that an import could mean. */
function namesOf(directory: string): string {
  try {
    const names = readdirSync(directory, { withFileTypes: true })
      // Editors' and tools' own files come and go.
      .filter(({ name }) => !name.startsWith(".") && !name.endsWith("~"))
      .map((entry) => {
        if (entry.isDirectory()) return `${entry.name}/`;
        if (!entry.isSymbolicLink()) return entry.name;
        return `${entry.name}>${readlinkSync(join(directory, entry.name))}`;
      });
    return hashOf(names.sort().join("\0"));
  } catch {
    return ABSENT;
  }
}
