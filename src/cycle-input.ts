/**
 * What a reload's build is given: the manifest is read again if that may be another, the steps that are due run, and what came
 * to nothing before is looked at again. Part of the composition root, made by `reloader.ts`.
 */
import type { Compiler } from "./compiler/types.js";
import type { Definition } from "./definition.js";
import type { MergedRequest } from "./reload-queue.js";
import type { ReloadFailure } from "./server-events.js";
import type { Steps } from "./steps/steps.js";

/** What it came to. */
export type Taken =
  | {
      readonly kind: "ready";
      /** What may be different: the build must look at it. */
      readonly paths: ReadonlySet<string>;
      /** … or at everything, and processes must be replaced in any case. */
      readonly forced: boolean;
      /** How long steps ran, in milliseconds; `undefined`: none was due. */
      readonly runMs: number | undefined;
    }
  /** Something newer cancelled a step. */
  | { readonly kind: "superseded" }
  | Pick<ReloadFailure, "kind" | "phase" | "diagnostics">;

export interface CycleInputOptions {
  readonly definition: Definition;
  readonly compiler: Compiler;
  readonly steps: Steps;
}

/** See this file's header. */
export class CycleInput {
  /** Are there variables that no generation has yet? */
  isEnvironmentOther = false;
  /** Have sources come or gone that no generation knows yet? */
  areSourcesOther = false;
  readonly #options: CycleInputOptions;
  /** What was saved together with a manifest that was broken, or with a step that failed: the next build is to look at it. */
  readonly #missed = new Set<string>();
  #isForced = false;

  constructor(options: CycleInputOptions) {
    this.#options = options;
  }

  /** Something is asked for while a cycle runs: it may take over from that. */
  supersede(paths: ReadonlySet<string> | undefined): void {
    const { definition, steps } = this.#options;
    if (paths === undefined) return;
    if (definition.files.some((file) => paths.has(file))) steps.cancel();
    else steps.supersede(paths);
  }

  /**
   * Brings everything up to date that comes before the build.
   *
   * @throws PreforkError as `Definition.follow`: the next cycle tries again
   */
  async take(request: MergedRequest): Promise<Taken> {
    const { definition, compiler, steps } = this.#options;
    for (const path of request.paths) this.#missed.add(path);
    this.#isForced ||= request.forced;
    const isRedefined = await this.#follow(request);
    const startedAt = performance.now();
    const { kind, hasRun, changed, kept, diagnostics } = await steps.run({
      project: () => definition.project,
      paths: this.#missed,
      look: this.#isForced ? "all" : isRedefined ? "definitions" : "changes",
      reread: async () => await this.#reread(),
    });
    const runMs = hasRun ? performance.now() - startedAt : undefined;
    compiler.retime(kept);
    for (const path of changed) this.#missed.add(path);
    if (kind === "cancelled") return { kind: "superseded" };
    if (kind === "failed") return { kind, phase: "compile", diagnostics };
    // A manifest may import what a step makes.
    if (definition.files.some((file) => changed.has(file)))
      await this.#reread();
    const paths = new Set(this.#missed);
    const forced = this.#isForced;
    this.#missed.clear();
    this.#isForced = false;
    return { kind: "ready", paths, forced, runMs };
  }

  async #reread(): Promise<void> {
    await this.#follow({ forced: true, paths: new Set() });
  }

  /** Returns whether the manifest was read. */
  async #follow(
    request: Pick<MergedRequest, "forced" | "paths">,
  ): Promise<boolean> {
    const redefined = await this.#options.definition.follow(request);
    if (redefined === undefined) return false;
    this.#options.compiler.setProject(redefined.project);
    for (const path of redefined.released) this.#missed.add(path);
    this.isEnvironmentOther ||= redefined.isEnvironmentOther;
    this.areSourcesOther ||= redefined.areSourcesOther;
    return true;
  }
}
