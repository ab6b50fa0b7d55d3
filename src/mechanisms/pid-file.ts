/**
 * The pid file: exactly the name that was asked for, one pid, one server.
 *
 * It is made under another name and then linked, so that a reader sees all of it or nothing, and of two servers that start
 * at once one gets the name: link(2) fails where a name exists. What can happen in between:
 *
 * | A | B | then |
 * |---|---|---|
 * | links | links | the kernel lets one, the other reads the winner's pid |
 * | finds it stale | finds it stale | whoever gets `<path>.lock`, a pid file like any other, replaces the file; the other fails |
 * | finds it stale | has replaced it since | A, once it has the lock, sees that it isn't the file that it found stale, and looks again |
 * | reads B's pid | removes the file, ends | A takes B for dead and takes the lock, finds another file or none, and looks again |
 * | finds it stale | is killed with the lock | the lock is stale: A takes over the lock first, in the same way |
 * | is about to replace it, with the lock | links | can't be: there is a file, and nobody but A may remove it, since its owner is dead |
 *
 * So a file that is there is only ever replaced with the lock, and only the very file that was found stale. That a *person* deletes it
 * between A's last look and its rename can't be excluded.
 */
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { messageOf, PreforkError, systemErrorCode } from "../errors.js";
import { isSame, readOwner, type Owner } from "./pid-file-owner.js";

/** Each attempt more means that somebody else changed the file in between. */
const MOST_ATTEMPTS = 20;

/** A stale lock takes a server that was killed within a few microseconds; a stale lock of a lock, two. */
const DEEPEST_LOCK = 3;

/** A pid file that holds this process's pid. */
export interface PidFile {
  /** Absolute. */
  readonly path: string;
  /** Removes it if it still holds this process's pid. Once is enough, more does no harm. Rejects with `ERR_PREFORK_PID_FILE`. */
  remove(): Promise<void>;
  /** As {@link PidFile.remove}, for `process.on("exit")`, where nothing can be waited for and nobody told: it never throws. */
  removeSync(): void;
}

/**
 * Writes this process's pid and a line break to a file, and makes sure that no other running process owns it. A file whose
 * process has ended is replaced, also if its pid is another program's by now. A file that isn't a pid file is left as it is.
 *
 * @param path - the file; its directory must exist
 * @returns what removes it again; nothing does so by itself
 * @throws PreforkError `ERR_PREFORK_PID_FILE`: it belongs to a running process, isn't a pid file, or can't be written
 */
export function writePidFile(path: string): Promise<PidFile> {
  // In one go, so that nothing else of this process comes in between: a few small files, once per start.
  return new Promise((done) => {
    done(new WrittenPidFile(resolve(path)));
  });
}

class WrittenPidFile implements PidFile {
  readonly path: string;
  readonly #descriptor: number;
  #isRemoved = false;

  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = write(path);
    } catch (error) {
      throw asPidFileError(error, path);
    }
  }

  remove(): Promise<void> {
    return new Promise((done) => {
      try {
        this.#remove();
      } catch (error) {
        throw new PreforkError(
          "ERR_PREFORK_PID_FILE",
          `The pid file ${this.path} can't be removed: ${messageOf(error)}. Remove it by hand, or leave it: the next start replaces it.`,
          { cause: error },
        );
      }
      done();
    });
  }

  removeSync(): void {
    try {
      this.#remove();
    } catch {
      // It is stale in a moment, and the next start replaces it.
    }
  }

  #remove(): void {
    if (this.#isRemoved) return;
    if (isOurs(this.path)) fs.rmSync(this.path, { force: true });
    this.#isRemoved = true;
    fs.closeSync(this.#descriptor);
  }
}

/** @returns the descriptor, left open: it shows others that the process whose pid they read is the one that wrote it */
function write(path: string): number {
  // A name without the path's own, which may be as long as names can be.
  const name = `.prefork-${process.pid}-${randomUUID()}.tmp`;
  const draft = join(dirname(path), name);
  const descriptor = fs.openSync(draft, "wx", 0o644);
  try {
    fs.writeSync(descriptor, `${process.pid}\n`);
    // Else the file can be empty after a loss of power.
    fs.fsyncSync(descriptor);
    claim(path, draft, 0);
    return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** Makes `path` another name of the draft, or throws. */
function claim(path: string, draft: string, depth: number): void {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    if (linkIfFree(draft, path)) return;
    const owner = readOwner(path);
    if (owner === undefined) continue; // gone since
    if (owner.isLive()) throw belongsTo(owner, path, depth);
    if (replace(path, draft, owner, depth)) return;
  }
  throw new PreforkError(
    "ERR_PREFORK_PID_FILE",
    `The pid file ${path} was changed ${MOST_ATTEMPTS} times while it was being written. Something else uses this name: choose another path.`,
  );
}

/** Replaces a file that was found stale, unless it is another one by now. */
function replace(
  path: string,
  draft: string,
  stale: Owner,
  depth: number,
): boolean {
  const lock = `${path}.lock`;
  if (depth === DEEPEST_LOCK) {
    throw new PreforkError(
      "ERR_PREFORK_PID_FILE",
      `${path} was left behind by servers that were killed while they started. Remove all files beside it whose names begin with ${basename(path, ".lock")}, and start again.`,
    );
  }
  claim(lock, draft, depth + 1);
  // A name to be renamed: the draft's own is needed for as long as locks are.
  const spare = `${draft}-${depth}`;
  try {
    if (!isSame(readOwner(path), stale)) return false;
    fs.linkSync(draft, spare);
    // Not unlink and link: a reader always finds a file.
    fs.renameSync(spare, path);
    return true;
  } finally {
    fs.rmSync(spare, { force: true });
    fs.rmSync(lock, { force: true });
  }
}

function linkIfFree(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** Whether it still holds our pid; whatever somebody else wrote there is theirs. */
function isOurs(path: string): boolean {
  try {
    return readOwner(path)?.pid === process.pid;
  } catch (error) {
    if (error instanceof PreforkError) return false;
    throw error;
  }
}

function belongsTo(owner: Owner, path: string, depth: number): PreforkError {
  const { pid } = owner;
  const message =
    depth > 0
      ? `Another server, pid ${pid}, starts at this moment with the same pid file (it holds ${path}). Stop it first, or choose another path.`
      : pid === process.pid
        ? `The pid file ${path} was written by this process already (pid ${pid}). Give each server its own path.`
        : `The pid file ${path} belongs to a running process, pid ${pid}. Stop that server first (kill ${pid}), or choose another path.`;
  return new PreforkError("ERR_PREFORK_PID_FILE", message);
}

function asPidFileError(error: unknown, path: string): PreforkError {
  if (error instanceof PreforkError) return error;
  return new PreforkError(
    "ERR_PREFORK_PID_FILE",
    `The pid file ${path} can't be written: ${reason(error, dirname(path))}`,
    { cause: error },
  );
}

function reason(error: unknown, directory: string): string {
  switch (systemErrorCode(error) ?? "") {
    case "ENOENT":
      return `the directory ${directory} doesn't exist. Make it first, or choose another path.`;
    case "ENOTDIR":
      return `${directory} is not a directory. Choose another path.`;
    case "EACCES":
    case "EPERM":
      return `no permission in ${directory} (or its file system has no hard links). Make it writable, or choose another path.`;
    case "EROFS":
      return `the file system of ${directory} is read-only. Choose another path.`;
    default:
      return `${messageOf(error)}. Choose another path.`;
  }
}
