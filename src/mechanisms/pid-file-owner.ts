/**
 * Whom a pid file that is there belongs to. The file holds only a pid, and pids are used again: what else is known is when
 * the file was written, when the process with that pid started, and (Linux) whether that process has the file open.
 */
import fs from "node:fs";
import process from "node:process";
import { PreforkError, systemErrorCode } from "../errors.js";
import { isRunning, processStartedAt } from "./process-start.js";

/** A start so soon after the file was written, in milliseconds, proves nothing: `ps` rounds to seconds, FAT to two. */
const CLOCK_GRANULARITY_MS = 2_000;

/** The longest pid has 10 digits. */
const LONGEST_FILE = 32;

const LARGEST_PID = 2 ** 31 - 1;

/** A pid file as it was at one moment. */
export interface Owner {
  readonly pid: number;
  readonly device: bigint;
  readonly inode: bigint;
  readonly writtenAtNs: bigint;
  /** Whether the process that wrote it still runs; in doubt it does. */
  isLive(): boolean;
}

/** Whether nobody wrote another file, or the same one anew. */
export function isSame(a: Owner | undefined, b: Owner): boolean {
  return (
    a !== undefined &&
    a.pid === b.pid &&
    a.device === b.device &&
    a.inode === b.inode &&
    a.writtenAtNs === b.writtenAtNs
  );
}

/**
 * Reads a pid file.
 *
 * @returns `undefined` if there is none
 * @throws PreforkError `ERR_PREFORK_PID_FILE` if something else has that name
 */
export function readOwner(path: string): Owner | undefined {
  let descriptor: number;
  try {
    const found = kindOf(fs.lstatSync(path));
    if (found !== "file") throw notAPidFile(path, `is a ${found}`);
    descriptor = fs.openSync(path, "r");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { dev, ino, mtimeNs, size } = fs.fstatSync(descriptor, {
      bigint: true,
    });
    const pid = parsePid(readStart(descriptor));
    if (pid === undefined) {
      throw notAPidFile(
        path,
        size === 0n ? "is empty" : "holds something else than a pid",
      );
    }
    const file = { device: dev, inode: ino, writtenAtNs: mtimeNs };
    return { pid, ...file, isLive: () => isLive({ pid, ...file }) };
  } finally {
    fs.closeSync(descriptor);
  }
}

function isLive(owner: Omit<Owner, "isLive">): boolean {
  const { pid, writtenAtNs } = owner;
  if (!isRunning(pid)) return false;
  // Whoever has it open wrote it. No clock is asked: one that was set forward since (a restored virtual machine) makes every process
  // seem younger than its files.
  if (hasOpen(owner)) return true;
  // Ours, but this process didn't write it: it's that of a process of another life of this container.
  if (pid === process.pid && process.platform === "linux") return false;
  const startedAt = processStartedAt(pid);
  const writtenAt = Number(writtenAtNs / 1_000_000n);
  return (
    startedAt === undefined || startedAt <= writtenAt + CLOCK_GRANULARITY_MS
  );
}

/** Whether the process has this very file open, by whatever name. False where that can't be seen. */
function hasOpen({ pid, device, inode }: Omit<Owner, "isLive">): boolean {
  const directory = `/proc/${pid}/fd`;
  try {
    return fs.readdirSync(directory).some((descriptor) => {
      const file = fs.statSync(`${directory}/${descriptor}`, {
        bigint: true,
        throwIfNoEntry: false, // closed since
      });
      return file?.ino === inode && file.dev === device;
    });
  } catch {
    return false;
  }
}

function readStart(descriptor: number): string {
  const buffer = Buffer.alloc(LONGEST_FILE);
  const length = fs.readSync(descriptor, buffer);
  return buffer.toString("latin1", 0, length);
}

/** A number too large must not reach kill(2), which would take it for another one. */
function parsePid(text: string): number | undefined {
  const digits = /^\s*([1-9]\d{0,9})\s*$/.exec(text)?.[1];
  const pid = Number(digits);
  return digits !== undefined && pid <= LARGEST_PID ? pid : undefined;
}

function kindOf(stats: fs.Stats): string {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symbolic link";
  return "device, pipe or socket";
}

function notAPidFile(path: string, what: string): PreforkError {
  return new PreforkError(
    "ERR_PREFORK_PID_FILE",
    `${path} ${what}, so it isn't a pid file, and it is left as it is. Remove it if it's of no use, or choose another path.`,
  );
}
