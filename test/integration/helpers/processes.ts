/**
 * Finds the processes of a test, also those whose parent is gone: each carries
 * a mark in its environment that was set when the first was spawned.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** The environment variable that marks a test's processes. */
export const MARK = "PREFORK_TEST_MARK";

const LOOK_AGAIN_MS = 20;

/** A process that is alive. */
export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** The live processes whose environment has this mark; without zombies. */
export function findMarked(mark: string): FoundProcess[] {
  return process.platform === "linux" ? findInProc(mark) : findWithPs(mark);
}

/**
 * Waits until no process with the mark lives. The end of a process that is not
 * our child is no event, so this is the one place that looks again and again.
 *
 * @param withinMs - the deadline; then the error lists who lives
 */
export async function untilGone(mark: string, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const alive = findMarked(mark);
    if (alive.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(
        `Expected no process to be left within ${withinMs} ms, but found ` +
          alive.map(({ pid, command }) => `${pid} (${command})`).join(", "),
      );
    }
    await delay(LOOK_AGAIN_MS);
  }
}

/** Ends what is left with this mark, for teardowns: a failed test must not disturb the next. */
export function killMarked(mark: string): FoundProcess[] {
  const alive = findMarked(mark);
  for (const { pid } of alive) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  return alive;
}

function findInProc(mark: string): FoundProcess[] {
  const entry = `${MARK}=${mark}`;
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    // A zombie has no environment any more.
    const environment = readProc(name, "environ").split("\0");
    if (!environment.includes(entry)) return [];
    const command = readProc(name, "cmdline").replaceAll("\0", " ").trim();
    return [{ pid: Number(name), command }];
  });
}

/** Empty when the process is gone, or another user's. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function findWithPs(mark: string): FoundProcess[] {
  // `E` appends the environment to the command.
  const { stdout } = spawnSync("ps", ["-AEww", "-o", "pid=,command="], {
    encoding: "utf8",
  });
  return stdout.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(.*)$/.exec(line);
    if (match === null || !line.includes(`${MARK}=${mark}`)) return [];
    const [, pid = "", command = ""] = match;
    return [{ pid: Number(pid), command: command.slice(0, 100) }];
  });
}
