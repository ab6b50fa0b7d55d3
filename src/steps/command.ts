/**
 * Runs a step's command to its end, with a deadline, in a process group of its own that is gone afterwards: what the command
 * left running in it as well. Keeps the end of what it wrote. It doesn't know what the command is for.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { within } from "../within.js";
import { abortOf } from "./abort-of.js";
import { OutputTail } from "./output-tail.js";

/** From SIGTERM to SIGKILL. */
export const GRACE_MS = 2_000;
/** What a command left running may hold its output open for ever: the rest is waited for so long. */
const OUTPUT_MS = 200;
/** A process that was sent SIGKILL is gone at once, unless a disk doesn't answer. */
const KILLED_MS = 1_000;
/** The longest that a timer can wait: for no limit. */
const FOREVER_MS = 2 ** 31 - 1;

const IS_WINDOWS = process.platform === "win32";

/** What {@link runCommand} takes. */
export interface CommandOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** In milliseconds; 0: none. */
  readonly timeoutMs: number;
  /** Ends it: SIGTERM, after 2 s SIGKILL. */
  readonly signal: AbortSignal;
  /** Ends it at once. */
  readonly kill: AbortSignal;
  /** Its process group is there, until this is fulfilled. */
  readonly onGroup: (pid: number, ended: Promise<unknown>) => void;
}

/** How a command ended. */
export type CommandEnd =
  | {
      readonly kind: "exited";
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly output: string;
    }
  | { readonly kind: "not started"; readonly error: Error }
  | { readonly kind: "late"; readonly output: string }
  | { readonly kind: "aborted" };

type Exit =
  | Extract<CommandEnd, { kind: "not started" }>
  | Omit<Extract<CommandEnd, { kind: "exited" }>, "output">;

/** Runs a command: a text in a shell, a list without one. Never rejects. */
export async function runCommand(
  command: string | readonly string[],
  options: CommandOptions,
): Promise<CommandEnd> {
  if (options.signal.aborted) return { kind: "aborted" };
  const child = start(command, options);
  const tail = new OutputTail();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => tail.add(text));
    // A pipe that breaks has nothing more to say.
    stream?.on("error", () => undefined);
  }
  const exited = new Promise<Exit>((resolve) => {
    child.once("error", (error) => resolve({ kind: "not started", error }));
    child.once("exit", (code, signal) =>
      resolve({ kind: "exited", code, signal }),
    );
  });
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  let end: (value: undefined) => void = () => undefined;
  const ended = new Promise((resolve) => (end = resolve));
  if (child.pid !== undefined) options.onGroup(child.pid, ended);
  const over = new AbortController();
  const aborted = abortOf(options.signal, over.signal);
  const killed = abortOf(options.kill, over.signal);
  try {
    const first = await within(
      options.timeoutMs === 0 ? FOREVER_MS : options.timeoutMs,
      Promise.race([exited, aborted]),
    );
    if (typeof first === "object" && first.kind === "not started") return first;
    const exit = typeof first === "object" ? first : undefined;
    if (exit === undefined) signalGroup(child, "SIGTERM");
    // Once it's closed, all who hold its output are gone, not only the first.
    const graceMs = exit === undefined ? GRACE_MS : OUTPUT_MS;
    await within(graceMs, Promise.race([closed, killed]));
    signalGroup(child, "SIGKILL");
    await within(KILLED_MS, exited);
    if (first === "aborted") return { kind: "aborted" };
    const output = tail.text();
    return exit === undefined ? { kind: "late", output } : { ...exit, output };
  } finally {
    over.abort();
    child.stdout?.destroy();
    child.stderr?.destroy();
    end(undefined);
  }
}

/**
 * Starts it. Where there is a POSIX shell, both outputs are one pipe: what was written to the one and to the other stands in
 * the order in which it was written.
 */
function start(
  command: string | readonly string[],
  { cwd, env }: CommandOptions,
): ChildProcess {
  const options = {
    ...{ cwd, env, windowsHide: true },
    stdio: ["ignore" as const, "pipe" as const, "pipe" as const],
    // A group of its own: ^C in the terminal is for the master, and the deadline is for all that the command starts.
    detached: !IS_WINDOWS,
  };
  if (IS_WINDOWS) {
    if (typeof command === "string")
      return spawn(command, { ...options, shell: true });
    const [program = "", ...args] = command;
    return spawn(program, args, options);
  }
  return typeof command === "string"
    ? spawn("/bin/sh", ["-c", `exec 2>&1; ${command}`], options)
    : spawn("/bin/sh", ["-c", 'exec "$@" 2>&1', "sh", ...command], options);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (IS_WINDOWS) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in it.
  }
}
