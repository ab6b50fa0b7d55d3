/** What a process does about the run directory when the master is gone without having removed it (SIGKILL). */
import fs from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { isAlive } from "../is-alive.js";

/** What a standby writes to have modules linked; its name tells whose it is. */
export function linkFile(directory: string, count: number): string {
  return join(directory, `l${process.pid}-${count}.mjs`);
}

/** The last process to go takes the directory with it. */
export function leaveRunDirectory(directory: string): void {
  try {
    for (const name of fs.readdirSync(directory)) {
      const pid = /^l(\d+)-/.exec(name)?.[1];
      // Of a standby that was killed while it linked.
      if (pid !== undefined && !isAlive(Number(pid)))
        fs.rmSync(join(directory, name), { force: true });
    }
    fs.rmdirSync(directory);
  } catch {
    // Others are still there, or somebody removed it already.
  }
}
