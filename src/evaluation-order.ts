/** The order in which a cold boot of a build evaluates its modules, and what was asked about it. Kept from build to build while imports stay the same. */
import type { Build } from "./compiler/types.js";
import { evaluationOrder, misfit } from "./graph/index.js";
import type { EvaluatedModule } from "./pool/types.js";

export class EvaluationOrder {
  /** All modules: sources, and packages' files. */
  readonly paths: readonly string[];
  /** Packages that may be evaluated before their turn. */
  readonly preloaded: ReadonlySet<string>;
  readonly #all: ReadonlySet<string>;
  readonly #inTurn: readonly string[];
  readonly #asked = new WeakMap<
    readonly EvaluatedModule[],
    readonly string[] | string
  >();

  /** @param preload - names of packages */
  constructor({ sources, entry }: Build, preload: ReadonlySet<string>) {
    this.paths = evaluationOrder(sources, entry);
    this.#all = new Set(this.paths);
    this.preloaded = new Set(
      preload.size === 0
        ? []
        : this.paths.filter(
            (path) => !sources.has(path) && preload.has(packageOf(path)),
          ),
    );
    this.#inTurn =
      this.preloaded.size === 0
        ? this.paths
        : this.paths.filter((path) => !this.preloaded.has(path));
  }

  has(path: string): boolean {
    return this.#all.has(path);
  }

  /**
   * Whether modules were evaluated as a cold boot would have done it.
   *
   * @returns why not, or the modules that the cold boot would evaluate in between: nobody must be able to notice them
   */
  misfit(evaluated: readonly EvaluatedModule[]): readonly string[] | string {
    let known = this.#asked.get(evaluated);
    if (known === undefined) {
      known = this.#compare(evaluated.map(({ path }) => path));
      this.#asked.set(evaluated, known);
    }
    return known;
  }

  #compare(paths: readonly string[]): readonly string[] | string {
    const order = this.#inTurn;
    const found = misfit(paths, order, () => true);
    switch (found?.why) {
      case "not evaluated any more":
        return `nothing imports ${found.path} any more`;
      case "order":
      case "noticed":
        return `${found.path} is imported in another order now`;
      case undefined:
    }
    const last = paths.at(-1);
    if (last === undefined) return [];
    const isEvaluated = new Set(paths);
    return order
      .slice(0, order.indexOf(last))
      .filter((path) => !isEvaluated.has(path));
  }
}

function packageOf(path: string): string {
  const [, name = ""] =
    /^.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path) ?? [];
  return name.replaceAll("\\", "/");
}
