/**
 * A reload from request to outcome: manifest, build, generation, roll. One
 * build at a time (`reload-queue.ts`); a roll goes on while the next build runs,
 * and the master supersedes it. Part of the composition root, made by `dev-server.ts`.
 */
import { messageOf } from "./errors.js";
import type { BuildResult } from "./compiler/types.js";
import { CycleInput } from "./cycle-input.js";
import type { Definition } from "./definition.js";
import type { Generations } from "./generations.js";
import type { ResolvedProject } from "./manifest/types.js";
import { FIRST_ANSWERS_MS } from "./master/roll.js";
import type { Roll } from "./master/roll.js";
import type { Parts } from "./parts.js";
import { ReloadOutcomes } from "./reload-outcomes.js";
import type { Ended } from "./reload-outcomes.js";
import { ReloadQueue } from "./reload-queue.js";
import type { Cycle, MergedRequest, ReloadRequest } from "./reload-queue.js";
import type { ReloadFailure, ReloadOutcome } from "./server-events.js";
import { stepTimes } from "./step-times.js";
import type { Expected } from "./watcher/types.js";

export interface ReloaderOptions {
  readonly definition: Definition;
  readonly parts: Parts;
  readonly generations: Generations;
  /** A build has ended: what is to be watched may differ. */
  readonly onBuilt: () => void;
  readonly onBegin: () => void;
  readonly onOutcome: (outcome: ReloadOutcome) => void;
  readonly onWarning: (message: string) => void;
}

type GoodBuild = Exclude<BuildResult, { kind: "failed" }>;

/** A roll under way, with what led to it. */
interface Begun {
  readonly roll: Roll;
  readonly result: GoodBuild;
  /** How long the manifest's steps ran; `undefined`: none was due. */
  readonly runMs: number | undefined;
  /** `performance.now()` after the build, and when the roll began. */
  readonly builtAt: number;
  readonly rolledAt: number;
}

