/** Whether this process may read from its terminal: a job in the background (`prefork-dev &`) may not. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import process from "node:process";

/**
 * Is this process's group the one in the foreground of its terminal? Also `true` without a controlling terminal, and where that
 * can't be found out: job control stops nobody then.
 *
 * Node has no `tcgetpgrp`, so this asks the system's list of processes.
 */
export function isForeground(): boolean {
  if (process.platform === "win32") return true;
  try {
    const { group, terminalGroup } =
      process.platform === "linux" ? readProc() : askPs();
    return terminalGroup <= 0 || group === terminalGroup;
  } catch {
    return true;
  }
}

interface Groups {
  readonly group: number;
  /** -1 or 0 without a controlling terminal. */
  readonly terminalGroup: number;
}

/** Fields 5 and 8, see proc(5). The second, the command, may hold blanks and brackets. */
function readProc(): Groups {
  const stat = fs.readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { group: Number(fields[2]), terminalGroup: Number(fields[5]) };
}

function askPs(): Groups {
  const text = execFileSync(
    "ps",
    ["-o", "pgid=,tpgid=", "-p", String(process.pid)],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  const [group, terminalGroup] = text.trim().split(/\s+/).map(Number);
  return { group: group ?? 0, terminalGroup: terminalGroup ?? 0 };
}
