/**
 * One standby: a forked process on its way through a plan, then standing by.
 * What it does next, and whether it is of use, is decided by `standby-pool.ts`.
 */
import type { Order, StandingRequest } from "../ipc/messages.js";
import type {
  Deadlines,
  StandbyDepth,
  PlannedStep,
  StandbyPlan,
} from "./types.js";
import type { WorkerProcess } from "./worker-process.js";

/** So many files are linked at a time: some 15 ms, in which it can't yield. */
const LINK_CHUNK = 50;

/** A module that is evaluated for longer hangs, as far as a standby is concerned. */
const STEP_TIMEOUT_MS = 10_000;

/** Why a run through a plan ended early. */
export type Stop =
  /** A step did nothing: go on with a plan that leaves it out. */
  | {
      readonly kind: "refused";
      readonly step: PlannedStep;
      readonly reason: string;
    }
  /** The process is gone, or is to go. */
  | {
      readonly kind: "spoiled";
      readonly path: string | undefined;
      readonly reason: string;
    };

export class Standby {
  readonly process: WorkerProcess;
  readonly depth: StandbyDepth;
  /** What it was or will be through when it stands by. */
  plan: StandbyPlan;
  /** The generations that it is known to fit. */
  readonly fits: Set<number>;
  isReady = false;
  rssBytes: number | undefined;
  readonly #evaluated = new Set<string>();
  readonly #linked = new Set<string>();
  readonly #claimed: Promise<void>;
  #onClaim: () => void = () => undefined;
  #park: (() => void) | undefined;

  constructor(process: WorkerProcess, depth: StandbyDepth, plan: StandbyPlan) {
    this.process = process;
    this.depth = depth;
    this.plan = plan;
    this.fits = new Set([process.program.generation]);
    this.#claimed = new Promise((resolve) => (this.#onClaim = resolve));
  }

  /** The process is wanted before it is through: it stops at the next order. What it has done so far is of use. */
  claim(): void {
    this.process.suspension.end();
    this.process.parked = new Promise((resolve) => (this.#park = resolve));
    this.#onClaim();
  }

  /**
   * Carries out the plan from where the process is.
   *
   * @param begin - gives a new process its first order
   * @param gate - fulfils when the process may go on
   */
  async run(
    begin: () => void,
    gate: () => Promise<void>,
    deadlines: Deadlines,
  ): Promise<Stop | undefined> {
    const { process } = this;
    if (this.rssBytes === undefined) {
      const report = await this.#next(deadlines.bootTimeoutMs, () => {
        void process.hello.then(begin);
      });
      if (typeof report === "string") return this.#spoiled(undefined, report);
      this.rssBytes = report.rssBytes;
    }
    return (await this.#link(gate)) ?? (await this.#evaluate(gate));
  }

  async #link(gate: () => Promise<void>): Promise<Stop | undefined> {
    const files = this.plan.link.filter((file) => !this.#linked.has(file));
    for (let at = 0; at < files.length; at += LINK_CHUNK) {
      if (!(await this.#mayGoOn(gate))) return undefined;
      const chunk = files.slice(at, at + LINK_CHUNK);
      for (const file of chunk) this.#linked.add(file);
      const report = await this.#order({ kind: "link", files: chunk });
      if (typeof report === "string") return this.#spoiled(undefined, report);
      this.rssBytes = report.rssBytes;
    }
    return undefined;
  }

  async #evaluate(gate: () => Promise<void>): Promise<Stop | undefined> {
    for (const step of this.plan.steps) {
      if (this.#evaluated.has(step.path)) continue;
      if (!(await this.#mayGoOn(gate))) return undefined;
      const { path, ...ahead } = step;
      const report = await this.#order({ kind: "evaluate", step: ahead });
      if (typeof report === "string") return this.#spoiled(path, report);
      this.rssBytes = report.rssBytes;
      if (report.refused !== undefined)
        return { kind: "refused", step, reason: report.refused };
      this.#evaluated.add(path);
    }
    this.isReady = true;
    return undefined;
  }

  /** Waits at the gate, unless the process is claimed. */
  async #mayGoOn(gate: () => Promise<void>): Promise<boolean> {
    await Promise.race([gate(), this.#claimed]);
    this.#park?.();
    return this.#park === undefined;
  }

  #spoiled(path: string | undefined, reason: string): Stop {
    const { trouble } = this.process;
    return {
      kind: "spoiled",
      path: trouble?.file ?? path,
      reason: trouble?.reason ?? reason,
    };
  }

  #order(order: Order): Promise<StandingRequest | string> {
    return this.#next(STEP_TIMEOUT_MS, () => this.process.order(order));
  }

  /** What the process says when it stands by again, or why it won't. */
  async #next(
    timeoutMs: number,
    act: () => void,
  ): Promise<StandingRequest | string> {
    const ended = this.process.exited.then(({ code, signal }) =>
      signal === null
        ? `ended with exit code ${code ?? 0}`
        : `was killed by ${signal}`,
    );
    const standing = this.process.standing();
    act();
    const report = await this.process.suspension.within(
      timeoutMs,
      Promise.race([standing, ended]),
    );
    if (typeof report !== "string") {
      this.#park?.();
      return report;
    }
    if (report !== "timeout") return report;
    // Nobody else looks after one that was claimed; its end makes way for a cold boot.
    if (this.#park !== undefined) void this.process.kill();
    return `takes longer than ${timeoutMs} ms`;
  }
}
