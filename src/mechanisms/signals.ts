/**
 * What signals do to a server, for whoever asks for it: the command does, the library by itself never.
 * It knows no server, only the four things that can be asked of one; it decides nothing about reloading,
 * and doesn't end the process (`process.exit` is its caller's). docs/signals.md is its page for operators.
 */
import os from "node:os";
import process from "node:process";
import { PreforkError } from "../errors.js";
import { ServerEnding } from "./server-ending.js";

/** What {@link installSignals} asks of a server. A `DevServer` is one. */
export interface SignalTarget {
  /** Looks for changes and rolls a new generation. */
  reload(): Promise<unknown>;
  /** Changes the number of workers by `by`, never to under 1. */
  scale(change: { readonly by: number }): Promise<unknown>;
  /** Lets requests in hand finish, and closes everything. */
  stop(): Promise<void>;
  /** Ends everything at once, also while it stops. */
  kill(): Promise<void>;
}

/**
 * What a signal can do:
 *
 * - `"reload"`, `"add-worker"`, `"remove-worker"`: nothing once the server is being stopped
 * - `"stop"`: stops the server, requests in hand are finished; again: nothing
 * - `"interrupt"`: stops the server; when it is being stopped already, ends it at once
 * - `"kill"`: ends the server at once
 */
export type SignalAction =
  "reload" | "add-worker" | "remove-worker" | "stop" | "interrupt" | "kill";

/** A function of your own for a signal. What it throws or rejects with goes to `onError`. */
export type SignalHandler = (signal: NodeJS.Signals) => unknown;

/** By signal: an action, a function of your own, or `false`: it is left alone. */
export type SignalMap = Readonly<
  Partial<Record<NodeJS.Signals, SignalAction | SignalHandler | false>>
>;

/** What signals do when nothing else is said. */
export const defaultSignals: Readonly<
  Partial<Record<NodeJS.Signals, SignalAction>>
> = {
  SIGHUP: "reload",
  SIGUSR2: "reload",
  SIGTTIN: "add-worker",
  SIGTTOU: "remove-worker",
  SIGTERM: "stop",
  SIGINT: "interrupt",
  SIGQUIT: "kill",
};

/** Options of {@link installSignals}. */
export interface SignalOptions {
  /** Gets what the server or a function of yours rejected with. Default: a warning of the process, on stderr. */
  readonly onError?: (error: unknown, signal: NodeJS.Signals) => void;
  /** A signal has begun to stop or end the server. Default: nothing. */
  readonly onStopping?: (signal: NodeJS.Signals) => void;
  /**
   * A signal has stopped or ended the server, and `process.exitCode` is set: 0, 128 + n when signal n ended it at once, 1
   * when stopping failed. The process exits when nothing is left to do in it; call `process.exit()` here not to wait for
   * that. Default: nothing.
   */
  readonly onStopped?: () => void;
  /**
   * A SIGINT, or a SIGTERM after one, that comes within this time of a SIGINT is the same Ctrl-C, relayed by npm, and doesn't count;
   * in milliseconds. 0: each counts. Default 250: people are slower.
   */
  readonly relayedWithinMs?: number;
}

const RELAYED_WITHIN_MS = 250;

/** Signals that no map may use, and why. */
const untouchable: Readonly<Record<string, string>> = {
  SIGKILL: "no program can handle it",
  SIGSTOP: "no program can handle it",
  SIGUSR1: "it starts Node's inspector",
};

const actions: readonly string[] = [
  "reload",
  "add-worker",
  "remove-worker",
  "stop",
  "interrupt",
  "kill",
] satisfies readonly SignalAction[];

/** Those that end the server: once it has ended, they are Node's again. */
const endings: ReadonlySet<unknown> = new Set(["stop", "interrupt", "kill"]);

/**
 * Makes the process's signals control a server. When they have ended it, the signals that did are released `relayedWithinMs` later, so that
 * another one ends a process that still has other things to do.
 *
 * @param map - over {@link defaultSignals}: an action, a function of your own, or `false` to leave a signal alone
 * @returns removes every handler; a stop that is under way goes on. Idempotent
 * @throws PreforkError `ERR_PREFORK_OPTION` for SIGKILL, SIGSTOP, SIGUSR1 (Node's inspector), an unknown signal
 * or action; nothing is installed then
 *
 * @example
 * ```ts
 * const uninstall = installSignals(server, {
 *   SIGUSR2: async () => console.log(await server.status()),
 *   SIGTTIN: false,
 * });
 * ```
 */
