/** Which processes there are, who descends from whom, and what each holds. */
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** Whether memory is proportional (shared pages counted once) or resident. */
export const memoryKind = process.platform === "linux" ? "PSS" : "RSS";

/** The program's group, and all that descends from any of it. */
export function treeOf(root, table) {
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

export function processTable() {
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

export function memoryOf(entry) {
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
