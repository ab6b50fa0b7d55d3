/**
 * The sources as they were last read: content, record, what their imports mean. Kept between builds, also failed ones.
 *
 * It finds sources and knows their edges; identities and outputs are not its business (`builder.ts`), nor are
 * reading and compiling one (`source-reader.ts`) and messages about imports that don't resolve (`unresolved.ts`).
 */
import { statSync } from "node:fs";
import type { Configuration } from "./configuration.js";
import { askedFor, connect, haveSameEdges } from "./connect.js";
import { loaderByName, loaderOfImported } from "./kinds.js";
import { isConfigFile } from "./packages.js";
import { Slices } from "./slices.js";
import { ChangedMeanwhile, withoutFile } from "./source-file.js";
import type { Reference, RuntimeEdge, SourceFile } from "./source-file.js";
import type { SourceReader } from "./source-reader.js";
import { UnreadSources } from "./unread.js";

/** Against code that makes up specifiers from its input. */
const MAX_RUNTIME_EDGES = 10_000;

/** Renewals in this process: all its compilers write to one cache, and Node loads a file of it once. */
let renewals = 0;

/** See this file's header. */
export class SourceTree {
  readonly files: Map<string, SourceFile> = new Map();
  /** Listed, but not among `files`. */
  readonly unread: UnreadSources = new UnreadSources();
  /** By importer, in the order asked. */
  readonly runtimeEdges: Map<string, RuntimeEdge[]> = new Map();
  /** Declared dependencies, by source. */
  needs: ReadonlyMap<string, readonly string[]> = new Map();
  /** Another one whenever sources, or where their imports were looked for in vain, may be others. */
  edgesVersion = 0;
  readonly #configuration: Configuration;
  readonly #reader: SourceReader;
  readonly #dirty = new Set<string>();
  /** What was read again since the last good build, as long as all edges are as they were then; else `undefined`. */
  #changed: Set<string> | undefined;
  /** Counts the times that specifiers may have got another meaning. */
  #epoch = 0;

  constructor(configuration: Configuration, reader: SourceReader) {
    this.#configuration = configuration;
    this.#reader = reader;
  }

  /** Everything is to be looked at again, but for those that stay as they were read. */
  invalidateAll(kept?: ReadonlySet<string>): void {
    this.#configuration.clear();
    this.#epoch++;
    this.#unsettle();
    for (const path of this.files.keys()) {
      if (kept?.has(path) !== true) this.#dirty.add(path);
    }
    this.unread.doubtAll(kept);
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
      else if (this.unread.doubt(path)) this.#unsettle();
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
    this.#unsettle();
  }

  /** Counts sources as touched more often than any was renewed before. */
  renew(paths: Iterable<string>): void {
    for (const path of paths) {
      const file = this.files.get(path);
      if (file === undefined) continue;
      renewals = Math.max(renewals, file.touches) + 1;
      const renewed = { ...file, touches: renewals };
      this.#connect(renewed);
      this.files.set(path, renewed);
      this.#changed?.add(path);
    }
  }

  /** Takes the time of files for granted: that they were written again is no touch. A change of their content is still one. */
  retime(paths: Iterable<string>): void {
    for (const path of paths) {
      const file = this.files.get(path);
      this.unread.retime(path);
      const mtimeMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      if (file === undefined || mtimeMs === undefined) continue;
      this.files.set(path, { ...file, mtimeMs });
    }
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
    this.#unsettle();
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

  /**
   * Those of the listed sources that are to be crawled although nothing has `reached` them: code, which processes may load by its name,
   * and what was read before or has changed.
   */
  async survey(
    listedPaths: readonly string[],
    reached: ReadonlyMap<string, SourceFile>,
  ): Promise<string[]> {
    const isRead = (path: string): boolean =>
      reached.has(path) ||
      this.files.has(path) ||
      loaderByName(path) !== undefined;
    const toRead = await this.unread.survey(listedPaths, isRead);
    return [...listedPaths.filter(isRead), ...toRead];
  }

  /**
   * Reads what isn't up to date: the usual save, which leaves all edges as they were, needs no more.
   *
   * @returns what may differ from the last good build; `undefined` when edges may, so that all must be crawled
   */
  async refresh(): Promise<readonly SourceFile[] | undefined> {
    if (this.#changed === undefined) return undefined;
    const slices = new Slices();
    const loads: Promise<unknown>[] = [];
    for (const path of this.#dirty) {
      const file = this.files.get(path);
      if (file === undefined) continue;
      await slices.pause();
      loads.push(this.#load(path, file.isCode));
    }
    await Promise.all(loads);
    return this.#changedFiles();
  }

  /** Says that the last good build is of what is here now. */
  settle(): void {
    this.#changed = new Set();
  }

  /** Forgets sources that no build needs any more. */
  retain(reached: ReadonlyMap<string, SourceFile>): void {
    this.edgesVersion++;
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
    const { resolver } = this.#configuration;
    const asked = askedFor(resolver, this.runtimeEdges.get(file.path) ?? []);
    const all = [...file.resolutions, ...asked.map((one) => one.resolution)];
    return all.flatMap((resolution) =>
      resolution.kind === "missing" ? resolution.directories : [],
    );
  }

  #unsettle(): void {
    this.#changed = undefined;
    this.edgesVersion++;
  }

  #changedFiles(): SourceFile[] | undefined {
    if (this.#changed === undefined) return undefined;
    return [...this.#changed].flatMap((path) => this.files.get(path) ?? []);
  }

  #upToDate(path: string, isCode: boolean): SourceFile | undefined {
    const file = this.files.get(path);
    if (file === undefined || this.#dirty.has(path)) return undefined;
    if (file.isCode !== isCode) return undefined;
    if (file.resolvedAt !== this.#epoch) this.#connect(file);
    return file;
  }

  async #load(path: string, isCode: boolean): Promise<SourceFile | undefined> {
    const before = this.files.get(path);
    const file = await this.#reader.read(path, isCode, before);
    // Not before: if the disk is full, it is still to be read.
    this.#dirty.delete(path);
    if (file === undefined) {
      this.files.delete(path);
      this.#unsettle();
      return undefined;
    }
    this.#connect(file);
    if (before !== undefined && haveSameEdges(before, file)) {
      this.#changed?.add(path);
      const missing = this.missingDirectories(file).join("\0");
      if (missing !== this.missingDirectories(before).join("\0")) {
        this.edgesVersion++;
      }
    } else {
      this.#unsettle();
    }
    this.files.set(path, file);
    return file;
  }

  #connect(file: SourceFile): void {
    connect(file, this.#configuration.resolver, {
      needs: this.needs.get(file.path) ?? [],
      runtime: this.runtimeEdges.get(file.path) ?? [],
    });
    file.resolvedAt = this.#epoch;
  }
}

/** Whether a path that was no source could be what a specifier means now. */
function canBeImported(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  return stats.isDirectory() || loaderOfImported(path) !== undefined;
}
