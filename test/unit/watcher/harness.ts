import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type {
  ChangeBatch,
  Watcher,
  WatcherOptions,
} from "../../../src/watcher/types.js";
import { createWatcher } from "../../../src/watcher/watcher.js";
import type { WatcherEffects } from "../../../src/watcher/watcher.js";

/** A temporary directory with a watcher that writes down what it says. */
export interface Harness {
  readonly root: string;
  readonly watcher: Watcher;
  readonly batches: ChangeBatch[];
  readonly dirty: string[];
  readonly errors: Error[];
  /** The absolute path. */
  at(name: string): string;
  watch(files: readonly string[], directories?: readonly string[]): void;
  /** Fulfils as soon as what has been recorded satisfies `isIt`; asked after each batch and each first sign. */
  until(what: string, isIt: () => boolean): Promise<void>;
  /** The names of all batches so far, relative. */
  names(): string[][];
  close(): Promise<void>;
}

const DEADLINE_MS = 15_000;

export function harness(
  options: Partial<WatcherOptions> = {},
  effects: WatcherEffects = {},
): Harness {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), "watcher-")));
  const batches: ChangeBatch[] = [];
  const dirty: string[] = [];
  const errors: Error[] = [];
  const waiting = new Set<() => void>();
  const tell = (): void => {
    for (const ask of [...waiting]) ask();
  };
  const watcher = createWatcher(
    {
      ...options,
      onDirty: (file) => {
        dirty.push(file);
        options.onDirty?.(file);
        tell();
      },
      onBatch: (batch) => {
        batches.push(batch);
        options.onBatch?.(batch);
        tell();
      },
      onError: (error) => {
        errors.push(error);
        tell();
      },
    },
    effects,
  );
  const at = (name: string): string => path.join(root, name);
  const names = (): string[][] =>
    batches.map((batch) =>
      [...batch.paths].map((file) => path.relative(root, file)).sort(),
    );
  const until = (what: string, isIt: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(ask);
        reject(
          new Error(
            `waited for ${what}; batches so far: ${JSON.stringify(names())}`,
          ),
        );
      }, DEADLINE_MS);
      const ask = (): void => {
        if (!isIt()) return;
        clearTimeout(timer);
        waiting.delete(ask);
        resolve();
      };
      waiting.add(ask);
      ask();
    });
  return {
    root,
    watcher,
    batches,
    dirty,
    errors,
    at,
    until,
    names,
    watch: (files, directories = []) => {
      watcher.watch({
        files: new Set(files.map(at)),
        directories: new Set(directories.map(at)),
      });
    },
    close: async () => {
      await watcher.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
