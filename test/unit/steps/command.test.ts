/** Commands of steps, with real processes: how they end, what is kept of their output, that nothing is left. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runCommand } from "../../../src/steps/command.js";
import type { CommandEnd } from "../../../src/steps/command.js";
import { kill, temporaryFolder } from "../child-program.js";

interface Run {
  readonly folder: string;
  readonly ended: Promise<CommandEnd>;
  readonly abort: () => void;
  readonly kill: () => void;
  /** The process group, once there is one. */
  readonly group: Promise<number>;
  /** Fulfils when nobody has to watch the group any more. */
  readonly released: Promise<unknown>;
}

function run(
  command: string | readonly string[],
  options: { timeoutMs?: number; folder?: string } = {},
): Run {
  const { timeoutMs = 30_000, folder = temporaryFolder() } = options;
  const [abort, end] = [new AbortController(), new AbortController()];
  let onGroup: (pid: number, released: Promise<unknown>) => void = () =>
    undefined;
  const began = new Promise<{ pid: number; released: Promise<unknown> }>(
    (resolve) => {
      onGroup = (pid, released) => {
        onTestFinished(() => kill(-pid));
        resolve({ pid, released });
      };
    },
  );
  const ended = runCommand(command, {
    cwd: folder,
    env: process.env,
    timeoutMs,
    signal: abort.signal,
    kill: end.signal,
    onGroup: (pid, released) => onGroup(pid, released),
  });
  return {
    folder,
    ended,
    abort: () => abort.abort(),
    kill: () => {
      end.abort();
      abort.abort();
    },
    group: began.then(({ pid }) => pid),
    released: began.then(({ released }) => released),
  };
}

/** The processes of a group, without those that are dead and that nobody has asked after. */
function membersOf(group: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,pgid=,stat="], {
    encoding: "utf8",
  });
  return stdout.split("\n").flatMap((line) => {
    const [pid, pgid, state = ""] = line.trim().split(/\s+/);
    const isMember = Number(pgid) === group && !state.startsWith("Z");
    return isMember ? [Number(pid)] : [];
  });
}

async function untilGone(group: number): Promise<void> {
  await expect.poll(() => membersOf(group), { timeout: 5_000 }).toEqual([]);
}

/** Waits until a file has a text: its writer says that it's so far. */
async function textOf(file: string): Promise<string> {
  await expect
    .poll(() => fs.existsSync(file) && fs.readFileSync(file, "utf8"), {
      timeout: 10_000,
    })
    .toMatch(/./);
  return fs.readFileSync(file, "utf8");
}

test("a text runs in a shell, a list without one, both where they're told to", async () => {
  const shell = run("echo $((1 + 1)) > a; pwd");
  expect(await shell.ended).toEqual({
    kind: "exited",
    code: 0,
    signal: null,
    output: fs.realpathSync(shell.folder),
  });
  expect(fs.readFileSync(path.join(shell.folder, "a"), "utf8")).toBe("2\n");
  const list = run([
    process.execPath,
    "-e",
    "console.log(process.argv.slice(1))",
    "$HOME * 'a'",
    "",
  ]);
  expect(await list.ended).toMatchObject({
    code: 0,
    output: `[ "$HOME * 'a'", '' ]`,
  });
});

test("both outputs are kept in the order in which they were written", async () => {
  const { ended } = run("echo 1; echo 2 >&2; echo 3; echo 4 >&2; exit 3");
  expect(await ended).toEqual({
    kind: "exited",
    code: 3,
    signal: null,
    output: "1\n2\n3\n4",
  });
});

test("of much output the end is kept, without colours", async () => {
  const code = `
    for (let i = 0; i < 100_000; i++) console.log("line " + i);
    console.log("\\u001b[31mred\\u001b[39m");
  `;
  const end = await run([process.execPath, "-e", code]).ended;
  const output = "output" in end ? end.output : "";
  const lines = output.split("\n");
  expect(lines).toHaveLength(20);
  expect(lines.slice(-2)).toEqual(["line 99999", "red"]);
});

test("a program that isn't there, a signal, a working directory that is gone", async () => {
  const missing = await run(["no-such-program-at-all"]).ended;
  expect(missing).toMatchObject({ kind: "exited", code: 127 });
  expect(JSON.stringify(missing)).toContain("no-such-program-at-all");
  expect(await run("kill -KILL $$").ended).toMatchObject({
    kind: "exited",
    signal: "SIGKILL",
  });
  const gone = path.join(temporaryFolder(), "gone");
  expect(await run("true", { folder: gone }).ended).toMatchObject({
    kind: "not started",
  });
});

test("standard input is empty", async () => {
  expect(await run("cat; echo end").ended).toMatchObject({ output: "end" });
});

test("when it's aborted, its whole group gets SIGTERM, and time to end", async () => {
  const code = `
    process.on("SIGTERM", () => { require("fs").writeFileSync("ended", "x"); process.exit(0); });
    setInterval(() => undefined, 1_000);
    require("fs").writeFileSync("ready", String(process.pid));
  `;
  // The shell ends at once; what it has started doesn't.
  const ran = run(
    `"${process.execPath}" -e '${code.replaceAll("\n", " ")}'; true`,
  );
  await textOf(path.join(ran.folder, "ready"));
  expect(membersOf(await ran.group)).not.toEqual([]);
  ran.abort();
  expect(await ran.ended).toEqual({ kind: "aborted" });
  expect(fs.existsSync(path.join(ran.folder, "ended"))).toBe(true);
  expect(membersOf(await ran.group)).toEqual([]);
  await ran.released;
});

test("who doesn't end by SIGTERM is killed: after a while, or at once", async () => {
  for (const end of ["abort", "kill"] as const) {
    const ran = run(
      `trap "" TERM; echo ready > ready; while :; do sleep 1; done`,
    );
    await textOf(path.join(ran.folder, "ready"));
    const group = await ran.group;
    ran[end]();
    expect(await ran.ended).toEqual({ kind: "aborted" });
    await untilGone(group);
  }
});

test("out of time", async () => {
  const ran = run("echo begun; sleep 60", { timeoutMs: 300 });
  const group = await ran.group;
  expect(await ran.ended).toEqual({ kind: "late", output: "begun" });
  await untilGone(group);
});

test("what it leaves running in its group is ended, and doesn't hold it up", async () => {
  const ran = run("sleep 60 & echo done");
  const group = await ran.group;
  expect(await ran.ended).toMatchObject({ code: 0, output: "done" });
  await untilGone(group);
});

test("aborted before it began, it doesn't", async () => {
  const abort = new AbortController();
  abort.abort();
  const folder = temporaryFolder();
  const end = await runCommand("touch a", {
    cwd: folder,
    env: process.env,
    timeoutMs: 0,
    signal: abort.signal,
    kill: abort.signal,
    onGroup: () => {
      throw new Error("there is a process");
    },
  });
  expect(end).toEqual({ kind: "aborted" });
  expect(fs.readdirSync(folder)).toEqual([]);
});
