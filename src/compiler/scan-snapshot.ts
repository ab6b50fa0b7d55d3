/**
 * What the last scan of a project found, on disk, and how much of it is still right: so that the next one reads only
 * what was changed since. A shortcut, like the index: without it, everything is scanned.
 *
 * A source's imports are what they were if the source is as it was, no configuration (`tsconfig.json`,
 * `package.json`, lock files) is another, and in no directory that an import was looked for names came or went.
 */
import { readFileSync } from "node:fs";
import { writeAtomically } from "./atomic-write.js";
import type { ScannedImport, ScannedSource } from "./scanned.js";
import { hasSameNames, isAsStamped } from "./stamps.js";
import type { DirectoryStamp } from "./stamps.js";
import type { Stamp } from "../file-stamp.js";

/** Raised when the form on disk, or what a scan finds in the same files, is another. */
const VERSION = 1;

/** What a scan leaves for the next one. */
export interface Snapshot {
  readonly configuration: readonly (readonly [path: string, Stamp])[];
  readonly directories: readonly (readonly [path: string, DirectoryStamp])[];
  readonly sources: ReadonlyMap<string, StampedSource>;
  /** What processes asked for, by who asked, … */
  readonly runtime: ReadonlyMap<string, readonly ScannedImport[]>;
  /** … as of this state of the index. */
  readonly index: Stamp;
}

/** A source, and what its file looked like when it was read. */
export interface StampedSource {
  readonly stamp: Stamp;
  readonly source: ScannedSource;
}

/** A path stands once in the file, and else as its number: there are many times more imports than sources. */
type StoredImport = readonly [
  specifier: string,
  kind: ScannedImport["kind"],
  isEager: boolean,
  path: number,
];

interface StoredSnapshot {
  readonly version: string;
  readonly configuration: Snapshot["configuration"];
  readonly directories: Snapshot["directories"];
  readonly paths: readonly string[];
  readonly sources: readonly (readonly [
    path: number,
    stamp: Stamp,
    isCode: boolean,
    imports: readonly StoredImport[],
  ])[];
  readonly runtime: readonly (readonly [
    path: number,
    imports: readonly StoredImport[],
  ])[];
  readonly index: Stamp;
}

// What Node resolves may differ between its minor versions.
const version = `${VERSION} ${process.version}`;

/** Reads a snapshot; `undefined` when there is none, or when none of it can be relied on. */
export function readSnapshot(file: string): Snapshot | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
  if (!isStored(stored)) return undefined;
  const { configuration, directories } = stored;
  const isValid =
    configuration.every(([path, stamp]) => isAsStamped(path, stamp)) &&
    directories.every(([path, stamp]) => hasSameNames(path, stamp));
  return isValid ? unpack(stored) : undefined;
}

/** Writes a snapshot. */
export function writeSnapshot(file: string, snapshot: Snapshot): void {
  const numbers = new Map<string, number>();
  const numberOf = (path: string): number => {
    const known = numbers.get(path);
    if (known !== undefined) return known;
    numbers.set(path, numbers.size);
    return numbers.size - 1;
  };
  const pack = (imports: readonly ScannedImport[]): StoredImport[] =>
    imports.map(({ specifier, kind, isEager, path }) => {
      const number = numberOf(path);
      return [specifier, kind, isEager, number];
    });
  const { configuration, directories, index } = snapshot;
  const sources = [...snapshot.sources.values()].map(({ stamp, source }) => {
    const { path, isCode, imports } = source;
    return [numberOf(path), stamp, isCode, pack(imports)] as const;
  });
  const runtime = [...snapshot.runtime].map(
    ([path, imports]) => [numberOf(path), pack(imports)] as const,
  );
  const stored: StoredSnapshot = {
    ...{ version, configuration, directories, index, sources, runtime },
    paths: [...numbers.keys()],
  };
  writeAtomically(file, JSON.stringify(stored));
}

function unpack(stored: StoredSnapshot): Snapshot {
  const { configuration, directories, paths, index } = stored;
  const pathOf = (number: number): string => paths[number] ?? "";
  const importsOf = (imports: readonly StoredImport[]): ScannedImport[] =>
    imports.map(([specifier, kind, isEager, number]) => {
      const path = pathOf(number);
      return { specifier, kind, isEager, path };
    });
  const sources = new Map<string, StampedSource>();
  for (const [number, stamp, isCode, imports] of stored.sources) {
    const path = pathOf(number);
    const source = { path, isCode, imports: importsOf(imports) };
    sources.set(path, { stamp, source });
  }
  const runtime = new Map(
    stored.runtime.map(([number, imports]) => [
      pathOf(number),
      importsOf(imports),
    ]),
  );
  return { configuration, directories, sources, runtime, index };
}

// Only this program writes the file, and by rename: the outline is enough.
function isStored(value: unknown): value is StoredSnapshot {
  if (typeof value !== "object" || value === null) return false;
  const stored = value as Partial<Record<keyof StoredSnapshot, unknown>>;
  return (
    stored.version === version &&
    typeof stored.index === "string" &&
    Array.isArray(stored.configuration) &&
    Array.isArray(stored.directories) &&
    Array.isArray(stored.paths) &&
    Array.isArray(stored.sources) &&
    Array.isArray(stored.runtime)
  );
}
