/** The directory of the private endpoints: for one run of one master, and for its user alone. */
import fs from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import process from "node:process";
import { isAlive } from "../is-alive.js";

const NAME = /^prefork-dev-(\d+)-[^-]+$/;

/** Removes directories whose master is gone, and whose processes were killed before they could do it. */
async function sweep(base: string): Promise<void> {
  for (const name of await fs.readdir(base)) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // Another user's can't be removed, and is none of ours.
    await fs
      .rm(join(base, name), { recursive: true, force: true })
      .catch(() => undefined);
  }
}

/**
 * Makes the directory, mode 0700. Its path is short: a Unix socket's may have
 * 108 bytes on Linux, 104 on macOS.
 */
export async function makeRunDirectory(): Promise<string> {
  const base = os.tmpdir();
  await sweep(base);
  return await fs.mkdtemp(join(base, `prefork-dev-${process.pid}-`));
}
