/**
 * The place of a control socket: at most one living process has it, and a dead one's is taken over.
 *
 * A socket's file outlives its process, and no call says "delete it if it's still that one". So the place is a *lock
 * directory* `.<hash>` beside the socket, and who holds it is decided by one atomic step: `rename(2)` of a directory
 * replaces another one only if that is empty (POSIX). In it stands the holder's *guard*, a socket that it listens
 * on, whose name is never used again. The system closes it when the process dies, however it dies: no pid can be reused.
 *
 * - To take: make a draft directory with a listening guard in it, and rename it to the lock. If the lock isn't empty, look at each
 *   guard: one that answers is a living holder, and the end; one that doesn't is deleted, and the rename tried again.
 * - The socket itself is bound in the draft, listening and with its mode before anyone can see it, and renamed
 *   to its path, over whatever a dead holder left there. Only the lock's holder touches that path.
 * - To release: the path first, then the guard, then the lock if it's empty; the sockets are closed last.
 *
 * What can interleave, A and B being processes, X a dead holder:
 *
 * 1. A and B find no lock: both rename, one does so first; the other finds its guard there, which answers.
 * 2. A and B find X's guard: both may delete it, the second finds it gone. Then as in 1. Neither can delete the other's guard
 *    by mistake: the names differ, and a living one answers.
 * 3. B has seen X's guard as dead and is slow; A takes over. B deletes X's name, which is gone, and its rename meets A's guard.
 * 4. A releases while B looks: B sees the guard (A had it at that moment, so "in use" was true), or an empty lock, or none.
 * 5. A removes the lock as empty just after B has renamed onto it: `rmdir` fails, it isn't empty.
 * 6. A was killed after it had the lock and before its socket had its path: the guard is dead, as in 2.
 * 7. A removes the parent directory as empty when B has just made it: B's draft can't be made, and B makes the parent again.
 */
import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import net from "node:net";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { PreforkError, messageOf, systemErrorCode } from "../errors.js";
import { controlDirectory, LONGEST_PATH_BYTES } from "./control-path.js";
import { makeOwnDirectory } from "./own-directory.js";
import { keepTouched } from "./keep-touched.js";
import { probe } from "./probe.js";
import type { ControlRemains } from "./types.js";

/** Each further attempt means that another process came or went in between. */
const ATTEMPTS = 50;
const OWNER_ONLY = 0o600;

/** A place that is held. */
export interface SocketPlace {
  readonly remains: ControlRemains;
  /** Gives it back: nothing of it is left in the file system. Doesn't close the server. */
  release(): Promise<void>;
}

/**
 * Takes the place, and makes the server listen there with mode 0600.
 *
 * @param path - of the socket
 * @param server - doesn't listen yet
 * @throws PreforkError `ERR_PREFORK_CONTROL_IN_USE`, `ERR_PREFORK_CONTROL`
 */
export async function takePlace(
  path: string,
  server: net.Server,
): Promise<SocketPlace> {
  const taking = new Taking(path, server);
  try {
    return await taking.take();
  } catch (error) {
    await taking.undo();
    if (error instanceof PreforkError) throw error;
    throw new PreforkError(
      "ERR_PREFORK_CONTROL",
      `The control socket ${path} can't be opened: ${messageOf(error)}. Make its directory writable, or choose another path.`,
      { cause: error },
    );
  }
}

function inUse(path: string, pid: string | undefined): PreforkError {
  const who = pid === undefined ? "another program" : `a server, pid ${pid},`;
  const remedy =
    pid === undefined
      ? "Choose another path"
      : 'Use it ("prefork-dev status"), stop it first ("prefork-dev stop"), or choose another path';
  return new PreforkError(
    "ERR_PREFORK_CONTROL_IN_USE",
    `On the control socket ${path} ${who} listens already. ${remedy}.`,
  );
}

class Taking {
  readonly #path: string;
  readonly #server: net.Server;
  /** Never used again: the pid, and which of its places. */
  readonly #mark: string = `${process.pid}-${randomBytes(3).toString("hex")}`;
  readonly #lock: string;
  /** Is the directory the one that is made for sockets, and goes with the last one? */
  readonly #isOwnDirectory: boolean;
  readonly #guard: net.Server = net.createServer((socket) => socket.destroy());
  #draft: string | undefined;
  #isHeld = false;

  constructor(path: string, server: net.Server) {
    this.#path = path;
    this.#server = server;
    const name = createHash("sha256").update(basename(path)).digest("hex");
    this.#lock = join(dirname(path), `.${name.slice(0, 10)}`);
    this.#isOwnDirectory = dirname(path) === controlDirectory();
  }

