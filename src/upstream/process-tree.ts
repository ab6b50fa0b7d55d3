/** Looks at processes that aren't ours: a process's children, and what one calls itself. Linux: /proc; elsewhere: ps. */
import { execFile } from "node:child_process";
import fs from "node:fs/promises";
import process from "node:process";

/** Another process, as far as it can be seen. */
interface Seen {
  readonly pid: number;
  readonly parent: number;
  /** Its command line, which programs such as nginx change to say what they do. */
  readonly title: string;
}

/** The processes whose parent this is. */
export async function childrenOf(parent: number): Promise<readonly number[]> {
  const all =
    process.platform === "linux"
      ? await seenInProc()
      : await seenByPs(["-A", "-o", "pid=,ppid=,command="]);
  return all.filter((seen) => seen.parent === parent).map(({ pid }) => pid);
}

/** What a process calls itself; `undefined` when it's gone, or its number is another's by now. */
export async function titleOf(
  pid: number,
  parent: number,
): Promise<string | undefined> {
  const seen =
    process.platform === "linux"
      ? await inProc(pid)
      : (await seenByPs(["-p", String(pid), "-o", "pid=,ppid=,command="]))[0];
  return seen?.parent === parent ? seen.title : undefined;
}

async function seenInProc(): Promise<readonly Seen[]> {
  const names = await fs.readdir("/proc");
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const all = await Promise.all(pids.map(inProc));
  return all.filter((seen) => seen !== undefined);
}

async function inProc(pid: number): Promise<Seen | undefined> {
  try {
    const stat = await fs.readFile(`/proc/${pid}/stat`, "utf8");
    // proc_pid_stat(5): `pid (name) state ppid …`; the name may hold spaces and brackets.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || parent === undefined) return undefined;
    const line = await fs.readFile(`/proc/${pid}/cmdline`, "utf8");
    const title = line.replaceAll("\0", " ").trim();
    return { pid, parent: Number(parent), title };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

function seenByPs(args: readonly string[]): Promise<readonly Seen[]> {
  return new Promise((resolve) => {
    execFile("ps", [...args], { encoding: "utf8" }, (_error, stdout) => {
      // ps ends with 1 when there is no such process.
      resolve(
        stdout.split("\n").flatMap((line) => {
          const [, pid, parent, title = ""] =
            /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
          return pid === undefined
            ? []
            : [{ pid: Number(pid), parent: Number(parent), title }];
        }),
      );
    });
  });
}
