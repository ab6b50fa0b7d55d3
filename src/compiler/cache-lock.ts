/**
 * Who uses a cache folder: one file in `live/` for each compiler that runs, and a lock for the one that prunes.
 *
 * A compiler first registers, then looks for the lock and waits for its end. A pruner first takes the lock, then
 * looks who else is registered, and gives up if there is anyone. Whatever the interleaving, one of the two sees the other.
 */
import { mkdirSync, readdirSync, rmSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../errors.js";
import { isAlive } from "../is-alive.js";

const LOCK_WAIT_MS = 5_000;
let registrations = 0;

/** A registered user of a cache folder. */
export interface Registration {
  /** Runs `work` if nobody else uses the folder, else does nothing. */
  alone(work: () => Promise<void>): Promise<boolean>;
  /** Ends the registration. */
  release(): void;
}

/** Registers with a cache folder that exists, and waits (at most 5 s) for the end of a prune under way. */
export async function registerWith(folder: string): Promise<Registration> {
  const live = join(folder, "live");
  // Two compilers of one process are two users.
  const name = `${process.pid}-${registrations++}`;
  mkdirSync(live, { recursive: true });
  writeFileSync(join(live, name), "");
  await lockGone(folder);
  // A prune of outdated folders may have taken this one away whole.
  mkdirSync(live, { recursive: true });
  writeFileSync(join(live, name), "");
  return {
    alone: async (work) => await withLock(folder, name, work),
    release: () => {
      rmSync(join(live, name), { force: true });
    },
  };
}

/** Removes a folder that nobody uses: the cache of another version of the tool. */
export async function removeIfUnused(folder: string): Promise<void> {
  await withLock(folder, "", () => {
    rmSync(folder, { recursive: true, force: true });
    return Promise.resolve();
  });
}

async function withLock(
  folder: string,
  self: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const lock = lockOf(folder);
  if (isLocked(folder) || !take(lock)) return false;
  try {
    if (hasOthers(folder, self)) return false;
    await work();
    return true;
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function take(lock: string): boolean {
  try {
    // `mkdir` is the one call that makes or fails in one step on every file system.
    mkdirSync(lock);
    writeFileSync(join(lock, String(process.pid)), "");
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

function hasOthers(folder: string, self: string): boolean {
  let others = false;
  for (const name of list(join(folder, "live"))) {
    if (name === self) continue;
    if (isPidAlive(Number.parseInt(name, 10))) others = true;
    else rmSync(join(folder, "live", name), { force: true });
  }
  return others;
}

/** Whether a live process holds the lock; removes one whose owner is dead. */
function isLocked(folder: string): boolean {
  const lock = lockOf(folder);
  const names = listIfThere(lock);
  if (names === undefined) return false;
  // Empty: made this very moment by a process that hasn't written its name yet.
  const [owner] = names;
  if (owner === undefined || isPidAlive(Number(owner))) return true;
  rmSync(lock, { recursive: true, force: true });
  return false;
}

async function lockGone(folder: string): Promise<void> {
  if (!isLocked(folder)) return;
  await new Promise<void>((resolve) => {
    const watcher = watch(folder);
    const finish = (): void => {
      clearTimeout(deadline);
      watcher.close();
      resolve();
    };
    const check = (): void => {
      if (!isLocked(folder)) finish();
    };
    // A pruner takes milliseconds; one that takes longer hangs, and then nothing is deleted either.
    const deadline = setTimeout(finish, LOCK_WAIT_MS);
    watcher.on("change", check).on("error", finish);
    // It may have gone before the watcher was there.
    check();
  });
}

function lockOf(folder: string): string {
  return join(folder, "prune.lock");
}

/** What isn't a pid names nobody. */
function isPidAlive(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && isAlive(pid);
}

function list(directory: string): string[] {
  return listIfThere(directory) ?? [];
}

function listIfThere(directory: string): string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}
