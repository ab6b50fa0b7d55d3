/**
 * Reads sources for what they import, and compiles them for it, but links and writes no output: nothing is going to run.
 * The records that are made on the way are those that a build uses.
 */
import { dirname, sep } from "node:path";
import type { Diagnostic } from "../diagnostic.js";
import type { CacheDirectory } from "./cache-directory.js";
import { Configuration } from "./configuration.js";
import { connect } from "./connect.js";
import { limitDiagnostics } from "./diagnostics.js";
import { useEsbuild } from "./esbuild.js";
import { readIndex } from "./index-file.js";
import type { IndexEntry } from "./index-file.js";
import { problemsOf } from "./problems.js";
import { realPath } from "./project-sources.js";
import { RecordStore } from "./record-store.js";
import type { Resolution } from "./resolve.js";
import type { ScannedImport, ScannedSource } from "./scanned.js";
import type { SourceFile } from "./source-file.js";
import { SourceReader } from "./source-reader.js";

/** A source, and when what was read had been written. */
interface Scanned {
  readonly source: ScannedSource;
  readonly mtimeMs: number;
}

/** See this file's header. */
export class SourceScanner {
  /** Where a file that appears may change what an import means. */
  readonly directories: Set<string> = new Set();
  readonly #root: string;
  readonly #configuration: Configuration;
  readonly #records: RecordStore;
  readonly #reader: SourceReader;
  readonly #index: readonly IndexEntry[];
  readonly #faulty: SourceFile[] = [];
  readonly #release: () => Promise<void>;

  /** @param root - real path */
  constructor(root: string, cache: CacheDirectory) {
    this.#root = root;
    this.#configuration = new Configuration(root, realPath(cache.base));
    this.#records = new RecordStore(cache.records);
    this.#reader = new SourceReader(this.#configuration, this.#records);
    this.#index = readIndex(cache.index);
    for (const { key, summary } of this.#index) {
      this.#records.learn(key, summary);
    }
    this.#release = useEsbuild();
  }

  /** Reads a source; `undefined` when there is no such file. */
  async scan(path: string, isCode: boolean): Promise<Scanned | undefined> {
    const file = await this.#reader.read(path, isCode, undefined);
    if (file === undefined) return undefined;
    connect(file, this.#configuration.resolver, { needs: [], runtime: [] });
    if (file.problems.length + file.unresolved.length > 0) {
      this.#faulty.push(file);
    }
    this.#look(dirname(path));
    for (const resolution of file.resolutions) this.#lookFor(resolution);
    const source = { path, isCode, imports: importsOf(file) };
    return { source, mtimeMs: file.mtimeMs };
  }

  /** What processes of earlier runs asked for, by who asked. */
  runtimeImports(): Map<string, ScannedImport[]> {
    const imports = new Map<string, ScannedImport[]>();
    for (const { path: importer, runtimeEdges } of this.#index) {
      const found = runtimeEdges.flatMap(({ from, specifier, kind }) => {
        const { resolver } = this.#configuration;
        const resolution = resolver.resolve(from, specifier, kind);
        this.#lookFor(resolution);
        if (resolution.kind !== "source") return [];
        const { path } = resolution;
        return [{ specifier, kind: "runtime" as const, isEager: false, path }];
      });
      if (found.length > 0) imports.set(importer, found);
    }
    return imports;
  }

  /** What is wrong with the sources scanned, and the configuration that they are compiled with. */
  async problems(): Promise<Diagnostic[]> {
    const problems = await problemsOf(
      this.#root,
      this.#faulty,
      this.#configuration,
      this.#reader,
      this.#records,
    );
    return limitDiagnostics(problems);
  }

  /** The files of configuration that were consulted; some may not exist. */
  configurationFiles(): Set<string> {
    return this.#configuration.files();
  }

  /** Ends what it started. */
  async close(): Promise<void> {
    await this.#release();
  }

  #lookFor(resolution: Resolution): void {
    if (resolution.kind !== "missing") return;
    for (const directory of resolution.directories) this.#look(directory);
  }

  /** Up to the root: a tsconfig.json or package.json may appear between. */
  #look(directory: string): void {
    for (let at = directory; !this.directories.has(at); at = dirname(at)) {
      this.directories.add(at);
      if (!at.startsWith(this.#root + sep)) break;
    }
  }
}

/** Eager ones first, in the order in which they are evaluated. */
function importsOf({ summary, resolutions }: SourceFile): ScannedImport[] {
  if (summary === undefined) return [];
  const eager = new Set(summary.before);
  const all = summary.imports.map((_, index) => index);
  const ordered = [...eager, ...all.filter((index) => !eager.has(index))];
  return ordered.flatMap((index): ScannedImport[] => {
    const request = summary.imports[index];
    const resolution = resolutions[index];
    if (request === undefined || resolution?.kind !== "source") return [];
    const { specifier, kind, isStatic } = request;
    const other = kind === "require" ? "require" : "dynamic";
    return [
      {
        specifier,
        kind: isStatic ? "import" : other,
        isEager: isStatic || eager.has(index),
        path: resolution.path,
      },
    ];
  });
}