export function installSignals(
  server: SignalTarget,
  map: SignalMap = {},
  options: SignalOptions = {},
): () => void {
  const { relayedWithinMs = RELAYED_WITHIN_MS } = options;
  const onError = options.onError ?? warn;
  const effects = resolveSignals(map);
  const listeners = new Map<NodeJS.Signals, NodeJS.SignalsListener>();
  let interruptedAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;

  const release = (isToGo: (effect: unknown) => boolean): void => {
    for (const [signal, listener] of listeners) {
      if (!isToGo(effects.get(signal))) continue;
      process.off(signal, listener);
      listeners.delete(signal);
    }
  };
  const ending = new ServerEnding(server, {
    onError,
    onStopping: (signal) => options.onStopping?.(signal),
    onStopped: () => {
      // Not yet: npm's second SIGINT may be on its way, and would end the process before its exit code is told.
      timer = setTimeout(
        () => release((effect) => endings.has(effect)),
        relayedWithinMs,
      ).unref();
      options.onStopped?.();
    },
  });
  const act = (
    effect: SignalAction | SignalHandler,
    signal: NodeJS.Signals,
  ): unknown => {
    if (typeof effect === "function") return effect(signal);
    switch (effect) {
      case "reload":
        return ending.hasBegun ? undefined : server.reload();
      case "add-worker":
        return ending.hasBegun ? undefined : server.scale({ by: 1 });
      case "remove-worker":
        return ending.hasBegun ? undefined : server.scale({ by: -1 });
      case "stop":
        return ending.stop(signal);
      case "interrupt":
        return ending.hasBegun ? ending.kill(signal) : ending.stop(signal);
      case "kill":
        return ending.kill(signal);
    }
  };
  const handle = async (
    effect: SignalAction | SignalHandler,
    signal: NodeJS.Signals,
  ): Promise<void> => {
    try {
      await act(effect, signal);
    } catch (error) {
      onError(error, signal);
    }
  };

  for (const [signal, effect] of effects) {
    const canBeRelay = signal === "SIGINT" || signal === "SIGTERM";
    const listener = (): void => {
      const sinceInterrupt = performance.now() - interruptedAt;
      if (canBeRelay && sinceInterrupt < relayedWithinMs) return;
      void handle(effect, signal);
      // Taken after what was done at once: a relayed signal waits meanwhile.
      if (signal === "SIGINT") interruptedAt = performance.now();
    };
    listeners.set(signal, listener);
    process.on(signal, listener);
  }
  return () => {
    clearTimeout(timer);
    release(() => true);
  };
}

function warn(error: unknown, signal: NodeJS.Signals): void {
  process.emitWarning(
    error instanceof Error ? error : new Error(`${signal}: ${String(error)}`),
  );
}

/** The defaults with the map over them, checked, without those that are left alone. */
function resolveSignals(
  map: SignalMap,
): ReadonlyMap<NodeJS.Signals, SignalAction | SignalHandler> {
  const effects = new Map<NodeJS.Signals, SignalAction | SignalHandler>();
  for (const [name, effect] of Object.entries({ ...defaultSignals, ...map })) {
    if (effect === false) continue;
    if (!isSignal(name)) {
      // Windows has no SIGUSR2, for one; that is no reason not to run there.
      if (!(name in map)) continue;
      throw wrong(`${name} is no signal of this system`, "correct its name");
    }
    const why = untouchable[name];
    if (why !== undefined)
      throw wrong(
        `${name} can't be given a handler, ${why}`,
        "choose another, such as SIGUSR2",
      );
    if (typeof effect !== "function" && !actions.includes(effect))
      throw wrong(
        `${name} is ${JSON.stringify(effect)}`,
        `give a function, false, or one of ${actions.join(", ")}`,
      );
    effects.set(name, effect);
  }
  return effects;
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(os.constants.signals, name);
}

function wrong(what: string, remedy: string): PreforkError {
  return new PreforkError(
    "ERR_PREFORK_OPTION",
    `in the map of signals, ${what}: ${remedy}`,
  );
}
