/**
 * Evaluates compiled sources in this process, by `import()`, and knows which of them are evaluated.
 *
 * Node evaluates a file once, whether that works or not, and keeps it for good. What is to be evaluated once more (a change that
 * was taken back, a failure, `force`) needs another file: `spent` says for which sources. Compiling is not this part's business, nor is
 * deciding what to load (`plan.ts`). Called by `project-loading.ts`.
 */
import { pathToFileURL } from "node:url";
import { loadError } from "./load-error.js";
import type { LoadGroup } from "./plan.js";
import type { SourceExports, LoadableSource, LoadedSource } from "./types.js";

/** A source as it was last evaluated here. */
interface Held {
  readonly identity: string;
  /** `undefined` for what isn't code. */
  readonly exports: SourceExports | undefined;
  /** `false`: somebody may have asked for it, or not yet. */
  readonly isLoaded: boolean;
}

type Sources = ReadonlyMap<string, LoadableSource>;

const NOT_LOADED = { exports: undefined, isLoaded: false };
/** It may have been evaluated in part. */
const FAILED: Held = { identity: "", ...NOT_LOADED };

/** Evaluates a file and what it imports, or gives what it exports if that was done before. */
export type EvaluateFile = (url: string) => Promise<SourceExports>;

/** The compiled files that this process may have evaluated, for whichever project. */
const tried = new Set<string>();

/** See this file's header. */
export class Loader {
  readonly #root: string;
  readonly #evaluateFile: EvaluateFile;
  readonly #held = new Map<string, Held>();

  /**
   * @param root - what paths in messages are relative to
   * @param evaluateFile - for tests
   */
  constructor(root: string, evaluateFile: EvaluateFile = importFile) {
    this.#root = root;
    this.#evaluateFile = evaluateFile;
  }

  /** By path, the identity of what is evaluated. */
  get identities(): Map<string, string> {
    const found = new Map<string, string>();
    for (const [path, { identity }] of this.#held) found.set(path, identity);
    return found;
  }

  /** Whether a source is loaded, and what it exports. */
  stateOf(path: string): Pick<Held, "exports" | "isLoaded"> {
    return this.#held.get(path) ?? NOT_LOADED;
  }

  /** The sources that are to be evaluated, but whose files Node would not evaluate again. */
  spent(sources: Sources, isForced: boolean): string[] {
    const found: string[] = [];
    for (const { path, identity, output } of sources.values()) {
      if (output === undefined || !tried.has(output)) continue;
      if (isForced || this.#held.get(path)?.identity !== identity) {
        found.push(path);
      }
    }
    return found;
  }

  /**
   * Evaluates what a plan says and isn't evaluated yet, in its order.
   *
   * @param sources - the build that was planned for; none of it is {@link Loader.spent}
   * @param onLoad - called before each
   * @throws PreforkError ERR_PREFORK_LOAD when one of them throws; what came before it stays evaluated
   */
  async load(
    plan: readonly LoadGroup[],
    sources: Sources,
    onLoad: (source: LoadedSource) => void,
  ): Promise<void> {
    const planned = new Set(plan.flat().map(({ path }) => path));
    for (const source of sources.values()) {
      const { path, identity } = source;
      if (planned.has(path)) continue;
      // Nobody can tell which of them are evaluated, by those that ask for them.
      noteTried(source);
      if (this.#held.get(path)?.identity !== identity) {
        this.#held.set(path, { identity, ...NOT_LOADED });
      }
    }
    for (const group of plan) {
      group.forEach(onLoad);
      const members = group.flatMap(({ path }) => sources.get(path) ?? []);
      members.forEach(noteTried);
      // A cycle is entered where a program would enter it.
      const last = members.slice(-1);
      for (const source of [...last, ...members.slice(0, -1)]) {
        await this.#evaluate(source, members);
      }
    }
    // Should it come back, it's new.
    for (const path of this.#held.keys()) {
      if (!sources.has(path)) this.#held.delete(path);
    }
  }

  async #evaluate(
    source: LoadableSource,
    group: readonly LoadableSource[],
  ): Promise<void> {
    const { path, identity, output } = source;
    const held = this.#held.get(path);
    if (held?.identity === identity && held.isLoaded) return;
    try {
      const exports =
        output === undefined
          ? undefined
          : await this.#evaluateFile(pathToFileURL(output).href);
      this.#held.set(path, { identity, exports, isLoaded: true });
    } catch (error) {
      for (const member of group) this.#held.set(member.path, FAILED);
      throw loadError(error, path, output, this.#root);
    }
  }
}

function noteTried({ output }: LoadableSource): void {
  if (output !== undefined) tried.add(output);
}

async function importFile(url: string): Promise<SourceExports> {
  return (await import(url)) as SourceExports;
}
