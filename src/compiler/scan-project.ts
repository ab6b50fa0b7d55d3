/**
 * What a project's sources import, without building it: for those who ask about a project and don't run it. What is as it
 * was in the last scan isn't read again (`scan-snapshot.ts`); the compiler's machinery is loaded only if something is.
 */
import { dirname, join } from "node:path";
import type { Diagnostic } from "../diagnostic.js";
import { openCacheDirectory } from "./cache-directory.js";
import type { CacheDirectory } from "./cache-directory.js";
import { hashOf } from "./hashes.js";
import { loaderByName } from "./kinds.js";
import { readSnapshot, writeSnapshot } from "./scan-snapshot.js";
import type { Snapshot, StampedSource } from "./scan-snapshot.js";
import type {
  ScannedImport,
  ScannedProject,
  ScannedSource,
} from "./scanned.js";
import type { SourceScanner } from "./source-scanner.js";
import { directoryStampOf, isAsStamped, settledStampOf } from "./stamps.js";
import { ABSENT, stampOf } from "../file-stamp.js";

/** What {@link scanProject} takes. All paths are absolute and real. */
export interface ScanOptions {
  readonly root: string;
  readonly entry: string;
  /** Further sources to begin at, imported or not. */
  readonly listed: readonly string[];
  /** As in `CompilerOptions`. */
  readonly cacheDirectory?: string | undefined;
}

/**
 * Scans a project: its entry, what is listed, and all that these import.
 *
 * @throws PreforkError ERR_PREFORK_CACHE when no cache directory can be written
 */
export async function scanProject(
  options: ScanOptions,
): Promise<ScannedProject> {
  const cache = await openCacheDirectory(options.root, options.cacheDirectory);
  const scan = new Scan(options, cache);
  try {
    return await scan.run();
  } finally {
    await scan.close();
    cache.registration.release();
  }
}

/** One scan. */
class Scan {
  readonly #options: ScanOptions;
  readonly #cache: CacheDirectory;
  readonly #file: string;
  readonly #known: Snapshot | undefined;
  readonly #startedAt = Date.now();
  /** As scanned now, without what processes asked for. */
  readonly #sources = new Map<string, StampedSource>();
  #runtime: ReadonlyMap<string, readonly ScannedImport[]> = new Map();
  #scanner: Promise<SourceScanner> | undefined;

  constructor(options: ScanOptions, cache: CacheDirectory) {
    this.#options = options;
    this.#cache = cache;
    // Several programs of one package share the cache, and know other sources.
    const name = `scan-${hashOf(options.entry)}.json`;
    this.#file = join(dirname(cache.index), name);
    this.#known = readSnapshot(this.#file);
  }

  async run(): Promise<ScannedProject> {
    const { entry, listed } = this.#options;
    const index = stampOf(this.#cache.index);
    this.#runtime = await this.#runtimeImports(index);
    // The entry first: what it imports is code, also where a name listed says nothing.
    await this.#crawl([{ path: entry, isCode: true }]);
    await this.#crawl(listed.map((path) => ({ path, isCode: isCode(path) })));
    const problems = await this.#finish(index);
    const sources = new Map<string, ScannedSource>();
    for (const { source } of this.#sources.values()) {
      const imports = this.#importsOf(source);
      sources.set(source.path, { ...source, imports });
    }
    return { sources, problems };
  }

  async close(): Promise<void> {
    await (await this.#scanner)?.close();
  }

  async #runtimeImports(index: string): Promise<Snapshot["runtime"]> {
    if (index === ABSENT) return new Map();
    if (this.#known?.index === index) return this.#known.runtime;
    return (await this.#useScanner()).runtimeImports();
  }

  async #crawl(
    roots: readonly Pick<ScannedSource, "path" | "isCode">[],
  ): Promise<void> {
    let wave = roots;
    while (wave.length > 0) {
      const found: ScannedSource[] = [];
      const loads: Promise<void>[] = [];
      const met = new Set<string>();
      for (const { path, isCode } of wave) {
        if (this.#sources.has(path) || met.has(path)) continue;
        met.add(path);
        const known = this.#stillKnown(path, isCode);
        if (known !== undefined) {
          this.#sources.set(path, known);
          found.push(known.source);
          continue;
        }
        loads.push(this.#scan(path, isCode, found));
      }
      await Promise.all(loads);
      wave = found.flatMap((source) =>
        this.#importsOf(source).map(({ path }) => ({ path, isCode: true })),
      );
    }
  }

  #stillKnown(path: string, isCode: boolean): StampedSource | undefined {
    const known = this.#known?.sources.get(path);
    return known?.source.isCode === isCode && isAsStamped(path, known.stamp)
      ? known
      : undefined;
  }

  async #scan(
    path: string,
    isCode: boolean,
    found: ScannedSource[],
  ): Promise<void> {
    const scanner = await this.#useScanner();
    const scanned = await scanner.scan(path, isCode);
    // Gone since it was listed or resolved: the next scan will tell.
    if (scanned === undefined) return;
    const { source, mtimeMs } = scanned;
    found.push(source);
    this.#sources.set(path, { source, stamp: settledStampOf(path, mtimeMs) });
  }

  #importsOf({ path, imports }: ScannedSource): readonly ScannedImport[] {
    const asked = this.#runtime.get(path) ?? [];
    if (asked.length === 0) return imports;
    const shown = new Set(imports.map((each) => each.path));
    return [...imports, ...asked.filter((each) => !shown.has(each.path))];
  }

  /** Writes the snapshot, and tells what is wrong. */
  async #finish(index: string): Promise<Diagnostic[]> {
    // Nothing was read: all is as it was.
    if (this.#scanner === undefined) return [];
    const scanner = await this.#scanner;
    const problems = await scanner.problems();
    // What is wrong is looked at again, and told again.
    if (problems.length > 0) return problems;
    const startedAt = this.#startedAt;
    const directories = new Map(this.#known?.directories);
    for (const path of scanner.directories) {
      directories.set(path, directoryStampOf(path, startedAt));
    }
    const configuration = new Map(this.#known?.configuration);
    for (const path of scanner.configurationFiles()) {
      configuration.set(path, settledStampOf(path, undefined, startedAt));
    }
    try {
      writeSnapshot(this.#file, {
        configuration: [...configuration],
        directories: [...directories],
        sources: this.#sources,
        runtime: this.#runtime,
        index,
      });
    } catch {
      // Only a shortcut.
    }
    return problems;
  }

  /** Loaded when it is first needed: the resolver alone takes longer than a look at a thousand files. */
  #useScanner(): Promise<SourceScanner> {
    this.#scanner ??= import("./source-scanner.js").then(
      ({ SourceScanner }) => new SourceScanner(this.#options.root, this.#cache),
    );
    return this.#scanner;
  }
}

/** Whether a listed source is code: its name says so. */
function isCode(path: string): boolean {
  return loaderByName(path) !== undefined;
}
