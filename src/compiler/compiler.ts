/**
 * The compiler: sources -> records -> identities -> linked output on disk, and diagnostics for what is wrong.
 *
 * It doesn't watch (it is told what changed, and tells what to watch) and doesn't run anything. Called by the
 * composition root, `dev-server.ts`. This file holds the lifecycle; a build is made in `builder.ts`, a source is read
 * by `source-tree.ts`, its code goes through `transform.ts`, `scan.ts` and `link.ts`, a process is answered in
 * `runtime-sources.ts`, and things are kept where `cache-directory.ts` says.
 */
import { dirname } from "node:path";
import { messageOf, PreforkError, systemErrorCode } from "../errors.js";
import { BuiltRecords } from "./built-records.js";
import { Builder } from "./builder.js";
import { openCacheDirectory } from "./cache-directory.js";
import type { CacheDirectory } from "./cache-directory.js";
import { Configuration } from "./configuration.js";
import { useEsbuild, warmUpEsbuild } from "./esbuild.js";
import type { GoodBuild } from "./good-build.js";
import { readIndex, writeIndex } from "./index-file.js";
import { OutputStore } from "./output-store.js";
import type { Parts } from "./parts.js";
import { realPath } from "./project-sources.js";
import { RecentSaves } from "./recent-saves.js";
import { RecordStore } from "./record-store.js";
import { answerAtOnce, answerAtRuntime } from "./runtime-sources.js";
import { SourceReader } from "./source-reader.js";
import { SourceTree } from "./source-tree.js";
import type {
  Build,
  BuildResult,
  Compiler,
  CompilerOptions,
  RuntimeAnswer,
} from "./types.js";
import { Watched } from "./watched.js";

const NONE: ReadonlySet<string> = new Set();

/** The index is written when nothing happened for so long, and at the end. */
const INDEX_DELAY_MS = 1_000;

/**
 * Makes a compiler: opens the cache, reads no sources yet.
 *
 * @returns a compiler to be closed
 * @throws PreforkError ERR_PREFORK_CACHE when no cache directory can be written
 */
