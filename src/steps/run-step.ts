/** Runs one step, whatever it is: a command or a function. It doesn't know why, and looks at no file. */
import path from "node:path";
import process from "node:process";
import { messageOf } from "../errors.js";
import type { ResolvedStep, StepContext } from "../manifest/types.js";
import { within } from "../within.js";
import { abortOf } from "./abort-of.js";
import { GRACE_MS, runCommand } from "./command.js";
import type { CommandEnd, CommandOptions } from "./command.js";

/** What {@link runStep} takes. Paths are absolute. */
export interface StepRunOptions extends Pick<
  CommandOptions,
  "signal" | "kill" | "onGroup"
> {
  readonly root: string;
  /** What it's told to have changed; `undefined`: that isn't known. */
  readonly changed: readonly string[] | undefined;
}

/** How it ended; `problem` says what went wrong, without naming the step. */
export type StepEnd =
  | { readonly kind: "done"; readonly output: string }
  | {
      readonly kind: "failed";
      readonly problem: string;
      readonly output: string;
    }
  | { readonly kind: "cancelled" };

/** The variable that tells a command what has changed. */
const CHANGED = "PREFORK_CHANGED";
/** Linux takes no variable of more than 128 KiB. */
const MOST_CHANGED_BYTES = 64 * 1_024;

/** What of a step's runs, to show: the command, or the function's name. */
export function shownTask({ task }: Pick<ResolvedStep, "task">): string {
  if (task.kind === "function") return `${task.fn.name || "fn"}()`;
  return typeof task.command === "string"
    ? task.command
    : task.command.join(" ");
}

/** Runs a step. Never rejects. */
export async function runStep(
  step: Pick<ResolvedStep, "task" | "sources" | "timeoutMs">,
  options: StepRunOptions,
): Promise<StepEnd> {
  const { task, timeoutMs } = step;
  if (task.kind === "function")
    return await callFunction(task.fn, step, options);
  const { root, changed, signal, kill, onGroup } = options;
  const end = await runCommand(task.command, {
    ...{ cwd: root, timeoutMs, signal, kill, onGroup },
    env: stepEnvironment(process.env, root, changed),
  });
  return stepEnd(end, timeoutMs);
}

/**
 * The environment of a step's command.
 *
 * @param root - its working directory
 */
export function stepEnvironment(
  parent: NodeJS.ProcessEnv,
  root: string,
  changed: readonly string[] | undefined,
): NodeJS.ProcessEnv {
  const env = { ...parent };
  // On Windows it may be `Path`.
  const name =
    Object.keys(parent).find((each) => each.toUpperCase() === "PATH") ?? "PATH";
  const bins: string[] = [];
  for (let at = root; ; at = path.dirname(at)) {
    bins.push(path.join(at, "node_modules", ".bin"));
    if (at === path.dirname(at)) break;
  }
  const own = parent[name];
  env[name] = [...bins, ...(own === undefined ? [] : [own])].join(
    path.delimiter,
  );
  Reflect.deleteProperty(env, CHANGED);
  const list = changed
    ?.map((file) => path.relative(root, file).replaceAll(path.sep, "/"))
    .join("\n");
  if (list !== undefined && Buffer.byteLength(list) <= MOST_CHANGED_BYTES)
    env[CHANGED] = list;
  return env;
}

function stepEnd(end: CommandEnd, timeoutMs: number): StepEnd {
  switch (end.kind) {
    case "aborted":
      return { kind: "cancelled" };
    case "not started":
      return {
        kind: "failed",
        problem: `can't be run: ${messageOf(end.error)}`,
        output: "",
      };
    case "late":
      return { kind: "failed", problem: late(timeoutMs), output: end.output };
    case "exited": {
      const { code, signal, output } = end;
      if (code === 0) return { kind: "done", output };
      const problem =
        signal === null
          ? `failed with exit code ${code ?? "?"}`
          : `was ended by ${signal}`;
      return { kind: "failed", problem, output };
    }
  }
}

function late(timeoutMs: number): string {
  return `didn't end within ${timeoutMs} ms and was ended (timeoutMs)`;
}

async function callFunction(
  fn: (context: StepContext) => void | Promise<void>,
  { sources, timeoutMs }: Pick<ResolvedStep, "sources" | "timeoutMs">,
  { root, changed = sources, signal, kill }: StepRunOptions,
): Promise<StepEnd> {
  if (signal.aborted) return { kind: "cancelled" };
  const cancel = new AbortController();
  const over = new AbortController();
  const aborted = abortOf(signal, over.signal);
  const killed = abortOf(kill, over.signal);
  const context = { changed, sources, root, signal: cancel.signal };
  const called = Promise.resolve()
    .then(async () => await fn(context))
    .then(
      (): StepEnd => ({ kind: "done", output: "" }),
      (error: unknown): StepEnd => {
        const problem = `threw ${error instanceof Error ? String(error) : JSON.stringify(error)}`;
        return { kind: "failed", problem, output: "" };
      },
    );
  const race = Promise.race([called, aborted]);
  try {
    const first = await (timeoutMs === 0 ? race : within(timeoutMs, race));
    if (typeof first === "object") return first;
    cancel.abort();
    // It can't be ended from outside: one that doesn't listen is left to itself.
    await within(GRACE_MS, Promise.race([called, killed]));
    return first === "aborted"
      ? { kind: "cancelled" }
      : { kind: "failed", problem: late(timeoutMs), output: "" };
  } finally {
    over.abort();
  }
}
