/**
 * V8's code cache for what a process loads, where Node has one that can be written before the end (22.10 and newer): what an earlier
 * process compiled, functions that it had called included, is read instead of compiled again. Node names the entries
 * by file and content, so none can be stale.
 */
import module from "node:module";
import process from "node:process";

/** Node docs, module, "Module compile cache". */
interface CompileCache {
  enableCompileCache?(directory: string): unknown;
  getCompileCacheDir?(): string | undefined;
  flushCompileCache?(): void;
}

// Newer than the oldest Node that is supported, and than its types.
const cache = module as unknown as CompileCache;
let isUsed = false;

/** Uses the cache in a directory, unless the user has one (`NODE_COMPILE_CACHE`) or wants exact coverage, which cached code can't give. */
export function useCodeCache(directory: string): void {
  const { NODE_V8_COVERAGE } = process.env;
  if (cache.flushCompileCache === undefined || NODE_V8_COVERAGE) return;
  if (cache.getCompileCacheDir?.() !== undefined) return;
  cache.enableCompileCache?.(directory);
  isUsed = true;
}

/** Writes what isn't in the cache yet. Synchronous: for a process that has answered its last request. */
export function saveCodeCache(): void {
  if (isUsed) cache.flushCompileCache?.();
}
