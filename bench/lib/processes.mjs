/**
 * A benchmarked program and every process under it: how much memory they hold,
 * and how to be rid of exactly them. Who they are: `process-tree.mjs`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { processTable, treeOf } from "./process-tree.mjs";

const STOP_MS = 8_000;

/** One for all programs, which run one after the other. */
let sampler;

/**
 * Starts a program as the leader of a process group of its own.
 *
 * @param command - `{ file, args, cwd, env }`
 * @param log - descriptor of the file its output goes to
 * @param options - `isSampled`: whether its memory is looked at, which takes some of the processor (default: yes)
 */
export async function startProgram(command, log, { isSampled = true } = {}) {
  if (isSampled && sampler === undefined) {
    sampler = new Worker(new URL("memory-sampler.mjs", import.meta.url));
    await once(sampler, "online");
    sampler.unref();
  }
  const startedAt = performance.now();
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...process.env, NO_COLOR: "1", ...command.env },
    stdio: ["ignore", log, log],
    detached: true,
  });

  /** Every process ever seen under it: `pid` to its start, as pids are reused. */
  const seen = new Map();
  let bytes = 0;
  let peakBytes = 0;
  const exited = once(child, "exit").catch(() => []);
  const take = (sample) => {
    if (sample.root !== child.pid) return;
    for (const [pid, started] of sample.seen) seen.set(pid, started);
    bytes = sample.bytes;
    peakBytes = Math.max(peakBytes, bytes);
  };
  if (isSampled) {
    sampler.on("message", take);
    sampler.postMessage(child.pid);
  }

  return {
    pid: child.pid,
    /** It and all its processes, now. */
    pids: () => treeOf(child.pid, processTable()).map(({ pid }) => pid),
    /** When it was spawned, by `performance.now()`. */
    startedAt,
    /** Resolves when it has ended. */
    exited,
    /** How it ended, or `undefined` while it runs. */
    ended: () =>
      child.exitCode === null && child.signalCode === null
        ? undefined
        : `exit ${child.exitCode ?? child.signalCode}`,
    /** What it and all its processes hold, by the latest sample. */
    bytes: () => bytes,
    peakBytes: () => peakBytes,
    /** Asks it to end, then ends what is left of it. */
    async stop() {
      note();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await Promise.race([exited, timeout(STOP_MS)]);
      }
      if (isSampled) {
        sampler.off("message", take);
        sampler.postMessage(undefined);
      }
      const table = note();
      for (const [pid, started] of seen) {
        if (table.get(pid)?.started === started) kill(pid);
      }
      await Promise.race([exited, timeout(STOP_MS)]);
    },
  };

  /** Takes down who is there now. */
  function note() {
    const table = processTable();
    for (const { pid, started } of treeOf(child.pid, table)) {
      seen.set(pid, started);
    }
    return table;
  }
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
