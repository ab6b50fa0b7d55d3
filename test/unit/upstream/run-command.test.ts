import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCommand } from "../../../src/upstream/run-command.js";

const LONG_MS = 30_000;

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "pfd-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A Node program as a command. */
function node(code: string, ...args: string[]): [string, ...string[]] {
  return [process.execPath, "-e", code, ...args];
}

function run(
  command: [string, ...string[]],
  timeoutMs = LONG_MS,
  signal = new AbortController().signal,
): ReturnType<typeof runCommand> {
  return runCommand(command, { timeoutMs, signal });
}

/** The process ids that a program wrote, one a line. */
function pidsIn(file: string): number[] {
  return readFileSync(file, "utf8").trim().split("\n").map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie that nobody has waited for yet isn't alive.
  return !/^\d+ \(.*\) Z/.test(statOf(pid));
}

function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}

/** Says its own process id and that of a child that outlives it, then waits. */
const WITH_CHILD = `
const fs = require("node:fs");
const child = require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" });
fs.writeFileSync(process.argv[1] + ".tmp", process.pid + "\\n" + child.pid + "\\n");
fs.renameSync(process.argv[1] + ".tmp", process.argv[1]);
`;

describe("a command", () => {
  it("is not read by a shell", async () => {
    const { stdout } = await run(
      node("console.log(process.argv[1])", 'a b; $HOME `id` * "c'),
    );
    expect(stdout).toBe('a b; $HOME `id` * "c\n');
  });

  it("has no standard input to wait for", async () => {
    const { stdout } = await run(
      node("process.stdin.on('end', () => console.log('end')).resume()"),
    );
    expect(stdout).toBe("end\n");
  });

  it("that fails tells its exit code and what it wrote to stderr", async () => {
    const failed = run(
      node("console.log('out'); console.error('[emerg] no'); process.exit(3)"),
    );
    await expect(failed).rejects.toMatchObject({
      code: "ERR_PREFORK_UPSTREAM",
      message: expect.stringMatching(
        /failed with exit code 3: \[emerg\] no$/,
      ) as unknown,
    });
  });

  it("that was killed tells the signal", async () => {
    await expect(
      run(
        node("process.kill(process.pid, 'SIGTERM'); setInterval(() => 0, 9)"),
      ),
    ).rejects.toThrow("was ended by SIGTERM");
  });

  it("that doesn't exist says so", async () => {
    await expect(run([path.join(directory, "none")])).rejects.toThrow(
      "there is no such program",
    );
  });

  it("that prints without end is read, and its end kept", async () => {
    const { stdout } = await run(
      node("process.stdout.write('x'.repeat(6_000_000) + 'end')"),
    );
    expect(stdout).toHaveLength(4 * 1_048_576);
    expect(stdout.endsWith("end")).toBe(true);
  });

  it("is over when it has exited, whatever it left running", async () => {
    const file = path.join(directory, "pids");
    await run(node(`${WITH_CHILD} child.unref();`, file));
    const [, left = 0] = pidsIn(file);
    expect(isAlive(left)).toBe(true);
    process.kill(left, "SIGKILL");
  });

  it("is killed at the deadline", async () => {
    await expect(run(node("setInterval(() => 0, 1000)"), 300)).rejects.toThrow(
      "did not end within 300 ms and was killed",
    );
  });

  it("is killed when it is given up, with all that it started", async () => {
    const file = path.join(directory, "pids");
    const given = new AbortController();
    const running = run(node(WITH_CHILD, file), LONG_MS, given.signal);
    const failed = expect(running).rejects.toThrow("newer");
    await vi.waitFor(() => pidsIn(file), 10_000);
    given.abort(new Error("newer"));
    await failed;
    await vi.waitFor(() => expect(pidsIn(file).filter(isAlive)).toEqual([]));
    await expect(run(node("0"), LONG_MS, given.signal)).rejects.toThrow(
      "newer",
    );
  });
});
