/** Where a project's control socket is: known to whoever knows the project, and short. It looks at directories, and makes none. */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import process from "node:process";

/** `sun_path` of unix(7) has 108 bytes on Linux, 104 elsewhere; the last one is NUL. */
export const LONGEST_PATH_BYTES: number =
  process.platform === "linux" ? 107 : 103;

/**
 * The longest name below the directory, in bytes: `socket-place.ts` binds
 * `/.<10 hex>/<pid>-<6 hex>.s`, which is longer than the socket's own name.
 */
const LONGEST_NAME_BYTES = 29;
const HASH_LENGTH = 10;

/** What the place depends on, besides the project. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory of temporary files. */
  readonly temporary: string;
  /** The user's number; `undefined` where the system has none. */
  readonly uid: number | undefined;
}

/** Those of this process. */
export function ownSurroundings(): Surroundings {
  return {
    env: process.env,
    temporary: os.tmpdir(),
    uid: process.getuid?.(),
  };
}

function isShort(directory: string): boolean {
  const bytes = Buffer.byteLength(directory) + LONGEST_NAME_BYTES;
  return bytes <= LONGEST_PATH_BYTES;
}

/** A directory of this user: `sudo` may leave the variable of another one. */
function isOwn(directory: string, uid: number | undefined): boolean {
  const stats = statSync(directory, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && stats.uid === (uid ?? stats.uid);
}

function runtimeDirectory({ env, uid }: Surroundings): string | undefined {
  const base = env["XDG_RUNTIME_DIR"];
  if (base?.startsWith("/") !== true || !isOwn(base, uid)) return undefined;
  const directory = join(base, "prefork-dev");
  return isShort(directory) ? directory : undefined;
}

function temporaryDirectory({ temporary, uid }: Surroundings): string {
  const name = `prefork-dev-${uid ?? "user"}`;
  const directory = join(temporary, name);
  return isShort(directory) ? directory : join("/tmp", name);
}

/** The directory that sockets are made in: `$XDG_RUNTIME_DIR/prefork-dev`, else `<tmp>/prefork-dev-<uid>`. */
export function controlDirectory(
  place: Surroundings = ownSurroundings(),
): string {
  return runtimeDirectory(place) ?? temporaryDirectory(place);
}

/**
 * The directories that a client looks into, each once: cron and ssh have other variables than the terminal that the
 * server was started in.
 */
export function searchedDirectories(
  place: Surroundings = ownSurroundings(),
): readonly string[] {
  const { env, uid } = place;
  const usual =
    uid === undefined
      ? []
      : [
          runtimeDirectory({
            ...place,
            env: { ...env, XDG_RUNTIME_DIR: `/run/user/${uid}` },
          }),
          temporaryDirectory({ ...place, temporary: "/tmp" }),
        ];
  const all = [runtimeDirectory(place), temporaryDirectory(place), ...usual];
  return [...new Set(all.filter((directory) => directory !== undefined))];
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH);
}

/** The socket's file name: `<hash of the root>-<hash of the target>.sock`. */
export function socketName(root: string, target: string): string {
  return `${hash(root)}-${hash(target)}.sock`;
}

/** Is this the name of a socket of a project with that root? */
export function isSocketOf(root: string, name: string): boolean {
  return name.startsWith(`${hash(root)}-`) && name.endsWith(".sock");
}

/**
 * Where a project's control socket is.
 *
 * @param root - the project's root, absolute and real
 * @param target - its manifest (with `#<name>` behind it where that has several projects), or its entry if it has none,
 *   absolute and real
 */
export function controlSocketPath(
  root: string,
  target: string,
  place: Surroundings = ownSurroundings(),
): string {
  return join(controlDirectory(place), socketName(root, target));
}
