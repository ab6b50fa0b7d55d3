/**
 * Drives the built command, `bin/prefork-dev.js`, as a user's shell would, and
 * reads its `--json` log. Tests act on what the log says, never on time.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { repository, type TestApp } from "./app.js";
import { followLog, type LogLine } from "./log.js";
import {
  findMarked,
  type FoundProcess,
  killMarked,
  MARK,
  untilGone,
} from "./processes.js";

const DEFAULT_DEADLINE_MS = 30_000;
const GONE_WITHIN_MS = 1_000;

/** How the command ended. */
interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What {@link startCli} takes. */
export interface CliOptions {
  readonly app: TestApp;
  /** Arguments before `--json`, e.g. `["src/server.ts", "--port", "0"]`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A script to run instead of the command: a program that uses the library, with the same log. */
  readonly script?: string;
}

/** A running command. */
export interface Cli {
  readonly pid: number;
  /** Every line of the log so far; text that isn't JSON is `{ text }`. */
  readonly lines: readonly LogLine[];
  /** All of stderr so far. */
  readonly stderr: () => string;
  /**
   * The first line that fits, from those there are or those to come.
   *
   * @param what - for the error, e.g. `"the roll of generation 2"`
   * @param options.from - index of the first line that counts, default 0: take
   *   `lines.length` before an action to see only what it caused
   * @param options.deadlineMs - default 30,000
   */
  waitFor(
    what: string,
    fits: (line: LogLine) => boolean,
    options?: { from?: number; deadlineMs?: number },
  ): Promise<LogLine>;
  /** Sends a signal to the master alone. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the master has exited. */
  readonly exited: Promise<Exit>;
  /** SIGTERM, then the exit. The same promise each time. */
  stop(): Promise<Exit>;
  /** The processes it left, right now; the master counts while it lives. */
  alive(): FoundProcess[];
  /** Resolves when it and all its processes are gone, rejects after the deadline. */
  untilGone(withinMs: number): Promise<void>;
  /**
   * For teardowns: stops it, and throws if a process or a temporary file is
   * left; ends what is left in any case.
   */
  close(): Promise<void>;
}

/** Starts the command in the app's directory; returns at once. */
export function startCli(options: CliOptions): Cli {
  const mark = randomUUID();
  const { app } = options;
  const separator = options.args.indexOf("--");
  const end = separator === -1 ? options.args.length : separator;
  const child = spawn(
    process.execPath,
    [
      options.script ?? path.join(repository, "bin/prefork-dev.js"),
      ...options.args.slice(0, end),
      "--json",
      ...options.args.slice(end),
    ],
    {
      cwd: app.directory,
      env: {
        ...withoutTestRunner(process.env),
        TMPDIR: app.temporary,
        ...options.env,
        [MARK]: mark,
      },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, as a shell gives: ^C of the tests is not for it.
      detached: true,
    },
  );
  if (child.pid === undefined) throw new Error("The command can't be spawned.");

  const log = followLog(child);
  const exited = once(child, "close").then((): Exit => {
    return { code: child.exitCode, signal: child.signalCode };
  });
  const signal = (name: NodeJS.Signals): void => {
    child.kill(name);
  };
  let stopping: Promise<Exit> | undefined;
  const stop = (): Promise<Exit> => {
    if (stopping === undefined) {
      signal("SIGTERM");
      stopping = within(DEFAULT_DEADLINE_MS, exited, () => {
        return `the command to exit after SIGTERM; it said:\n${log.shown()}`;
      });
    }
    return stopping;
  };

  return {
    pid: child.pid,
    lines: log.lines,
    stderr: log.stderr,
    waitFor: (what, fits, { from = 0, deadlineMs } = {}) =>
      within(
        deadlineMs ?? DEFAULT_DEADLINE_MS,
        log.find(fits, from),
        () => `${what}; the log so far:\n${log.shown()}`,
      ),
    signal,
    exited,
    stop,
    alive: () => findMarked(mark),
    untilGone: (withinMs) => untilGone(mark, withinMs),
    async close() {
      try {
        await stop();
        // esbuild's own process, for one, ends when it sees that we have.
        await untilGone(mark, GONE_WITHIN_MS);
      } finally {
        killMarked(mark);
      }
      const left = app.leftovers();
      if (left.length > 0) {
        throw new Error(
          `The command left temporary files behind: ${left.join(", ")}.\n` +
            `Its log:\n${log.shown()}`,
        );
      }
    },
  };
}

/** vitest's own variables would change how the app, or we, behave. */
function withoutTestRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) =>
      !/^(?:VITEST|NODE_ENV$|NODE_OPTIONS$|NODE_V8_COVERAGE$|FORCE_COLOR$|PORT$)/.test(
        name,
      ),
  );
  return Object.fromEntries(kept);
}

/** `promise`, or an error that says what was waited for. */
async function within<Value>(
  deadlineMs: number,
  promise: Promise<Value>,
  what: () => string,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Waited ${deadlineMs} ms for ${what()}`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
