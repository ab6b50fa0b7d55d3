import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { makeRunDirectory } from "../../../src/pool/run-directory.js";

test("a run directory is the user's own, and sweeps away those of dead masters", async () => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "run-"));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    fs.rmSync(base, { recursive: true });
  });
  vi.stubEnv("TMPDIR", base);
  const dead = spawnSync(process.execPath, ["--version"]).pid;
  for (const name of [
    `prefork-dev-${dead}-abc`,
    `prefork-dev-${process.pid}-abc`,
    "other",
  ]) {
    fs.mkdirSync(path.join(base, name));
    fs.writeFileSync(path.join(base, name, "1"), "");
  }
  const made = path.basename(await makeRunDirectory());
  expect(fs.readdirSync(base).sort()).toEqual(
    ["other", made, `prefork-dev-${process.pid}-abc`].sort(),
  );
  expect(fs.statSync(path.join(base, made)).mode & 0o777).toBe(0o700);
});