export async function createCompiler(
  options: CompilerOptions,
): Promise<Compiler> {
  const { project, cacheDirectory, onDiscovered = nothing } = options;
  const { readsAll = false } = options;
  const root = realPath(project.root);
  const cache = await openCacheDirectory(root, cacheDirectory);
  const configuration = new Configuration(root, realPath(cache.base));
  const records = new RecordStore(cache.records);
  const reader = new SourceReader(configuration, records);
  const tree = new SourceTree(configuration, reader);
  const outputs = new OutputStore(cache.outputs, cache.records, root);
  for (const { path, key, summary, runtimeEdges } of readIndex(cache.index)) {
    records.learn(key, summary);
    if (runtimeEdges.length > 0) tree.runtimeEdges.set(path, [...runtimeEdges]);
  }
  const built = new BuiltRecords(records);
  const parts: Parts = {
    ...{ root, configuration, reader, tree, records, built, outputs },
  };
  const saves = new RecentSaves(cache.recentSaves);
  const watched = new Watched(root, tree, configuration);
  const builder = new Builder(parts, project, readsAll);
  const releaseEsbuild = useEsbuild();
  const queue = new Queue();
  let indexed: GoodBuild["structure"] | undefined;
  const saveIndex = (isLast: boolean): void => {
    const structure = builder.last?.structure;
    try {
      saves.write();
      // Its size is the project's, and the front waits meanwhile: not for each save. A source whose record
      // isn't in it is read at the next start.
      if (structure === indexed && !isLast) return;
      writeIndex(cache.index, tree.files.values(), tree.runtimeEdges);
      indexed = structure;
    } catch {
      // Only a shortcut; the next build meets the same full disk, and reports it.
    }
  };
  let indexTimer: NodeJS.Timeout | undefined;
  const saveIndexSoon = (): void => {
    clearTimeout(indexTimer);
    indexTimer = setTimeout(saveIndex, INDEX_DELAY_MS, false).unref();
  };
  let isWarm = false;
  let closing: Promise<void> | undefined;

  const build: Compiler["build"] = async (
    changes,
    kept,
  ): Promise<BuildResult> => {
    try {
      const result = await builder.build(changes, kept);
      const paths = [...(changes?.paths ?? [])];
      saves.note(paths.filter((path) => tree.files.has(path)));
      if (result.kind === "built") saveIndexSoon();
      return result;
    } catch (error) {
      throw buildError(error, cache.base);
    } finally {
      if (!isWarm) {
        isWarm = true;
        void warmUpEsbuild();
      }
    }
  };

  const close = async (): Promise<void> => {
    await queue.idle();
    clearTimeout(indexTimer);
    if (builder.last !== undefined) saveIndex(true);
    cache.registration.release();
    await releaseEsbuild();
  };

  const discovered = (): void => {
    indexed = undefined;
    // What was loaded in this process may go on asking after the end.
    if (closing === undefined) saveIndexSoon();
    onDiscovered();
  };

  const whileOpen = async <T>(task: () => Promise<T>): Promise<T> => {
    if (closing !== undefined) {
      throw new PreforkError(
        "ERR_PREFORK_NOT_RUNNING",
        "The compiler is closed. Make a new one with createCompiler().",
      );
    }
    return await queue.run(task);
  };

  return {
    build: async (changes, kept) =>
      await whileOpen(async () => await build(changes, kept)),
    prepare: (path) => {
      // Others are read when a build finds that it needs them.
      if (closing === undefined && tree.files.get(path)?.isCode) {
        reader.prepare(path);
      }
    },
    setProject: (next) => builder.redefine(next),
    watchSet: () => watched.by(builder.roots),
    resolveAtRuntime: async (of, request): Promise<RuntimeAnswer> => {
      const good = builder.good(of);
      if (good === undefined) return { kind: "node" };
      return await whileOpen(
        async () => await answerAtRuntime(parts, good, request, discovered),
      );
    },
    resolveAtOnce: (of, request) => {
      const good = builder.good(of);
      return good === undefined
        ? { kind: "node" }
        : answerAtOnce(parts, good, request, discovered);
    },
    renew: (paths) => tree.renew(paths),
    retime: (paths) => tree.retime(paths),
    loadedSources: () => builder.last?.paths ?? NONE,
    graphOf: (of) => builder.good(of)?.known.graph ?? new Map(),
    closureOf: (of, paths) => {
      const good = builder.good(of);
      return good === undefined
        ? new Set(of.sources.keys())
        : good.closureOf(paths);
    },
    inertSources: async (of, paths) =>
      await built.inert(
        [...paths].flatMap((path) => of.sources.get(path) ?? []),
      ),
    likelyToChange: () => {
      const sources = builder.last?.build.sources;
      if (sources === undefined) return [];
      const isSource = (path: string): boolean => sources.has(path);
      return saves.likely(isSource, tree.files.values());
    },
    prune: async (keep) => {
      await whileOpen(async () => await prune(cache, parts, builder, keep));
    },
    directory: dirname(cache.index),
    codeCache: cache.codeCache,
    close: async () => await (closing ??= close()),
  };
}

/** What went wrong is nothing in the user's code: the disk, or esbuild. */
function buildError(error: unknown, directory: string): PreforkError {
  const message = messageOf(error);
  return systemErrorCode(error) === undefined
    ? new PreforkError(
        "ERR_PREFORK_COMPILE",
        `The compiler failed: ${message}. Is esbuild installed for this platform? (npm install)`,
        { cause: error },
      )
    : new PreforkError(
        "ERR_PREFORK_CACHE",
        `The build could not be written to ${directory}: ${message}. Check the directory's permissions and free space.`,
        { cause: error },
      );
}

async function prune(
  cache: CacheDirectory,
  { tree, records, built, outputs }: Parts,
  builder: Builder,
  keep: readonly Build[],
): Promise<void> {
  const held = keep.flatMap((build) => builder.good(build) ?? []);
  if (builder.last !== undefined) held.push(builder.last);
  const sources = held.flatMap((good) => good.sources());
  const keys = new Set(sources.flatMap((source) => built.keyOf(source) ?? []));
  // Also of a build that failed: it will be mended.
  for (const { key } of tree.files.values()) keys.add(key);
  const files = new Set(sources.flatMap(({ output }) => output ?? []));
  await cache.registration.alone(() => {
    outputs.deleteExcept(files);
    records.deleteExcept(keys);
    cache.limitCodeCache(sources.length);
    return Promise.resolve();
  });
  await cache.removeOutdated();
}

/** Runs tasks one after the other. */
class Queue {
  #last: Promise<unknown> = Promise.resolve();

  async run<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task);
    this.#last = run.catch(nothing);
    return await run;
  }

  async idle(): Promise<void> {
    await this.#last;
  }
}

function nothing(): void {
  // Nobody is interested.
}
