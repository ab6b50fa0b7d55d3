/**
 * The sources as they were last read: content, record, what their imports mean. Kept between builds, also failed ones.
 *
 * It finds sources and knows their edges; identities and outputs are not its business (`builder.ts`), nor are
 * reading and compiling one (`source-reader.ts`) and messages about imports that don't resolve (`unresolved.ts`).
 */
import { statSync } from "node:fs";
import type { Configuration } from "./configuration.js";
import { hashOf } from "./hashes.js";
import { loaderByName, loaderOfImported } from "./kinds.js";
import { isConfigFile } from "./packages.js";
import type { Resolution } from "./resolve.js";
import { Slices } from "./slices.js";
import { ChangedMeanwhile, withoutFile } from "./source-file.js";
import type { Reference, RuntimeEdge, SourceFile } from "./source-file.js";
import type { SourceReader } from "./source-reader.js";
import { isFatal } from "./unresolved.js";

/** Against code that makes up specifiers from its input. */
const MAX_RUNTIME_EDGES = 10_000;

/** See this file's header. */
export class SourceTree {
  readonly files: Map<string, SourceFile> = new Map();
  /** By importer, in the order asked. */
  readonly runtimeEdges: Map<string, RuntimeEdge[]> = new Map();
  /** Declared dependencies, by source. */
  needs: ReadonlyMap<string, readonly string[]> = new Map();
  readonly #configuration: Configuration;
  readonly #reader: SourceReader;
  readonly #dirty = new Set<string>();
  /** Counts the times that specifiers may have got another meaning. */
  #epoch = 0;

  constructor(configuration: Configuration, reader: SourceReader) {
    this.#configuration = configuration;
    this.#reader = reader;
  }

  /** Everything is to be looked at again. */
  invalidateAll(): void {
    this.#configuration.clear();
    this.#epoch++;
    for (const path of this.files.keys()) this.#dirty.add(path);
  }

  /**
   * Takes note of changed paths.
   *
   * @returns whether everything is to be looked at again
   */
  async invalidate(paths: Iterable<string>): Promise<boolean> {
    const consulted = this.#configuration.files();
    const changed = [...paths];
    const gone = await withoutFile(
      changed.filter((path) => this.files.has(path)),
    );
    for (const path of gone) {
      this.files.delete(path);
      this.#dirty.delete(path);
    }
    let all = false;
    let resolveAgain = gone.length > 0;
    for (const path of changed) {
      if (consulted.has(path) || isConfigFile(path)) all = true;
      if (this.files.has(path)) this.#dirty.add(path);
      else if (canBeImported(path)) resolveAgain = true;
    }
    if (all) this.invalidateAll();
    else if (resolveAgain) this.resolveAgain();
    return all;
  }

  /** Files appeared or disappeared: specifiers may have another meaning. */
  resolveAgain(): void {
    this.#configuration.resolver.clear();
    this.#epoch++;
  }

  /** Remembers that a process asked `importer` for more; `importer` is a source. */
  addRuntimeEdge(importer: string, edge: RuntimeEdge): boolean {
    const edges = this.runtimeEdges.get(importer) ?? [];
    if (edges.length >= MAX_RUNTIME_EDGES) return false;
    const isKnown = edges.some(
      ({ from, specifier, kind }) =>
        from === edge.from &&
        specifier === edge.specifier &&
        kind === edge.kind,
    );
    if (isKnown) return false;
    edges.push(edge);
    this.runtimeEdges.set(importer, edges);
    const file = this.files.get(importer);
    if (file !== undefined) this.#connect(file);
    return true;
  }

