/**
 * Which process a pid means: whether it runs, and since when. A pid alone doesn't say it, since pids are used again.
 * It is not about our own children, whose ends we are told of.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { isAlive } from "../is-alive.js";

/** The kernel's USER_HZ, the unit of times in `/proc`: 100 on every platform that Node runs on. */
const TICKS_PER_SECOND = 100;

/** A start this far in the future isn't inaccuracy: the two numbers that it comes from are of different clocks. */
const FUTURE_MS = 2_000;

const PS_TIMEOUT_MS = 2_000;

interface ProcessTimes {
  /** Ended, but its parent hasn't asked for its exit status; in a container without an init it stays so for ever. */
  readonly isZombie: boolean;
  /** In milliseconds since the epoch; `undefined`: can't be told. */
  readonly startedAt: number | undefined;
}

/** Whether a process with this pid runs, also another user's. A zombie doesn't. */
export function isRunning(pid: number): boolean {
  return isAlive(pid) && processTimes(pid)?.isZombie !== true;
}

/**
 * When the process with this pid started.
 *
 * @returns milliseconds since the epoch, exact to about 10 ms on Linux and to a second elsewhere; `undefined` if there is no such
 * process, or if it can't be told
 */
export function processStartedAt(pid: number): number | undefined {
  return processTimes(pid)?.startedAt;
}

function processTimes(pid: number): ProcessTimes | undefined {
  if (process.platform === "linux") return timesFromProc(pid);
  return process.platform === "win32" ? undefined : timesFromPs(pid);
}

/** From `/proc`, see proc(5). */
function timesFromProc(pid: number): ProcessTimes | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const uptime = Number.parseFloat(readFileSync("/proc/uptime", "latin1"));
    const now = Date.now();
    // Field 2, the command's name, is in parentheses and may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = ""] = fields; // field 3
    const startTicks = Number(fields[22 - 3]);
    // By the age, not by `btime` of /proc/stat, which is in whole seconds. Both numbers count from boot, suspended time included.
    const ageMs = (uptime - startTicks / TICKS_PER_SECOND) * 1_000;
    return {
      isZombie: /^[ZX]/.test(state),
      startedAt: plausible(now - ageMs, now),
    };
  } catch {
    // It isn't there, or /proc shows each user only their own.
    return undefined;
  }
}

/** From `ps`, as POSIX has it; exported for its test on Linux. */
export function timesFromPs(pid: number): ProcessTimes | undefined {
  try {
    const output = execFileSync(
      "ps",
      ["-o", "stat=", "-o", "lstart=", "-p", String(pid)],
      {
        encoding: "utf8",
        timeout: PS_TIMEOUT_MS,
        stdio: ["ignore", "pipe", "ignore"],
        // English names, and no hour that there is twice a year.
        env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
      },
    );
    const [, state = "", startedAt = ""] =
      /^\s*(\S+)\s+(.+?)\s*$/.exec(output) ?? [];
    return {
      isZombie: state.startsWith("Z"),
      startedAt: plausible(Date.parse(`${startedAt} UTC`), Date.now()),
    };
  } catch {
    return undefined; // ps exits with 1 if there is no such process
  }
}

/** In a container, `/proc/uptime` can be the container's while start times are the host's: then nothing is known. */
function plausible(startedAt: number, now: number): number | undefined {
  return Number.isFinite(startedAt) && startedAt <= now + FUTURE_MS
    ? startedAt
    : undefined;
}
