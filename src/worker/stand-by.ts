/**
 * A process from its first order to the last, which makes it a worker's. In between it may link
 * and evaluate modules of the program ahead, and stands by, without its event loop
 * turning once: what those modules left for later happens when it would have
 * happened in a process that loaded everything in one go.
 */
import fs from "node:fs";
import { pathToFileURL } from "node:url";
import type {
  AheadStep,
  BeginMessage,
  Order,
  WorkerProgram,
} from "../ipc/messages.js";
import { messageOf } from "../errors.js";
import { diagnosticOf } from "../runtime/diagnostic-of.js";
import { canRequireModules, isAsyncRefusal, loadSync } from "./load.js";
import { leaveRunDirectory, linkFile } from "./run-directory.js";
import { askForOrder, giveUp } from "./sync-channel.js";
import { EffectWatch } from "./watch-effects.js";
import { warmUpHttp } from "./warm-up.js";

const LINKED = "prefork-dev: linked";

/** A module that throws. An `Error`: Node prints anything else. */
const BARRIER = `data:text/javascript,throw new Error("${LINKED}")`;

/** What was done ahead. */
export interface Ahead {
  /** Work that modules left for later, if any. */
  readonly work: EffectWatch["work"];
}

/** The one who gets the activated process. */
export type Activate = (
  program: WorkerProgram,
  ahead: Ahead | undefined,
) => void;

/** Carries out orders until the process is activated. */
export class StandBy {
  readonly #begin: BeginMessage;
  readonly #activate: Activate;
  #effects: EffectWatch | undefined;
  #linkFiles = 0;

  constructor(begin: BeginMessage, activate: Activate) {
    this.#begin = begin;
    this.#activate = activate;
  }

  /** What is done while the event loop still turns. */
  async prepare(): Promise<void> {
    if (this.#begin.order.kind === "warm")
      await warmUpHttp(this.#begin.runDirectory);
  }

  run(): void {
    // Under plain Node an ES module is evaluated in a microtask, a CommonJS entry isn't: it shows in
    // the order of ticks and promises.
    setImmediate(() => {
      if (this.#begin.isModule) queueMicrotask(() => this.#standBy());
      else this.#standBy();
    });
  }

  /** Is the app's code being evaluated before its process is a worker's? */
  get isAhead(): boolean {
    return this.#effects !== undefined;
  }

  #standBy(): void {
    const { order: first } = this.#begin;
    let order = first.kind === "warm" ? this.#ask(undefined) : first;
    while (order.kind !== "activate") {
      let refused: string | undefined;
      if (order.kind === "link") refused = this.#link(order.files);
      if (order.kind === "evaluate") refused = this.#evaluate(order.step);
      order = this.#ask(refused);
    }
    const effects = this.#effects;
    this.#effects = undefined;
    effects?.stop();
    this.#activate(order.program, effects && { work: effects.work });
  }

  #ask(refused: string | undefined): Order {
    return askForOrder(refused, () =>
      leaveRunDirectory(this.#begin.runDirectory),
    );
  }

  /**
   * Loads modules without evaluating them: a module that imports one that throws, and then them. Node reads, parses
   * and links all before it evaluates the first (ECMA-262, Cyclic Module Records), which ends it.
   */
  #link(files: readonly string[]): string | undefined {
    if (!canRequireModules) return "this Node can't require() ES modules";
    const file = linkFile(this.#begin.runDirectory, ++this.#linkFiles);
    const imports = files.map(
      (path) => `import ${JSON.stringify(pathToFileURL(path).href)};`,
    );
    fs.writeFileSync(
      file,
      [`import ${JSON.stringify(BARRIER)};`, ...imports].join("\n"),
    );
    try {
      loadSync(file);
      return undefined;
    } catch (error) {
      if (messageOf(error) === LINKED || isAsyncRefusal(error))
        return undefined;
      return `can't be linked: ${messageOf(error)}`;
    } finally {
      fs.rmSync(file, { force: true });
    }
  }

  #evaluate({ file, requiredBy }: AheadStep): string | undefined {
    if (this.#effects === undefined) {
      this.#effects = new EffectWatch();
      this.#effects.start();
    }
    try {
      loadSync(file, requiredBy);
      return undefined;
    } catch (error) {
      if (isAsyncRefusal(error)) return "has a top-level await";
      const { message, file: thrower } = diagnosticOf(error);
      return giveUp(`throws: ${message}`, thrower);
    }
  }
}
