/**
 * What runs in a thread of its own: reading the memory of ten processes takes some
 * 25 ms, which would show in the times if the load waited for it.
 */
import { parentPort } from "node:worker_threads";
import { memoryOf, processTable, treeOf } from "./process-tree.mjs";

const SAMPLE_MS = 400;

let root;
parentPort.on("message", (pid) => (root = pid));

setInterval(() => {
  if (root === undefined) return;
  const processes = treeOf(root, processTable());
  const bytes = processes.reduce((sum, entry) => sum + memoryOf(entry), 0);
  const seen = processes.map(({ pid, started }) => [pid, started]);
  parentPort.postMessage({ root, bytes, seen });
}, SAMPLE_MS);
