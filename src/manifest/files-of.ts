import type { SourceGlob } from "./types.js";

/**
 * What a load of a manifest looked at before it failed: when one of these files changes or appears, it is worth another
 * try. Kept beside the error, which stays the plain `PreforkError` that callers know.
 */
const filesOf = new WeakMap<object, readonly string[]>();
/** The same for globs: when a file appears that one of them matches. */
const globsOf = new WeakMap<object, readonly SourceGlob[]>();

/** Notes files for an error; those noted before stay. Returns the error. */
export function withFiles<Thrown>(
  error: Thrown,
  files: readonly string[],
): Thrown {
  if (typeof error === "object" && error !== null)
    filesOf.set(error, [...new Set([...filesLookedAt(error), ...files])]);
  return error;
}

/** The files, absolute, which may not exist; none when nothing is known. */
export function filesLookedAt(error: unknown): readonly string[] {
  return typeof error === "object" && error !== null
    ? (filesOf.get(error) ?? [])
    : [];
}

/** Notes globs for an error. Returns the error. */
export function withGlobs<Thrown extends Error>(
  error: Thrown,
  globs: readonly SourceGlob[],
): Thrown {
  globsOf.set(error, globs);
  return error;
}

/** The globs that were looked up; none when nothing is known. */
export function globsLookedAt(error: unknown): readonly SourceGlob[] {
  return typeof error === "object" && error !== null
    ? (globsOf.get(error) ?? [])
    : [];
}

/** Does something with what was read from files: an error of it knows them. */
export function knowing<Result>(
  files: readonly string[],
  task: () => Result,
): Result {
  try {
    return task();
  } catch (error) {
    throw withFiles(error, files);
  }
}
