/**
 * The directory of the sockets: it stands where everybody may write, so it must be this user's own. Otherwise whoever
 * made it first could listen in the master's place, or take its socket away.
 */
import fs from "node:fs/promises";
import process from "node:process";
import { PreforkError, messageOf, systemErrorCode } from "../errors.js";

const OWNER_ONLY = 0o700;
const OTHERS = 0o077;

/** What is wrong with it; `undefined`: it's a directory of this user, and no symbolic link. */
async function flawOf(directory: string): Promise<string | undefined> {
  const stats = await fs.lstat(directory);
  if (stats.isSymbolicLink()) return "is a symbolic link";
  if (!stats.isDirectory()) return "is no directory";
  const uid = process.getuid?.();
  if (uid !== undefined && stats.uid !== uid)
    return `belongs to user ${stats.uid}, not to ${uid}`;
  return undefined;
}

/** Is it there, and this user's own? */
export async function isOwnDirectory(directory: string): Promise<boolean> {
  try {
    return (await flawOf(directory)) === undefined;
  } catch {
    return false;
  }
}

/**
 * Makes the directory with mode 0700 if it's not there.
 *
 * @throws PreforkError `ERR_PREFORK_CONTROL` when it can't be made, or is somebody else's
 */
export async function makeOwnDirectory(directory: string): Promise<void> {
  let flaw: string | undefined;
  try {
    await fs.mkdir(directory, { mode: OWNER_ONLY }).catch((error: unknown) => {
      if (systemErrorCode(error) !== "EEXIST") throw error;
    });
    flaw = await flawOf(directory);
    // Looked at first: `chmod` follows links.
    if (flaw === undefined) {
      const { mode } = await fs.lstat(directory);
      if ((mode & OTHERS) !== 0) await fs.chmod(directory, OWNER_ONLY);
    }
  } catch (error) {
    throw new PreforkError(
      "ERR_PREFORK_CONTROL",
      `The directory of the control socket, ${directory}, can't be used: ${messageOf(error)}. ` +
        "Make it possible, or set XDG_RUNTIME_DIR to a directory of yours.",
      { cause: error },
    );
  }
  if (flaw === undefined) return;
  throw new PreforkError(
    "ERR_PREFORK_CONTROL",
    `The directory of the control socket, ${directory}, ${flaw}: somebody else made it, and could pose as the server. ` +
      "Have it removed, or set XDG_RUNTIME_DIR to a directory of yours.",
  );
}
