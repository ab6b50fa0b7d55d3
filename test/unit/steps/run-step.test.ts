/** What a step's command is told, and steps that are functions. */
import path from "node:path";
import { expect, test } from "vitest";
import type { StepContext } from "../../../src/manifest/types.js";
import {
  runStep,
  shownTask,
  stepEnvironment,
} from "../../../src/steps/run-step.js";
import type { StepEnd, StepRunOptions } from "../../../src/steps/run-step.js";
import { temporaryFolder } from "../child-program.js";

type Fn = (context: StepContext) => void | Promise<void>;

interface Called {
  readonly ended: Promise<StepEnd>;
  readonly abort: AbortController;
}

function call(
  fn: Fn,
  options: Partial<StepRunOptions> = {},
  timeoutMs = 30_000,
): Called {
  const [abort, kill] = [new AbortController(), new AbortController()];
  const ended = runStep(
    { task: { kind: "function", fn }, sources: ["/r/a", "/r/b"], timeoutMs },
    {
      root: "/r",
      changed: ["/r/b"],
      signal: abort.signal,
      kill: kill.signal,
      onGroup: () => undefined,
      ...options,
    },
  );
  return { ended, abort };
}

test("PATH begins with the packages' programs, from the root upwards", () => {
  const env = stepEnvironment({ PATH: "/bin", A: "b" }, "/x/y", undefined);
  expect(env["PATH"]?.split(path.delimiter)).toEqual([
    ...["/x/y", "/x", ""].map((each) => `${each}/node_modules/.bin`),
    "/bin",
  ]);
  expect(env["A"]).toBe("b");
  expect(stepEnvironment({ Path: "/bin" }, "/x", [])).toMatchObject({
    Path: "/x/node_modules/.bin:/node_modules/.bin:/bin",
  });
});

test("PREFORK_CHANGED has what changed, and isn't there if that isn't known or too much", () => {
  const changedOf = (changed: readonly string[] | undefined): unknown =>
    stepEnvironment({ PREFORK_CHANGED: "ours" }, "/x/y", changed)[
      "PREFORK_CHANGED"
    ];
  expect(changedOf(["/x/y/a b.sql", "/x/c"])).toBe("a b.sql\n../c");
  expect(changedOf(undefined)).toBeUndefined();
  expect(
    changedOf(Array.from({ length: 10_000 }, (_, n) => `/x/y/${n}.json`)),
  ).toBeUndefined();
});

test("a command sees them", async () => {
  const root = temporaryFolder();
  const [abort, kill] = [new AbortController(), new AbortController()];
  const end = await runStep(
    {
      task: { kind: "command", command: 'echo "$PREFORK_CHANGED"' },
      sources: [path.join(root, "a"), path.join(root, "b")],
      timeoutMs: 0,
    },
    {
      root,
      changed: [path.join(root, "b")],
      signal: abort.signal,
      kill: kill.signal,
      onGroup: () => undefined,
    },
  );
  expect(end).toEqual({ kind: "done", output: "b" });
});

test("a function is told what there is, and may be async", async () => {
  const told: StepContext[] = [];
  const { ended } = call((context) => void told.push(context));
  expect(await ended).toEqual({ kind: "done", output: "" });
  const [context] = told;
  expect(context).toMatchObject({
    changed: ["/r/b"],
    sources: ["/r/a", "/r/b"],
    root: "/r",
  });
  expect(context?.signal.aborted).toBe(false);
  const all: unknown[] = [];
  const other = call(
    async ({ changed }) => {
      await Promise.resolve();
      all.push(...changed);
    },
    { changed: undefined },
  );
  expect((await other.ended).kind).toBe("done");
  expect(all).toEqual(["/r/a", "/r/b"]);
});

test("what a function throws, or rejects with, is its failure", async () => {
  const thrown = call(() => {
    throw new TypeError("no such type");
  });
  expect(await thrown.ended).toMatchObject({
    kind: "failed",
    problem: "threw TypeError: no such type",
  });
  const rejected = call(async () => await Promise.reject(new Error("late")));
  expect(await rejected.ended).toMatchObject({ problem: "threw Error: late" });
});

test("a function that is cancelled hears of it, and is waited for", async () => {
  let begin: () => void = () => undefined;
  const began = new Promise<void>((resolve) => (begin = resolve));
  const seen: string[] = [];
  const { ended, abort } = call(async ({ signal }) => {
    begin();
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve());
    });
    seen.push("aborted");
  });
  await began;
  abort.abort();
  expect(await ended).toEqual({ kind: "cancelled" });
  expect(seen).toEqual(["aborted"]);
});

test("one that doesn't listen is left to itself", async () => {
  const never = async (): Promise<void> => {
    await new Promise<void>(() => undefined);
  };
  const kill = new AbortController();
  const first = call(never, { kill: kill.signal });
  first.abort.abort();
  kill.abort();
  expect(await first.ended).toEqual({ kind: "cancelled" });
  // With a deadline: two seconds later.
  expect(await call(never, {}, 50).ended).toMatchObject({
    kind: "failed",
    problem: "didn't end within 50 ms and was ended (timeoutMs)",
  });
});

test("what runs is shown as it's written", () => {
  const shown = (command: string | readonly string[]): string =>
    shownTask({ task: { kind: "command", command } });
  expect(shown("npm run gen")).toBe("npm run gen");
  expect(shown(["node", "gen.mjs"])).toBe("node gen.mjs");
  const generate = (): void => undefined;
  expect(shownTask({ task: { kind: "function", fn: generate } })).toBe(
    "generate()",
  );
});
