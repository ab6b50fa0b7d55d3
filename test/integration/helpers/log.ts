/** The `--json` log of a running command, as objects; used by `cli.ts`. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const SHOWN_LINES = 40;

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A log that is being followed. */
export interface Log {
  readonly lines: readonly LogLine[];
  /** The first line that fits from this index on; rejects when the command has ended without. */
  find(fits: (line: LogLine) => boolean, from: number): Promise<LogLine>;
  readonly stderr: () => string;
  /** The last lines, for errors. */
  shown(): string;
}

interface Waiter {
  fits(line: LogLine): boolean;
  resolve(line: LogLine): void;
  reject(error: Error): void;
}

/** Follows stdout as log lines, and stderr as text. */
export function followLog(child: ChildProcess): Log {
  const lines: LogLine[] = [];
  const raw: string[] = [];
  const waiters = new Set<Waiter>();
  let stderr = "";
  let isOver = false;
  const { stdout } = child;
  if (stdout === null || child.stderr === null) {
    throw new Error("The command's output is not a pipe.");
  }
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  createInterface({ input: stdout }).on("line", (text) => {
    raw.push(text);
    const line = parseLine(text);
    lines.push(line);
    for (const waiter of waiters) {
      if (!waiter.fits(line)) continue;
      waiters.delete(waiter);
      waiter.resolve(line);
    }
  });
  const shown = (): string =>
    [...raw.slice(-SHOWN_LINES), stderr.slice(-4_000)].join("\n");
  const overError = (): Error =>
    new Error(
      `The command exited with ${child.exitCode ?? child.signalCode ?? "?"} ` +
        `before the awaited line came; its last words:\n${shown()}`,
    );
  child.on("close", () => {
    isOver = true;
    for (const waiter of waiters) waiter.reject(overError());
    waiters.clear();
  });

  return {
    lines,
    /** The first line that fits from this index on; rejects when the command has ended without. */
    find(fits, from) {
      const there = lines.slice(from).find(fits);
      if (there !== undefined) return Promise.resolve(there);
      if (isOver) return Promise.reject(overError());
      return new Promise((resolve, reject) => {
        waiters.add({ fits, resolve, reject });
      });
    },
    stderr: () => stderr,
    shown,
  };
}

function parseLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    // Not JSON: kept as it is.
  }
  return { text };
}
