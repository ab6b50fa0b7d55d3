/**
 * What the app's modules set going while they are evaluated ahead. As the event
 * loop doesn't turn before activation, almost everything simply happens then.
 * What reaches outside at once, or whose time passes meanwhile, is handled here.
 */
import { createHook, executionAsyncId } from "node:async_hooks";
import type { AsyncHook } from "node:async_hooks";
import { culprit } from "./culprit.js";
import { giveUp } from "./sync-channel.js";

/** Reaches out of the process at once: a peer would wait for answers that don't come while we stand by. Nor does a thread stand by. */
const REACHING_OUT: Readonly<Record<string, string>> = {
  TCPCONNECTWRAP: "opens a network connection",
  PIPECONNECTWRAP: "opens a connection to a Unix socket",
  UDPSENDWRAP: "sends a datagram",
  PROCESSWRAP: "starts a process",
  WORKER: "starts a thread",
};

/** Writing to a pipe (the log) leaves one of these behind; nobody's code runs in it. */
const STREAM_TICK = "afterWriteTick";

export class EffectWatch {
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #hook: AsyncHook;
  #work: { readonly file: string | undefined } | undefined;

  constructor() {
    this.#hook = createHook({
      init: (_id, type, trigger, resource) => {
        this.#created(type, trigger, resource);
      },
    });
  }

  /**
   * The first microtask or tick that was left for later, if any: a program with top-level
   * await is loaded asynchronously, and would see it run before the rest was evaluated.
   */
  get work(): { readonly file: string | undefined } | undefined {
    return this.#work;
  }

  start(): void {
    this.#hook.enable();
  }

  /** Also starts the app's timers anew: time that passed while this process stood by didn't pass for the app. */
  stop(): void {
    this.#hook.disable();
    // Before the rest of the program sets any: those of one duration fire in the order in which they were started.
    for (const timer of this.#timers) restart(timer);
    this.#timers.length = 0;
  }

  #created(type: string, trigger: number, resource: object): void {
    const reason = REACHING_OUT[type];
    if (reason !== undefined) giveUp(reason, culprit());
    if (type === "Timeout") this.#timers.push(resource as NodeJS.Timeout);
    if (this.#work === undefined && isWork(type, trigger, resource))
      this.#work = { file: culprit() };
  }
}

function isWork(type: string, trigger: number, resource: object): boolean {
  switch (type) {
    case "Microtask":
      return true;
    case "TickObject":
      return !(
        "callback" in resource &&
        typeof resource.callback === "function" &&
        resource.callback.name === STREAM_TICK
      );
    case "PROMISE":
      // Made by `then` or `await` of another promise, which is its trigger; others wait for nobody.
      return trigger !== executionAsyncId();
    default:
      return false;
  }
}

function restart(timer: NodeJS.Timeout): void {
  // Node docs, timers, "timeout.refresh()"; it would revive one that was cleared.
  const { _destroyed: isCleared } = timer as { _destroyed?: boolean };
  if (isCleared !== true) timer.refresh();
}
