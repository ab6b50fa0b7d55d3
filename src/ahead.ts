/**
 * What standbys may do for a build before it is known which sources change next, and whether what one did goes with
 * another build. Part of the composition root: it asks `graph` (pure) about what `compiler` built, and
 * gives `pool` plain values.
 */
import { hash } from "node:crypto";
import { extname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Build, Compiler } from "./compiler/types.js";
import type { Environment } from "./environment.js";
import { EvaluationOrder } from "./evaluation-order.js";
import { planAhead } from "./graph/index.js";
import type {
  Ahead,
  StandbyDepth,
  EvaluatedModule,
  PlannedStep,
  StandbyPlan,
} from "./pool/types.js";

/** More sources than this aren't looked into: evaluation ahead simply stops at the first. */
const MOST_LOOKED_INTO = 200;

/** People go to and fro between a few files; each further one leaves less that can be evaluated ahead. */
const MOST_LIKELY = 8;

/** Node loads other files only with flags or import attributes. */
const LINKABLE = new Set([".js", ".mjs", ".cjs"]);

export interface AheadParts {
  readonly build: Build;
  /** The sources that are different from the last good build. */
  readonly closure: readonly string[];
  readonly compiler: Pick<
    Compiler,
    "closureOf" | "inertSources" | "likelyToChange"
  >;
  readonly env: Environment;
  /** Sources that the manifest marks `standby: false`. */
  readonly marked: ReadonlySet<string>;
  /** Names of packages that the manifest allows to be evaluated before their turn. */
  readonly preload: ReadonlySet<string>;
}

/** See this file's header. */
export class BuildAhead implements Ahead {
  readonly surroundings: string;
  readonly isModule: boolean;
  readonly #parts: AheadParts;
  readonly #order: EvaluationOrder;

  /** @param previous - of the last good build: what is the same is taken from there, so that a save costs its closure */
  constructor(parts: AheadParts, previous: BuildAhead | undefined) {
    const { build, env } = parts;
    this.#parts = parts;
    this.#order =
      previous !== undefined && hasSameImports(parts, previous.#parts)
        ? previous.#order
        : new EvaluationOrder(build, parts.preload);
    this.isModule = build.output.endsWith(".mjs");
    const names = Object.keys(env).sort();
    const text = JSON.stringify([
      names.map((name) => [name, env[name]]),
      build.packages,
      build.entry,
      this.isModule,
    ]);
    this.surroundings = hash("sha256", text, "hex");
  }

  identityOf(path: string): string | undefined {
    const { sources, packages } = this.#parts.build;
    const source = sources.get(path);
    if (source !== undefined) return source.identity;
    return this.#order.has(path) ? packages : undefined;
  }

  async plan(
    depth: StandbyDepth,
    isBarred: (path: string) => boolean,
  ): Promise<StandbyPlan> {
    const { build, compiler, marked } = this.#parts;
    const { sources, entry } = build;
    const likely = compiler.closureOf(build, [
      entry,
      ...compiler.likelyToChange().slice(0, MOST_LIKELY),
    ]);
    const isDeep = depth === "deep";
    const inert = isDeep ? await this.#inert(likely) : new Set<string>();
    const plan = planAhead(sources, entry, {
      isLeft: (path) =>
        (isDeep ? likely.has(path) : sources.has(path)) ||
        marked.has(path) ||
        isBarred(path) ||
        sources.get(path)?.isWorkerSpecific === true,
      isInert: (path) => inert.has(path),
    });
    const { preloaded } = this.#order;
    const isInTurn = ({ path }: { path: string }): boolean =>
      !preloaded.has(path);
    return {
      link: this.#linkable(likely),
      steps: [
        ...[...preloaded]
          .filter((path) => !isBarred(path))
          .map((path) => ({ path, file: path })),
        ...plan.steps
          .filter(isInTurn)
          .map(({ path, importer }) => this.#step(path, importer)),
      ],
      evaluated: plan.evaluated
        .map((path) => ({
          path,
          identity: sources.get(path)?.identity ?? build.packages,
        }))
        .filter(isInTurn),
      stoppedBy: plan.stoppedBy,
    };
  }

  async misfit(
    evaluated: readonly EvaluatedModule[],
  ): Promise<string | undefined> {
    const { sources } = this.#parts.build;
    for (const { path, identity } of evaluated) {
      const source = sources.get(path);
      if (source !== undefined && source.identity !== identity)
        return `it had evaluated ${path}`;
    }
    const found = this.#order.misfit(evaluated);
    if (typeof found === "string") return found;
    const inert = await this.#inert(found);
    const noticed = found.find((path) => !inert.has(path));
    return noticed && `${noticed} must be evaluated earlier`;
  }

  async #inert(paths: Iterable<string>): Promise<ReadonlySet<string>> {
    const { build, compiler } = this.#parts;
    const known = [...paths].filter((path) => build.sources.has(path));
    if (known.length > MOST_LOOKED_INTO) return new Set();
    return await compiler.inertSources(build, known);
  }

  /** What ES modules are made of and isn't likely to change: `require()` can only load and evaluate at once. */
  #linkable(likely: ReadonlySet<string>): string[] {
    const { sources } = this.#parts.build;
    const imported = new Set<string>();
    for (const { output, before } of sources.values()) {
      if (output?.endsWith(".mjs") !== true) continue;
      for (const path of before) imported.add(path);
    }
    return this.#order.paths.flatMap((path) => {
      const source = sources.get(path);
      if (source === undefined)
        return imported.has(path) && LINKABLE.has(extname(path)) ? [path] : [];
      const { output } = source;
      if (likely.has(path) || output?.endsWith(".mjs") !== true) return [];
      return [output];
    });
  }

  #step(path: string, importer: string): PlannedStep {
    const { sources } = this.#parts.build;
    const file = sources.get(path)?.output ?? path;
    const parent = sources.get(importer)?.output;
    return parent?.endsWith(".cjs") === true
      ? { path, file, requiredBy: parent }
      : { path, file };
  }
}

/** Do all sources import what they did, in the same order? */
function hasSameImports(
  { build, closure, preload }: AheadParts,
  { build: before, preload: preloadBefore }: AheadParts,
): boolean {
  if (build.entry !== before.entry) return false;
  if (!isDeepStrictEqual(preload, preloadBefore)) return false;
  if (build.sources.size !== before.sources.size) return false;
  return closure.every((path) => {
    const now = build.sources.get(path);
    const then = before.sources.get(path);
    return (
      isDeepStrictEqual(now?.before, then?.before) &&
      isDeepStrictEqual(now?.during, then?.during)
    );
  });
}
