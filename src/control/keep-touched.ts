/** Keeps files from being tidied away: some systems delete temporary files that nobody has touched for days. */
import fs from "node:fs/promises";

/** As the XDG base directory specification asks for files in `$XDG_RUNTIME_DIR`. */
const INTERVAL_MS = 6 * 60 * 60 * 1_000;

/** Touches the files now and then; the timer keeps no process alive, and is ended with `clearInterval`. */
export function keepTouched(files: readonly string[]): NodeJS.Timeout {
  const touch = async (): Promise<void> => {
    const now = new Date();
    for (const file of files)
      await fs.utimes(file, now, now).catch(() => undefined);
  };
  return setInterval(() => void touch(), INTERVAL_MS).unref();
}
