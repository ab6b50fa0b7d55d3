import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  isRunning,
  processStartedAt,
  timesFromPs,
} from "../../../src/mechanisms/process-start.js";

/** It rounds the time of boot, and then the sum. */
const PS_GRANULARITY_MS = 2_000;
const PROC_GRANULARITY_MS = 50;

/** A child that runs until the test is over, and between which two moments it was started. */
async function startChild(): Promise<{
  pid: number;
  notBefore: number;
  notAfter: number;
}> {
  const notBefore = Date.now();
  const child = spawn("cat", { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(async () => {
    child.stdin.end();
    await once(child, "close");
  });
  child.stdin.write("here\n");
  await once(child.stdout, "data");
  if (child.pid === undefined) throw new Error("cat has no pid");
  return { pid: child.pid, notBefore, notAfter: Date.now() };
}

test("a process started between just before and just after its start", async () => {
  const { pid, notBefore, notAfter } = await startChild();
  expect(isRunning(pid)).toBe(true);
  const granularity =
    process.platform === "linux" ? PROC_GRANULARITY_MS : PS_GRANULARITY_MS;
  const startedAt = processStartedAt(pid);
  expect(startedAt).toBeGreaterThanOrEqual(notBefore - granularity);
  expect(startedAt).toBeLessThanOrEqual(notAfter + granularity);
});

test("ps, which there is on every Unix, says the same to the second", async () => {
  vi.stubEnv("TZ", "America/St_Johns");
  vi.stubEnv("LC_ALL", "de_DE.UTF-8");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { pid, notBefore, notAfter } = await startChild();
  const times = timesFromPs(pid);
  expect(times?.isZombie).toBe(false);
  expect(times?.startedAt).toBeGreaterThanOrEqual(
    notBefore - PS_GRANULARITY_MS,
  );
  expect(times?.startedAt).toBeLessThanOrEqual(notAfter + PS_GRANULARITY_MS);
});

test("a process that has ended doesn't run, and has no start", () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  expect(isRunning(pid)).toBe(false);
  expect(processStartedAt(pid)).toBeUndefined();
  expect(timesFromPs(pid)).toBeUndefined();
});

test("a zombie, whose parent never asks for its status, doesn't run", async () => {
  // After exec it is cat's child, and cat knows nothing of it.
  const program = "(read end <&3) & echo $!; exec cat 3<&-";
  const parent = spawn("sh", ["-c", program], {
    stdio: ["pipe", "pipe", "ignore", "pipe"],
  });
  const [stdin, stdout, , end] = parent.stdio;
  if (!stdin || !stdout || !(end instanceof Writable)) {
    throw new Error("no pipes");
  }
  onTestFinished(async () => {
    stdin.end();
    await once(parent, "close");
  });
  const line: unknown[] = await once(
    createInterface({ input: stdout }),
    "line",
  );
  const pid = Number(line[0]);
  // A line that cat gives back: sh, which would ask for the status, is gone.
  const isCat = once(stdout, "data");
  stdin.write("here\n");
  await isCat;
  expect(isRunning(pid)).toBe(true);
  end.end();
  // The end of a process that isn't our child is no event.
  await vi.waitFor(() => expect(timesFromPs(pid)?.isZombie).toBe(true), 4_000);
  expect(() => process.kill(pid, 0)).not.toThrow();
  expect(isRunning(pid)).toBe(false);
});
