/** The plain values of the master. Types only. */
import type { Diagnostic } from "../diagnostic.js";
import type { ServedProtocol } from "../ipc/messages.js";
import type { ReadyProcess } from "../pool/types.js";

/** A process that serves, as whoever sends it requests needs to know it. */
export interface ServingProcess {
  /** Unique for the life of the master. */
  readonly id: number;
  readonly worker: number;
  readonly pid: number;
  readonly generation: number;
  readonly socketPath: string | undefined;
  readonly protocol: ServedProtocol;
}

/** How the master talks to what sends requests to the processes: the front, or nobody. */
export interface Traffic {
  /** Makes a first connection to a process that is ready. */
  connect(target: ServingProcess): Promise<void>;
  /** In one tick: the target gets requests, the retiring one none any more. */
  admit(target: ServingProcess, retiring: ServingProcess | undefined): void;
  /** Resolves when the last lease is back. */
  drain(target: ServingProcess): Promise<void>;
  /** The process is gone or its drain is over: nothing of it is to be used any more. */
  remove(target: ServingProcess): void;
}

/** The first process of a generation, and where the time of its boot went. */
export interface Canary extends ReadyProcess {
  /** As in {@link ServingProcess}. */
  readonly id: number;
  readonly isStandby: boolean;
  /** From listening to the first connection by what sends it requests, in milliseconds. */
  readonly connectMs: number;
  /** `performance.now()` when it was given requests. */
  readonly admittedAt: number;
}

/** How a roll ended, for whoever asked for it. */
export type RollOutcome =
  | {
      readonly kind: "done";
      readonly generation: number;
      readonly firstMs: number;
      readonly allMs: number;
      readonly canary: Canary | undefined;
    }
  /** A newer generation took over before every worker ran this one. */
  | { readonly kind: "superseded"; readonly generation: number }
  | {
      readonly kind: "failed";
      readonly generation: number;
      readonly diagnostic: Diagnostic;
    }
  /** The server was stopped meanwhile. */
  | { readonly kind: "stopped"; readonly generation: number };

/** What happens to processes, in the order it happens. */
export type ProcessEvent =
  | {
      readonly kind: "forked";
      readonly worker: number;
      readonly pid: number;
      readonly generation: number;
    }
  /** A standby became this worker's process. */
  | {
      readonly kind: "activated";
      readonly worker: number;
      readonly pid: number;
      readonly generation: number;
    }
  | {
      readonly kind: "ready";
      readonly worker: number;
      readonly pid: number;
      readonly port: number;
      readonly generation: number;
      /** Was it a standby before? */
      readonly isStandby: boolean;
      /** From fork, or a standby's activation, to listening. */
      readonly bootMs: number;
      /** … of it: until the process began to load the program; */
      readonly activateMs: number;
      /** until the program called `listen()`, */
      readonly loadMs: number;
      /** until it listened and the master knew. */
      readonly listenMs: number;
    }
  | {
      readonly kind: "draining";
      readonly worker: number;
      readonly pid: number;
      readonly generation: number;
    }
  | {
      readonly kind: "stopped";
      readonly worker: number;
      readonly pid: number;
      readonly generation: number;
    }
  /** A serving process ended without being asked to. */
  | {
      readonly kind: "died";
      readonly worker: number;
      readonly pid: number;
      readonly generation: number;
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly diagnostic: Diagnostic | undefined;
      /** Before the next boot; 0: at once. */
      readonly backoffMs: number;
    }
  | {
      readonly kind: "boot-failed";
      readonly worker: number;
      readonly pid: number;
      readonly generation: number;
      readonly diagnostic: Diagnostic;
      /** Before the next try; `undefined`: only a new generation helps. */
      readonly retryMs: number | undefined;
    };

/** The state of one worker. */
export interface WorkerStatus {
  readonly index: number;
  readonly port: number;
  readonly pid: number | undefined;
  readonly generation: number | undefined;
  readonly state: "booting" | "ready" | "stopped" | "backoff";
  readonly draining: number;
}