  async take(): Promise<SocketPlace> {
    this.#checkLength();
    this.#draft = await this.#makeDraft();
    // A guard that can't accept for want of descriptors is alive all the same.
    this.#guard.on("error", () => undefined);
    await listen(this.#guard, join(this.#draft, this.#mark));
    await listen(this.#server, join(this.#draft, this.#socketName));
    await fs.chmod(join(this.#draft, this.#socketName), OWNER_ONLY);
    await this.#renameDraft();
    await this.#checkPath();
    await fs.rename(join(this.#lock, this.#socketName), this.#path);
    const { dev, ino } = await fs.lstat(this.#path, { bigint: true });
    const touching = keepTouched([
      this.#path,
      this.#lock,
      join(this.#lock, this.#mark),
    ]);
    const directories = this.#isOwnDirectory
      ? [this.#lock, dirname(this.#path)]
      : [this.#lock];
    return {
      remains: {
        files: [this.#path, join(this.#lock, this.#mark)],
        directories,
      },
      release: async () => {
        clearInterval(touching);
        await this.#removePath(dev, ino);
        await this.#removeLock();
      },
    };
  }

  /** After a failure: as if it had never been tried. */
  async undo(): Promise<void> {
    if (this.#isHeld) await this.#removeLock();
    else if (this.#draft !== undefined)
      await fs.rm(this.#draft, { recursive: true, force: true });
    await this.#removeDirectory();
    this.#guard.close();
    if (this.#server.listening) this.#server.close();
  }

  get #socketName(): string {
    return `${this.#mark}.s`;
  }

  #checkLength(): void {
    const longest = [this.#path, join(this.#lock, this.#socketName)];
    const bytes = Math.max(...longest.map((text) => Buffer.byteLength(text)));
    if (bytes <= LONGEST_PATH_BYTES) return;
    throw new PreforkError(
      "ERR_PREFORK_CONTROL",
      `The path of the control socket, ${this.#path}, is too long by ${bytes - LONGEST_PATH_BYTES} bytes: ` +
        "the system's limit is small. Choose a shorter one, as in /tmp.",
    );
  }

  async #makeDraft(): Promise<string> {
    const directory = dirname(this.#path);
    for (let attempt = 1; ; attempt++) {
      if (this.#isOwnDirectory) await makeOwnDirectory(directory);
      const draft = join(directory, `.${randomBytes(3).toString("hex")}`);
      try {
        await fs.mkdir(draft, { mode: 0o700 });
        return draft;
      } catch (error) {
        const code = systemErrorCode(error);
        const isPassing =
          code === "EEXIST" || (code === "ENOENT" && this.#isOwnDirectory);
        if (!isPassing || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #renameDraft(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await fs.rename(this.#draft ?? "", this.#lock);
        this.#isHeld = true;
        return;
      } catch (error) {
        const code = systemErrorCode(error);
        const isTaken = code === "ENOTEMPTY" || code === "EEXIST";
        if (!isTaken || attempt === ATTEMPTS) throw error;
        await this.#clearLock();
      }
    }
  }

  /** Deletes what dead holders left in the lock. */
  async #clearLock(): Promise<void> {
    const names = await fs.readdir(this.#lock).catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return [];
      throw error;
    });
    for (const name of names) {
      const guard = join(this.#lock, name);
      const presence = await probe(guard);
      if (presence === "live")
        throw inUse(this.#path, /^\d+/.exec(name)?.[0] ?? "unknown");
      if (presence === "dead") await fs.rm(guard, { force: true });
    }
  }

  /** Something at the path that isn't a dead socket belongs to somebody who doesn't know the lock. */
  async #checkPath(): Promise<void> {
    const stats = await fs.lstat(this.#path).catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (stats === undefined) return;
    if (!stats.isSocket())
      throw new PreforkError(
        "ERR_PREFORK_CONTROL",
        `The control socket can't be made at ${this.#path}: what is there is no socket. Remove it, or choose another path.`,
      );
    if ((await probe(this.#path)) === "live")
      throw inUse(this.#path, undefined);
  }

  async #removePath(dev: bigint, ino: bigint): Promise<void> {
    const now = await fs
      .lstat(this.#path, { bigint: true })
      .catch(() => undefined);
    // Somebody may have removed it by hand, and put something else there.
    if (now?.ino === ino && now.dev === dev)
      await fs.rm(this.#path, { force: true });
  }

  async #removeLock(): Promise<void> {
    for (const name of [this.#mark, this.#socketName])
      await fs.rm(join(this.#lock, name), { force: true });
    // Not empty: the next one has it already.
    await fs.rmdir(this.#lock).catch(() => undefined);
    await this.#removeDirectory();
    this.#guard.close();
  }

  async #removeDirectory(): Promise<void> {
    if (!this.#isOwnDirectory) return;
    // Not empty: other sockets are in it.
    await fs.rmdir(dirname(this.#path)).catch(() => undefined);
  }
}

async function listen(server: net.Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // In a worker of node:cluster the primary would listen.
    server.listen({ path, exclusive: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
