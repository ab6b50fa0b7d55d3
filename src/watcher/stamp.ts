/** What files and directories look like, by our own `stat`: every decision of the watcher rests on this, never on an event. */
import { readdirSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import path from "node:path";
import type { FileStamp } from "./types.js";

const CODE = new Set([
  ...[".ts", ".tsx", ".mts", ".cts"],
  ...[".js", ".jsx", ".mjs", ".cjs", ".json"],
]);

/** Whether a file of this name can be what an import resolves to. */
export function isCodeName(name: string): boolean {
  return CODE.has(path.extname(name));
}

/** `stat`, at once; `undefined` for what can't be reached. */
export function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    // No permission, a loop of links: for us it isn't there.
    return undefined;
  }
}

/** The stamp in a file's stats; `undefined` when it is no file. */
export function toStamp(stats: Stats | undefined): FileStamp | undefined {
  if (stats === undefined || stats.isDirectory()) return undefined;
  const { mtimeMs, size, ino, birthtimeMs } = stats;
  return { mtimeMs, size, ino, birthtimeMs };
}

/** The file's stamp; `undefined` when there is no such file. */
export function stampOf(file: string): FileStamp | undefined {
  return toStamp(statOf(file));
}

/** Whether two stamps tell the same content. */
export function isSameStamp(
  a: FileStamp | undefined,
  b: FileStamp | undefined,
): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.mtimeMs === b.mtimeMs &&
    a.size === b.size &&
    a.ino === b.ino &&
    a.birthtimeMs === b.birthtimeMs
  );
}

/**
 * Kernels before 6.13 round a file's times to their timer tick, up to 10 ms: of two writes in one tick, the
 * second doesn't show in the stamp. A stamp this young can't prove that nothing happened (git calls it "racy").
 */
export function isRacy(
  stamp: { readonly mtimeMs: number },
  takenAt: number,
): boolean {
  return Math.abs(takenAt - stamp.mtimeMs) < 12;
}

/** Which directory is at this path; `undefined` when there is none. */
export function identityOf(directory: string): string | undefined {
  const stats = statOf(directory);
  if (stats?.isDirectory() !== true) return undefined;
  return `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`;
}

/** The names of the code files in a directory; none when it doesn't exist. */
export function codeNamesIn(directory: string): Set<string> {
  try {
    const names = new Set<string>();
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (!entry.isDirectory() && isCodeName(entry.name)) names.add(entry.name);
    }
    return names;
  } catch {
    return new Set();
  }
}
