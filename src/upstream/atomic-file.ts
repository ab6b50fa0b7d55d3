/** A file of ours that a front reads: replaced as a whole, by rename, and put back when the front refuses it. */
import fs from "node:fs/promises";
import nodePath from "node:path";
import process from "node:process";
import { PreforkError, messageOf, systemErrorCode } from "../errors.js";

let count = 0;

/** A file that was replaced. */
export interface Replaced {
  /** Puts back what was there, also if that was nothing. */
  readonly restore: () => Promise<void>;
}

/**
 * Writes a file so that a reader sees all of the old text or all of the new one; when it already has that text, nothing is written.
 * Of a symbolic link the file behind it is replaced.
 *
 * @throws PreforkError `ERR_PREFORK_UPSTREAM` when it can't be written; it's as it was then
 */
export async function replaceFile(
  path: string,
  text: string,
): Promise<Replaced> {
  try {
    const target = await behindLinks(path);
    const previous = await readIfThere(target);
    if (previous === text) return { restore: () => Promise.resolve() };
    await writeByRename(target, text);
    return {
      async restore() {
        if (previous === undefined) await fs.rm(target, { force: true });
        else await writeByRename(target, previous);
      },
    };
  } catch (cause) {
    throw new PreforkError(
      "ERR_PREFORK_UPSTREAM",
      `${path} can't be written (${messageOf(cause)}): make its directory, and let this user write there`,
      { cause },
    );
  }
}

async function writeByRename(target: string, text: string): Promise<void> {
  // Beside it, as a rename must be; not ending as it does, for the sake of `include conf.d/*.conf`.
  const temporary = nodePath.join(
    nodePath.dirname(target),
    `.${nodePath.basename(target)}.${process.pid}-${count++}.tmp`,
  );
  try {
    const file = await fs.open(temporary, "wx", 0o644);
    try {
      await file.writeFile(text);
      // A front that starts after a power failure must not find an empty file.
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, target);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}

async function behindLinks(path: string): Promise<string> {
  try {
    return await fs.realpath(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return nodePath.resolve(path);
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
