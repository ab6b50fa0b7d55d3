import { accessSync, constants, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { messageOf, PreforkError } from "../errors.js";
import { registerWith, removeIfUnused } from "./cache-lock.js";
import type { Registration } from "./cache-lock.js";
import { hashOf } from "./hashes.js";

/** Raised whenever records, outputs or identities of the same sources would come out different. */
const FORMAT_VERSION = 2;

/** Entries of V8's code cache that are kept in any case: packages have some thousand files. */
const MOST_CODE = 10_000;

/** An open cache: a folder for this version of everything that shapes its content. */
export interface CacheDirectory {
  /** Absolute path of the folder that holds every version. */
  readonly base: string;
  readonly records: string;
  readonly outputs: string;
  readonly index: string;
  readonly recentSaves: string;
  /** For V8's code cache: whoever runs the outputs writes it. */
  readonly codeCache: string;
  readonly registration: Registration;
  /** Empties the code cache when it holds many more entries than so many sources need. Only for the one who uses the cache alone. */
  limitCodeCache(sources: number): void;
  /** Removes the folders of other versions that nobody uses. */
  removeOutdated(): Promise<void>;
}

/**
 * Opens (and makes) a project's cache directory and registers with it.
 *
 * @param wanted - instead of the default places
 * @throws PreforkError ERR_PREFORK_CACHE when no place can be written
 */
export async function openCacheDirectory(
  root: string,
  wanted: string | undefined,
): Promise<CacheDirectory> {
  const bases = wanted === undefined ? defaultBases(root) : [wanted];
  const faults: unknown[] = [];
  for (const base of bases) {
    try {
      return await open(base);
    } catch (error) {
      faults.push(error);
    }
  }
  throw new PreforkError(
    "ERR_PREFORK_CACHE",
    `No cache directory can be written: ${faults.map(messageOf).join("; ")}. ` +
      `Make one of them writable: ${bases.join(", ")}.`,
    { cause: faults[0] },
  );
}

async function open(base: string): Promise<CacheDirectory> {
  const version = versionName();
  const folder = join(base, version);
  const records = join(folder, "records");
  const outputs = join(folder, "out");
  const codeCache = join(folder, "code");
  mkdirSync(records, { recursive: true });
  mkdirSync(outputs, { recursive: true });
  // `mkdir` says nothing of directories that are there, from another user's run for one.
  for (const path of [folder, records, outputs]) {
    accessSync(path, constants.W_OK);
  }
  const registration = await registerWith(folder);
  mkdirSync(records, { recursive: true });
  mkdirSync(outputs, { recursive: true });
  return {
    base,
    records,
    outputs,
    index: join(folder, "index.json"),
    recentSaves: join(folder, "recent-saves.json"),
    codeCache,
    registration,
    limitCodeCache: (sources) => {
      if (countFiles(codeCache) <= MOST_CODE + 4 * sources) return;
      rmSync(codeCache, { recursive: true, force: true });
    },
    removeOutdated: async () => {
      for (const name of readdirSync(base)) {
        // Nothing but our own folders, in case the directory given is a shared one.
        if (name !== version && /^v\d+-esbuild[\d.]+-node\d+$/.test(name)) {
          await removeIfUnused(join(base, name));
        }
      }
    },
  };
}

/** Which entries are still of use can't be told: Node names them by hashes. */
function countFiles(directory: string): number {
  try {
    const entries = readdirSync(directory, {
      recursive: true,
      withFileTypes: true,
    });
    return entries.filter((entry) => entry.isFile()).length;
  } catch {
    return 0;
  }
}

/** Where a project's cache may be, the best place first. */
export function defaultBases(root: string): string[] {
  const user = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return [
    join(root, "node_modules", ".cache", "prefork-dev"),
    join(user, "prefork-dev", hashOf(root)),
  ];
}

/** esbuild itself isn't loaded for its version: a warm start does without it. */
function versionName(): string {
  const require = createRequire(import.meta.url);
  const manifest: unknown = require("esbuild/package.json");
  const version =
    typeof manifest === "object" && manifest !== null && "version" in manifest
      ? String(manifest.version)
      : "0";
  const node = process.versions.node.split(".")[0] ?? "";
  return `v${FORMAT_VERSION}-esbuild${version}-node${node}`;
}
