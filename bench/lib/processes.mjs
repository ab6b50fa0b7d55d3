/**
 * A benchmarked program and every process under it: who they are, how much
 * memory they hold, and how to be rid of exactly them.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, readdirSync } from "node:fs";

const SAMPLE_MS = 400;
const STOP_MS = 8_000;

/** Whether memory is proportional (shared pages counted once) or resident. */
export const memoryKind = process.platform === "linux" ? "PSS" : "RSS";

/**
 * Starts a program as the leader of a process group of its own.
 *
 * @param command - `{ file, args, cwd, env }`
 * @param logFile - where its output goes
 */
export function startProgram(command, logFile) {
  const log = openSync(logFile, "a");
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...process.env, NO_COLOR: "1", ...command.env },
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);

  /** Every process ever seen under it: `pid` to its start, as pids are reused. */
  const seen = new Map();
  let peakBytes = 0;
  const exited = once(child, "exit").catch(() => []);
  const sample = () => {
    const table = processTable();
    let bytes = 0;
    for (const entry of treeOf(child.pid, table)) {
      seen.set(entry.pid, entry.started);
      bytes += memoryOf(entry);
    }
    peakBytes = Math.max(peakBytes, bytes);
  };
  const timer = setInterval(sample, SAMPLE_MS);

  return {
    /** Resolves when it has ended. */
    exited,
    /** How it ended, or `undefined` while it runs. */
    ended: () =>
      child.exitCode === null && child.signalCode === null
        ? undefined
        : `exit ${child.exitCode ?? child.signalCode}`,
    peakBytes: () => peakBytes,
    /** Asks it to end, then ends what is left of it. */
    async stop() {
      clearInterval(timer);
      sample();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await Promise.race([exited, timeout(STOP_MS)]);
      }
      const table = processTable();
      for (const entry of treeOf(child.pid, table)) {
        seen.set(entry.pid, entry.started);
      }
      for (const [pid, started] of seen) {
        if (table.get(pid)?.started === started) kill(pid);
      }
      await Promise.race([exited, timeout(STOP_MS)]);
    },
  };
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

function timeout(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** The program's group, and all that descends from any of it. */
function treeOf(root, table) {
  const members = new Set([root]);
  for (let grown = true; grown;) {
    grown = false;
    for (const entry of table.values()) {
      const belongs = entry.group === root || members.has(entry.parent);
      if (belongs && !members.has(entry.pid)) {
        members.add(entry.pid);
        grown = true;
      }
    }
  }
  return [...members].flatMap((pid) => table.get(pid) ?? []);
}

function processTable() {
  return process.platform === "linux" ? tableOfProc() : tableOfPs();
}

function tableOfProc() {
  const table = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    // The command may contain spaces and parentheses: fields start after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields.length < 20 || fields[0] === "Z") continue;
    const pid = Number(name);
    table.set(pid, {
      pid,
      parent: Number(fields[1]),
      group: Number(fields[2]),
      started: fields[19],
    });
  }
  return table;
}

function tableOfPs() {
  const format = "pid=,ppid=,pgid=,rss=,lstart=";
  const { stdout } = spawnSync("ps", ["-Ao", format], { encoding: "utf8" });
  const table = new Map();
  for (const line of stdout.split("\n")) {
    const [pid, parent, group, rss, ...started] = line.trim().split(/\s+/);
    if (!pid) continue;
    table.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      started: started.join(" "),
      rssBytes: Number(rss) * 1024,
    });
  }
  return table;
}

function memoryOf(entry) {
  if (entry.rssBytes !== undefined) return entry.rssBytes;
  const pss = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${entry.pid}/smaps_rollup`));
  return pss === null ? 0 : Number(pss[1]) * 1024;
}

/** A process may end between any two lines of this file. */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
