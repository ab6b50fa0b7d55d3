/** Real processes for unit tests: a program that imports our sources, and what it says line by line. Needs no `dist`. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { onTestFinished } from "vitest";

const here = path.dirname(fileURLToPath(import.meta.url));
const DEADLINE_MS = 20_000;

/** How a process ended. */
interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of a test, killed when the test is over. */
export interface Child {
  readonly pid: number;
  /** Everything it has said so far. */
  readonly lines: readonly string[];
  readonly stderr: () => string;
  readonly ended: Promise<Ended>;
  /** The first line that fits behind the one that was awaited last. */
  until(fits: RegExp): Promise<string>;
  /** As {@link Child.until}, on stderr, from its start. */
  untilStderr(fits: RegExp): Promise<void>;
  /** Writes to its stdin. */
  write(text: string): void;
  signal(signal: NodeJS.Signals): void;
}

/** A folder that is gone when its test is over. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "unit-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

/**
 * Makes a program that Node can run.
 *
 * @param code - TypeScript; relative imports are from `test/unit`
 * @returns its path
 */
export function bundle(code: string): string {
  const outfile = path.join(temporaryFolder(), "program.mjs");
  buildSync({
    stdin: { contents: code, resolveDir: here, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
  });
  return outfile;
}

/** SIGKILL for a process, or with a negative number for its group; it may be gone. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

/** Starts a process in a group of its own. */
export function start(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Child {
  const child = spawn(command, args, {
    env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} can't be started`);
  const lines: string[] = [];
  let stderr = "";
  let passed = 0;
  const heard = new Set<() => void>();
  const tell = (): void => {
    for (const listener of heard) listener();
  };
  readline
    .createInterface({ input: child.stdout, crlfDelay: Infinity })
    .on("line", (line) => {
      lines.push(line);
      tell();
    });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    tell();
  });
  // It may end before it has read everything.
  child.stdin.on("error", () => undefined);
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  let isOver = false;
  void ended.then(() => (isOver = true));
  onTestFinished(async () => {
    // Its own children, too: they hold its output.
    if (!isOver) kill(-pid);
    await ended;
  });

  const wait = <Found>(
    fits: RegExp,
    look: () => Found | undefined,
  ): Promise<Found> =>
    new Promise((resolve, reject) => {
      const check = (): boolean => {
        const found = look();
        if (found === undefined) return false;
        clearTimeout(timer);
        heard.delete(check);
        resolve(found);
        return true;
      };
      const fail = (): void => {
        if (check()) return;
        clearTimeout(timer);
        heard.delete(check);
        const said = [...lines, stderr].join("\n");
        reject(new Error(`Waited for ${String(fits)}; it said:\n${said}`));
      };
      const timer = setTimeout(fail, DEADLINE_MS);
      heard.add(check);
      if (!check()) void ended.then(fail);
    });

  return {
    pid,
    lines,
    stderr: () => stderr,
    ended,
    until: (fits) =>
      wait(fits, () => {
        const found = lines.slice(passed).findIndex((line) => fits.test(line));
        if (found === -1) return undefined;
        passed += found + 1;
        return lines[passed - 1];
      }),
    untilStderr: (fits) =>
      wait(fits, () => (fits.test(stderr) ? true : undefined)).then(
        () => undefined,
      ),
    write: (text) => void child.stdin.write(text),
    signal: (signal) => void child.kill(signal),
  };
}
