/** How much processor time a process has used. */
import { readFileSync } from "node:fs";

/** The kernel counts in these. */
const TICK_MS = 10;

/** User and system time of all its threads, in milliseconds, in steps of 10; 0 where there's no `/proc`, or no such process. */
export function cpuMsOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command may contain spaces and parentheses: fields start after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}