export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #queue: ReloadQueue<ReloadOutcome>;
  readonly #input: CycleInput;
  readonly #outcomes: ReloadOutcomes;
  #sources = 0;
  #closed = false;
  /** The outcomes of rolls that are under way. */
  readonly #rolling = new Set<Promise<ReloadOutcome>>();

  constructor(options: ReloaderOptions) {
    this.#options = options;
    const { definition, parts, onOutcome } = options;
    const { compiler, steps } = parts;
    this.#input = new CycleInput({ definition, compiler, steps });
    this.#outcomes = new ReloadOutcomes({ parts, onOutcome });
    this.#queue = new ReloadQueue((request) => this.#cycle(request));
  }

  /** The project as it was last loaded. */
  get project(): ResolvedProject {
    return this.#options.definition.project;
  }

  /** The files whose change means that the manifest must be read again, or that a step is due. */
  get definedBy(): readonly string[] {
    const { definition } = this.#options;
    const inputs = this.project.steps.flatMap((step) => step.inputs);
    return [...definition.files, ...inputs];
  }

  /** The files of the manifest that were written since it was read. */
  get outdated(): readonly string[] {
    return this.#options.definition.outdated;
  }

  /** The files that the manifest will list as soon as they're there. */
  get expected(): Expected | undefined {
    return this.#options.definition.expected;
  }

  /** How many sources the last good build has. */
  get sources(): number {
    return this.#sources;
  }

  /** How the last reload ended; what its first answer took is known a little later. */
  lastOutcome(): ReloadOutcome | undefined {
    return this.#outcomes.last;
  }

  /** The last failure, until a reload has succeeded. */
  get lastError(): ReloadFailure | undefined {
    return this.#outcomes.lastError;
  }

  /** Asks for a reload. Never rejects. */
  reload(request: ReloadRequest): Promise<ReloadOutcome> {
    this.#input.supersede(request.paths);
    return this.#queue.add(request);
  }

  /** No further cycle does anything; fulfils when none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#options.parts.steps.close();
    await this.#queue.idle();
  }

  /** Fulfils when no reload is under way. */
  async rest(): Promise<void> {
    for (;;) {
      await this.#queue.idle();
      if (this.#rolling.size === 0) return;
      await Promise.all(this.#rolling);
    }
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  /** One reload, up to where the next may begin. Never rejects. */
  async #cycle(request: MergedRequest): Promise<Cycle<ReloadOutcome>> {
    const { parts, onBegin, onBuilt } = this.#options;
    const { front, gate } = parts;
    onBegin();
    const release = front?.hold() ?? ((): void => undefined);
    const letStandbysGoOn = gate.hold();
    request.release();
    const begun = await this.#begin(request);
    if ("kind" in begun) {
      release();
      letStandbysGoOn();
      const outcome = this.#outcomes.tell(begun, request.paths);
      return { outcome: Promise.resolve(outcome) };
    }
    void begun.roll.decided.then(() => {
      release();
      // Its time grows with the project, and the first answers are on their way. What changes meanwhile isn't missed.
      setTimeout(onBuilt, FIRST_ANSWERS_MS).unref();
    });
    void begun.roll.paused.then(letStandbysGoOn);
    const outcome = this.#finish(begun, request);
    this.#rolling.add(outcome);
    return { outcome: outcome.finally(() => this.#rolling.delete(outcome)) };
  }

  /** Everything before the roll; an outcome if it doesn't come to one. */
  async #begin(request: MergedRequest): Promise<Ended | Begun> {
    if (this.#isClosed()) return { kind: "stopped" };
    const { definition, generations, onBuilt, parts } = this.#options;
    const { compiler, master, standbys, address } = parts;
    const input = this.#input;
    try {
      const taken = await input.take(request);
      if (this.#isClosed()) return { kind: "stopped" };
      if (taken.kind !== "ready") {
        onBuilt();
        return taken;
      }
      const { paths, forced, runMs } = taken;
      const result = await compiler.build(forced ? undefined : { paths });
      if (this.#isClosed()) return { kind: "stopped" };
      const builtAt = performance.now();
      if (result.kind === "failed") {
        onBuilt();
        return {
          kind: "failed",
          phase: "compile",
          diagnostics: result.diagnostics,
        };
      }
      const { envFile } = generations;
      input.isEnvironmentOther ||= envFile !== undefined && paths.has(envFile);
      if (result.kind === "unchanged" && !forced && !input.isEnvironmentOther) {
        onBuilt();
        return { kind: "unchanged" };
      }
      const program = await generations.next(
        result.build,
        result.kind === "built" ? result.closure : [],
        compiler,
        address.port,
        definition.project,
      );
      input.isEnvironmentOther = false;
      const { sources, unread } = result.build;
      this.#sources = sources.size + unread.size;
      // Asked to look at everything: packages may have been edited where they are installed.
      if (forced) standbys.clear("everything is reloaded");
      else if (input.areSourcesOther) standbys.clear("sources came or went");
      else await standbys.fit(program);
      input.areSourcesOther = false;
      const rolledAt = performance.now();
      return { roll: master.roll(program), result, runMs, builtAt, rolledAt };
    } catch (error) {
      if (this.#isClosed()) return { kind: "stopped" };
      // What a broken manifest imports is to be watched, too.
      onBuilt();
      return {
        kind: "failed",
        phase: "project",
        diagnostics: [{ message: messageOf(error) }],
      };
    }
  }

  async #finish(
    { roll, result, runMs, builtAt, rolledAt }: Begun,
    request: MergedRequest,
  ): Promise<ReloadOutcome> {
    const { generations, parts } = this.#options;
    const { standbys, front } = parts;
    const rolled = await roll.outcome;
    // One may have been used up for nothing: mending what is broken is to find another.
    standbys.refill();
    if (rolled.kind === "failed") {
      const diagnostics = [rolled.diagnostic];
      return this.#outcomes.tell(
        { kind: "failed", phase: "boot", diagnostics },
        request.paths,
      );
    }
    if (rolled.kind !== "done")
      return this.#outcomes.tell(rolled, request.paths);
    const before = rolledAt - request.since;
    const { canary } = rolled;
    const done = (): ReloadOutcome => ({
      kind: "done",
      generation: rolled.generation,
      changed: [...request.paths],
      closure: result.kind === "built" ? result.closure : [],
      compileMs: result.compileMs,
      firstMs: before + rolled.firstMs,
      allMs: before + rolled.allMs,
      isStandby: canary?.isStandby ?? false,
      steps: stepTimes({
        since: request.since,
        batch: request.batch,
        runMs,
        builtAt,
        rolledAt,
        canary,
        linkMs: result.kind === "built" ? result.linkMs : 0,
        firstAnswerAt: canary && front?.firstAnswerAt(canary.id),
      }),
    });
    const outcome = this.#outcomes.tell(done(), request.paths, done);
    try {
      const live = parts.master.liveGenerations();
      await generations.settled(rolled.generation, live, parts.compiler);
    } catch (error) {
      // Old outputs that can't be deleted now are deleted another time.
      if (!this.#isClosed()) this.#options.onWarning(messageOf(error));
    }
    return outcome;
  }
}
