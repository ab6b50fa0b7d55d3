/** Runs a command of a front (a test, a reload) to its end. No shell, no standard input, and a deadline. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import type { Readable } from "node:stream";
import { PreforkError, messageOf, systemErrorCode } from "../errors.js";
import { within } from "../within.js";

/** Of what a command prints so much is kept: the end. `nginx -T` prints a whole configuration. */
const KEPT_CHARACTERS = 4 * 1_048_576;
const SHOWN_CHARACTERS = 2_000;
/** What a command leaves running may hold its output open for ever: the rest is waited for so long. */
const OUTPUT_TIMEOUT_MS = 200;

/** What {@link runCommand} takes. */
export interface RunOptions {
  /** Then it and all it started is killed, in milliseconds. */
  readonly timeoutMs: number;
  /** Kills it, too. */
  readonly signal: AbortSignal;
}

/** What a command printed. */
export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Fulfils when the command has ended with 0.
 *
 * @throws PreforkError `ERR_PREFORK_UPSTREAM` with its exit code and what it printed; the signal's reason when that came first
 */
export async function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  { timeoutMs, signal }: RunOptions,
): Promise<CommandOutput> {
  signal.throwIfAborted();
  const shown = [program, ...args].join(" ");
  // A group of its own: ^C in the terminal is for the master, and the deadline is for all that the command starts.
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const output = (): CommandOutput => ({ stdout: stdout(), stderr: stderr() });

  let end: (outcome: Ended) => void = () => undefined;
  const ended = new Promise<Ended>((resolve) => (end = resolve));
  child.once("error", (error) => end({ kind: "not started", error }));
  child.once("exit", (code, by) => {
    end({ kind: "exited", code, signal: by });
  });
  const closed = new Promise<void>((resolve) =>
    child.once("close", () => resolve()),
  );
  const kill = (kind: "late" | "aborted"): void => {
    killGroup(child.pid);
    end({ kind });
  };
  const onAbort = (): void => kill("aborted");
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => kill("late"), timeoutMs);
  try {
    const outcome = await ended;
    if (outcome.kind !== "not started") await within(OUTPUT_TIMEOUT_MS, closed);
    if (outcome.kind === "aborted") throw signal.reason;
    if (outcome.kind === "exited" && outcome.code === 0) return output();
    throw new PreforkError(
      "ERR_PREFORK_UPSTREAM",
      `\`${shown}\` ${reasonOf(outcome, timeoutMs)}${printed(output())}`,
      outcome.kind === "not started" ? { cause: outcome.error } : undefined,
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

type Ended =
  | { readonly kind: "not started"; readonly error: Error }
  | {
      readonly kind: "exited";
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
    }
  | { readonly kind: "late" }
  | { readonly kind: "aborted" };

function reasonOf(outcome: Ended, timeoutMs: number): string {
  switch (outcome.kind) {
    case "not started":
      return systemErrorCode(outcome.error) === "ENOENT"
        ? "can't be run: there is no such program; install it or give its full path"
        : `can't be run: ${messageOf(outcome.error)}`;
    case "exited":
      return outcome.signal === null
        ? `failed with exit code ${outcome.code ?? "?"}`
        : `was ended by ${outcome.signal}`;
    case "late":
      return `did not end within ${timeoutMs} ms and was killed`;
    case "aborted":
      return "was given up";
  }
}

/** What it said, behind a colon. */
function printed({ stdout, stderr }: CommandOutput): string {
  const said = stderr.trim() === "" ? stdout.trim() : stderr.trim();
  return said === "" ? "" : `: ${said.slice(-SHOWN_CHARACTERS)}`;
}

function collect(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text = (text + chunk).slice(-KEPT_CHARACTERS);
  });
  // A pipe that breaks has nothing more to say.
  stream.on("error", () => undefined);
  return () => text;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    if (process.platform === "win32") process.kill(pid, "SIGKILL");
    else process.kill(-pid, constants.signals.SIGKILL);
  } catch {
    // It has ended by itself.
  }
}
