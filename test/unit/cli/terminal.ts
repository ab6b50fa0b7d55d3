/** A command with keys in a real terminal, which Python makes: Node has none. */
import { onTestFinished } from "vitest";
import { bundle, kill, start } from "../child-program.js";
import type { Child } from "../child-program.js";

/** A command with keys and signals, as ours is. Nothing but its timer holds it. */
const program = `
import { installKeys } from "../../src/cli/keys.js";
import { installSignals } from "../../src/mechanisms/signals.js";

const say = (text) => void process.stdout.write(text + "\\n");
const serving = setInterval(() => undefined, 60_000);
const server = {
  async reload() { say("reload"); },
  async scale({ by }) { say("scale " + by); },
  async stop() { say("stop"); clearInterval(serving); },
  async kill() { say("kill"); clearInterval(serving); },
};
installSignals(server, { SIGHUP: false });
installKeys({ input: process.stdin, isTTY: process.stdin.isTTY === true, env: {}, server, status: () => "all is well", say });
say("installed " + process.pid);
`;

/**
 * Runs a program in a terminal of its own, as its only job. These programs don't outlive tests that were killed for long: SIGALRM ends
 * them, and the end of a terminal its job.
 */
export const inTerminal = `
import os, pty, signal, sys
signal.alarm(120)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
`;

/**
 * Runs a program in the background of a terminal, as a shell does with `&`. Lines of stdin: `type …`, as if at the keyboard,
 * and `fg`, which the shell does.
 */
export const inBackground = `
import os, pty, select, signal, sys
signal.alarm(120)
orders, order = os.pipe()
shell, terminal = pty.fork()
if shell == 0:
    job = os.fork()
    if job == 0:
        # It stays set in the program; what isn't in the foreground isn't told of the terminal's end.
        signal.alarm(120)
        os.setpgid(0, 0)
        os.execvp(sys.argv[1], sys.argv[1:])
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.read(orders, 1)
    os.tcsetpgrp(0, job)
    os.kill(-job, signal.SIGCONT)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
while True:
    for ready in select.select([0, terminal], [], [])[0]:
        if ready == terminal:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                sys.exit(os.waitstatus_to_exitcode(os.waitpid(shell, 0)[1]))
            os.write(1, data)
        else:
            line = os.read(0, 4096).decode()
            if line.startswith("type "):
                os.write(terminal, line[5:].encode())
            elif not line:
                sys.exit(1)
            elif line == "fg\\n":
                os.write(order, b"f")
`;

interface Terminal {
  readonly terminal: Child;
  /** Of the command. */
  readonly pid: number;
}

/** Starts the command, and waits until it has installed its keys and signals. */
export async function startIn(how: string): Promise<Terminal> {
  const terminal = start("python3", [
    ...["-c", how],
    ...[process.execPath, bundle(program)],
  ]);
  const line = await terminal.until(/^installed \d+/);
  const pid = Number(line.split(" ")[1]);
  let isOver = false;
  void terminal.ended.then(() => (isOver = true));
  // It has a session of its own.
  onTestFinished(() => {
    if (!isOver) kill(pid);
  });
  return { terminal, pid };
}
