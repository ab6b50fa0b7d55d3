/** Runs the built command to its end in an app's directory, as another terminal would. */
import { spawn } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";
import { repository } from "./app.js";
import type { TestApp } from "./app.js";

/** How a command ended, and what it printed. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `prefork-dev` with these arguments. */
export async function runCommand(
  app: TestApp,
  ...args: string[]
): Promise<Ran> {
  const child = spawn(
    process.execPath,
    [path.join(repository, "bin/prefork-dev.js"), ...args],
    {
      cwd: app.directory,
      env: { ...process.env, TMPDIR: app.temporary, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const closed = new Promise((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
  ]);
  await closed;
  return { code: child.exitCode, stdout, stderr };
}