  /**
   * Reads, compiles and resolves what isn't up to date among `roots` and all that they depend on.
   *
   * @param reached - what was reached before; is added to
   * @returns the roots that don't exist
   */
  async crawl(
    roots: readonly Reference[],
    reached: Map<string, SourceFile>,
  ): Promise<string[]> {
    const missing: string[] = [];
    const slices = new Slices();
    let wave = roots;
    while (wave.length > 0) {
      const files: SourceFile[] = [];
      const loads: Promise<void>[] = [];
      const met = new Set<string>();
      for (const { path, isImported } of wave) {
        if (reached.has(path) || met.has(path)) continue;
        met.add(path);
        const isCode = isImported || loaderByName(path) !== undefined;
        const known = this.#upToDate(path, isCode);
        if (known !== undefined) {
          files.push(known);
          continue;
        }
        await slices.pause();
        const load = this.#load(path, isCode).then((file) => {
          if (file !== undefined) files.push(file);
          else if (wave === roots) missing.push(path);
          else throw new ChangedMeanwhile(path);
        });
        loads.push(load);
      }
      await Promise.all(loads);
      for (const file of files) reached.set(file.path, file);
      wave = files.flatMap((file) => file.references);
    }
    return missing;
  }

  /** Forgets sources that no build needs any more. */
  retain(reached: ReadonlyMap<string, SourceFile>): void {
    for (const path of this.files.keys()) {
      if (reached.has(path)) continue;
      this.files.delete(path);
      this.#dirty.delete(path);
    }
    for (const path of this.runtimeEdges.keys()) {
      if (!reached.has(path)) this.runtimeEdges.delete(path);
    }
  }

  /** Where files that appear would be what a source asks for in vain. */
  missingDirectories(file: SourceFile): string[] {
    return [...file.resolutions, ...this.#asked(file)].flatMap((resolution) =>
      resolution.kind === "missing" ? resolution.directories : [],
    );
  }

  #upToDate(path: string, isCode: boolean): SourceFile | undefined {
    const file = this.files.get(path);
    if (file === undefined || this.#dirty.has(path)) return undefined;
    if (file.isCode !== isCode) return undefined;
    if (file.resolvedAt !== this.#epoch) this.#connect(file);
    return file;
  }

  async #load(path: string, isCode: boolean): Promise<SourceFile | undefined> {
    const file = await this.#reader.read(path, isCode, this.files.get(path));
    // Not before: if the disk is full, it is still to be read.
    this.#dirty.delete(path);
    if (file === undefined) {
      this.files.delete(path);
      return undefined;
    }
    this.#connect(file);
    this.files.set(path, file);
    return file;
  }

  /** Resolves a source's imports and makes its node of the graph. */
  #connect(file: SourceFile): void {
    const { resolver } = this.#configuration;
    const imports = file.summary?.imports ?? [];
    file.resolutions = imports.map(({ specifier, kind }) =>
      resolver.resolve(file.path, specifier, kind),
    );
    file.resolvedAt = this.#epoch;
    // Source dependencies count by their identities, but also by which specifier means which of them.
    const meanings = file.resolutions.map((resolution, index) => {
      const path = "path" in resolution ? resolution.path : "";
      return `${imports[index]?.specifier ?? ""}\0${resolution.kind}\0${path}`;
    });
    const part = [file.key, String(file.touches), ...meanings].join("\n");
    file.unresolved = imports.flatMap((request, index) => {
      const resolution = file.resolutions[index];
      return resolution && isFatal(request, resolution) ? [index] : [];
    });
    file.references = this.#references(file);
    const dependencies = file.references.map(({ path }) => path);
    file.node = { path: file.path, part: hashOf(part), dependencies };
  }

  /** What a source depends on, in load order. */
  #references(file: SourceFile): Reference[] {
    return [
      ...sourcesOf(file.resolutions),
      ...(this.needs.get(file.path) ?? []).map(listed),
      ...sourcesOf(this.#asked(file)),
    ];
  }

  /** What processes asked for on a source's behalf. */
  #asked({ path }: SourceFile): Resolution[] {
    const { resolver } = this.#configuration;
    return (this.runtimeEdges.get(path) ?? []).map((edge) =>
      resolver.resolve(edge.from, edge.specifier, edge.kind),
    );
  }
}

/** A listed source as a place to crawl from: code if its name says so. */
export function listed(path: string): Reference {
  return { path, isImported: false };
}

function sourcesOf(resolutions: readonly Resolution[]): Reference[] {
  return resolutions.flatMap((resolution) =>
    resolution.kind === "source"
      ? [{ path: resolution.path, isImported: true }]
      : [],
  );
}

/** Whether a path that was no source could be what a specifier means now. */
function canBeImported(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  return stats.isDirectory() || loaderOfImported(path) !== undefined;
}
