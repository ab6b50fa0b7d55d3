/**
 * A reload from request to outcome: manifest, build, generation, roll. One
 * build at a time (`reload-queue.ts`); a roll goes on while the next build runs,
 * and the master supersedes it. Part of the composition root, made by `dev-server.ts`.
 */
import { messageOf } from "./errors.js";
import type { BuildResult } from "./compiler/types.js";
import type { Definition } from "./definition.js";
import type { Generations } from "./generations.js";
import type { ResolvedProject } from "./manifest/types.js";
import { FIRST_ANSWERS_MS } from "./master/roll.js";
import type { Roll } from "./master/roll.js";
import { outageOfReload } from "./outage.js";
import type { Parts } from "./parts.js";
import { ReloadQueue } from "./reload-queue.js";
import type { Cycle, MergedRequest, ReloadRequest } from "./reload-queue.js";
import type { ReloadFailure, ReloadOutcome } from "./server-events.js";
import { stepTimes } from "./step-times.js";

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

/** An outcome before it's told. */
type Failed = Pick<ReloadFailure, "kind" | "phase" | "diagnostics">;
type Ended = Exclude<ReloadOutcome, ReloadFailure> | Failed;
type GoodBuild = Exclude<BuildResult, { kind: "failed" }>;

/** A roll under way, with what led to it. */
interface Begun {
  readonly roll: Roll;
  readonly result: GoodBuild;
  /** `performance.now()` after the build, and when the roll began. */
  readonly builtAt: number;
  readonly rolledAt: number;
}

export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #queue: ReloadQueue<ReloadOutcome>;
  /** What was saved together with a manifest that was broken: the next build is to look at it. */
  readonly #missed = new Set<string>();
  /** Are there variables that no generation has yet? */
  #isEnvironmentOther = false;
  #sources = 0;
  #lastFailure = "";
  #lastError: ReloadFailure | undefined;
  #lastOutcome: (() => ReloadOutcome) | undefined;
  #closed = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#queue = new ReloadQueue((request) => this.#cycle(request));
  }

  /** The project as it was last loaded. */
  get project(): ResolvedProject {
    return this.#options.definition.project;
  }

  /** The files whose change means that the manifest must be read again. */
  get definedBy(): readonly string[] {
    return this.#options.definition.files;
  }

  /** How many sources the last good build has. */
  get sources(): number {
    return this.#sources;
  }

  /** How the last reload ended; what its first answer took is known a little later. */
  lastOutcome(): ReloadOutcome | undefined {
    return this.#lastOutcome?.();
  }

  /** The last failure, until a reload has succeeded. */
  get lastError(): ReloadFailure | undefined {
    return this.#lastError;
  }

  /** Asks for a reload. Never rejects. */
  reload(request: ReloadRequest): Promise<ReloadOutcome> {
    return this.#queue.add(request);
  }

  /** No further cycle does anything; fulfils when none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue.idle();
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
    const isFirst = this.#sources === 0;
    const begun = await this.#begin(request);
    if ("kind" in begun) {
      release();
      letStandbysGoOn();
      return { outcome: Promise.resolve(this.#tell(begun, request)) };
    }
    void begun.roll.decided.then(() => {
      release();
      // Its time grows with the project, and the first answers are on their way. What changes meanwhile isn't missed.
      if (isFirst) onBuilt();
      else setTimeout(onBuilt, FIRST_ANSWERS_MS).unref();
    });
    void begun.roll.paused.then(letStandbysGoOn);
    return {
      outcome: this.#finish(begun, request),
    };
  }

  /** Everything before the roll; an outcome if it doesn't come to one. */
  async #begin(request: MergedRequest): Promise<Ended | Begun> {
    if (this.#isClosed()) return { kind: "stopped" };
    const { definition, generations, onBuilt, parts } = this.#options;
    const { compiler, master, standbys, address } = parts;
    try {
      for (const path of request.paths) this.#missed.add(path);
      const redefined = await definition.follow(request);
      if (redefined !== undefined) {
        compiler.setProject(redefined.project);
        for (const path of redefined.released) this.#missed.add(path);
        this.#isEnvironmentOther ||= redefined.isEnvironmentOther;
      }
      const paths = new Set(this.#missed);
      this.#missed.clear();
      const result = await compiler.build(
        request.forced ? undefined : { paths },
      );
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
      this.#isEnvironmentOther ||= envFile !== undefined && paths.has(envFile);
      if (
        result.kind === "unchanged" &&
        !request.forced &&
        !this.#isEnvironmentOther
      ) {
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
      this.#isEnvironmentOther = false;
      this.#sources = result.build.sources.size;
      // Asked to look at everything: packages may have been edited where they are installed.
      if (request.forced) standbys.clear("everything is reloaded");
      else await standbys.fit(program);
      const rolledAt = performance.now();
      return { roll: master.roll(program), result, builtAt, rolledAt };
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
    { roll, result, builtAt, rolledAt }: Begun,
    request: MergedRequest,
  ): Promise<ReloadOutcome> {
    const { generations, parts } = this.#options;
    const { standbys, front } = parts;
    const rolled = await roll.outcome;
    // One may have been used up for nothing: mending what is broken is to find another.
    standbys.refill();
    if (rolled.kind === "failed") {
      return this.#tell(
        { kind: "failed", phase: "boot", diagnostics: [rolled.diagnostic] },
        request,
      );
    }
    if (rolled.kind !== "done") return this.#tell(rolled, request);
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
        builtAt,
        rolledAt,
        canary,
        linkMs: result.kind === "built" ? result.linkMs : 0,
        firstAnswerAt: canary && front?.firstAnswerAt(canary.id),
      }),
    });
    const outcome = this.#tell(done(), request);
    this.#lastOutcome = done;
    try {
      const live = parts.master.liveGenerations();
      await generations.settled(rolled.generation, live, parts.compiler);
    } catch (error) {
      // Old outputs that can't be deleted now are deleted another time.
      if (!this.#isClosed()) this.#options.onWarning(messageOf(error));
    }
    return outcome;
  }

  #tell(ended: Ended, { paths }: MergedRequest): ReloadOutcome {
    const outcome =
      ended.kind === "failed" ? this.#failure(ended, [...paths]) : ended;
    if (outcome.kind === "done") {
      this.#lastFailure = "";
      this.#lastError = undefined;
    }
    if (outcome.kind === "failed") this.#lastError = outcome;
    this.#lastOutcome = () => outcome;
    this.#options.onOutcome(outcome);
    return outcome;
  }

  #failure(
    { phase, diagnostics }: Failed,
    changed: readonly string[],
  ): ReloadFailure {
    const { front, master } = this.#options.parts;
    const serving = master.currentGeneration;
    const text = diagnostics
      .map(({ message, file, line }) =>
        [message, file, line].filter(Boolean).join(" "),
      )
      .join("\n");
    if (serving === undefined)
      front?.setOutage(outageOfReload(phase, diagnostics));
    const repeated = text === this.#lastFailure;
    this.#lastFailure = text;
    return { kind: "failed", phase, diagnostics, changed, serving, repeated };
  }
}
