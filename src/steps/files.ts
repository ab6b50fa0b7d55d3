/** What steps ask the file system: contents as hashes, and when files were written. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";

/** Of a file that isn't there, or isn't one. */
export const ABSENT = "absent";

/** Contents by path: hashes, or {@link ABSENT}. */
export type Hashes = ReadonlyMap<string, string>;

/** A hash of texts, in this order. */
export function hashOf(texts: Iterable<string | Buffer>): string {
  const hash = createHash("sha256");
  // Lengths, so that no two lists look the same.
  for (const text of texts) hash.update(`${text.length} `).update(text);
  return hash.digest("hex").slice(0, 32);
}

/** When a file was written, as `mtimeMs`; `undefined` when there is none. */
export function modifiedAt(file: string): number | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  } catch {
    return undefined;
  }
}

/** The hash of a file's content. */
export function hashOfFile(file: string): string {
  try {
    return hashOf([readFileSync(file)]);
  } catch {
    // What can't be read is as good as gone: the step itself will say why.
    return ABSENT;
  }
}

/** The contents of files. */
export function hashesOf(files: Iterable<string>): Map<string, string> {
  return new Map(Array.from(files, (file) => [file, hashOfFile(file)]));
}

/** Have these files the same contents? */
export function areSame(a: Hashes, b: Hashes): boolean {
  if (a.size !== b.size) return false;
  for (const [file, hash] of a) if (b.get(file) !== hash) return false;
  return true;
}
