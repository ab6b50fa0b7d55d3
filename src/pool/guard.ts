/**
 * A tiny process that outlives the master for an instant. Processes end by themselves when the master is gone, whatever
 * killed it: they see their channel close. One whose event loop is blocked, or that is stopped, doesn't see it; the guard
 * does, since its standard input ends, and kills it. It also removes what only the master could have removed: pid file, control socket, run directory.
 *
 * It is a shell, because that starts in a millisecond and needs hardly any memory. Not on Windows, where no shell is sure to be there.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import process from "node:process";

/** How long processes may take to end by themselves, in seconds. */
const GRACE_S = 0.3;

/**
 * Reads `+ <pid>`, `- <pid>` (a negative one is a process group, known by its leader), `f <inode> <path>` and `d - <path>`; at the end of the input kills the processes that are left, and removes the
 * files that are still the same and the directories that are empty. A process's start time is kept, so that another one which got its pid in the meantime is left
 * alone (proc(5): field 22 of `/proc/<pid>/stat`; elsewhere `ps`). $1 is the run directory.
 */
const SCRIPT = `
started() {
  if [ -r "/proc/$1/stat" ]; then
    read -r stat < "/proc/$1/stat" || return
    set -- \${stat##*) }
    shift 19
    echo "$1"
  else
    ps -o lstart= -p "$1" 2>/dev/null | tr ' ' _
  fi
}
inode() {
  set -- $(ls -id -- "$1" 2>/dev/null)
  echo "$1"
}
known=
files=
while read -r sign id path; do
  case $sign in f|d)
    files="$files$sign $id $path
"
    continue ;;
  q)
    exit ;;
  esac
  rest=
  for each in $known; do
    [ "\${each%%:*}" = "$id" ] || rest="$rest $each"
  done
  known=$rest
  [ "$sign" = + ] && known="$known $id:$(started "\${id#-}")"
done
if [ -n "$known" ]; then
  sleep ${GRACE_S}
  for each in $known; do
    pid=\${each%%:*}
    [ "$(started "\${pid#-}")" = "\${each#*:}" ] && kill -KILL "$pid"
  done
fi
printf %s "$files" | while read -r sign id path; do
  if [ "$sign" = d ]; then
    rmdir -- "$path"
  elif [ "$(inode "$path")" = "$id" ]; then
    rm -f -- "$path"
  fi
done
[ -z "$1" ] || rm -rf -- "$1"
`;

export class Guard {
  readonly #child: ChildProcess | undefined;

  /** @param runDirectory - is removed if the master can't. Default: none */
  constructor(runDirectory = "") {
    if (process.platform === "win32") return;
    this.#child = spawn("/bin/sh", ["-c", SCRIPT, "guard", runDirectory], {
      // Signals of the terminal are for the master.
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    // Without one, all is as well as it can be.
    this.#child.on("error", () => undefined);
    this.#child.stdin?.on("error", () => undefined);
    this.#child.unref();
    if (this.#child.stdin instanceof net.Socket) this.#child.stdin.unref();
  }

  /** Watches over a process until it's gone. */
  watch(pid: number, exited: Promise<unknown>): void {
    if (pid === 0) return;
    this.#say(`+ ${pid}`);
    void exited.then(() => this.#say(`- ${pid}`));
  }

  /** The same for a process group, whose leader it is. */
  watchGroup(pid: number, ended: Promise<unknown>): void {
    this.watch(-pid, ended);
  }

  /**
   * What the master removes at its end, unless it can't. What isn't the same any more is left alone.
   *
   * @param files - absolute
   * @param directories - absolute; only if they are empty then, in this order
   */
  own(files: readonly string[], directories: readonly string[] = []): void {
    for (const path of files) {
      const inode = fs.lstatSync(path, { throwIfNoEntry: false })?.ino;
      if (inode !== undefined) this.#say(`f ${inode} ${path}`);
    }
    for (const path of directories) this.#say(`d - ${path}`);
  }

  /** Fulfils when the guard is gone. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.ref();
    // The master is well, and removes its files itself.
    this.#say("q");
    child.stdin?.end();
    await exited;
  }

  #say(line: string): void {
    // A path with a line break in it: its file stays, as it would without a guard.
    if (!line.includes("\n")) this.#child?.stdin?.write(`${line}\n`);
  }
}
