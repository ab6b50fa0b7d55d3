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
  /** Fulfils with the first answer of a process that was admitted, if there ever is one; at once where that isn't known. Never rejects. */
  firstAnswer(target: ServingProcess): Promise<void>;
  /** A worker's port answers. */
  expose(worker: number): void;
  /** Workers are about to leave: fulfils when nothing sends new requests to their ports. Never rejects. */
  withdraw(workers: readonly number[]): Promise<void>;
  /** Resolves when the last lease is back. */
  drain(target: ServingProcess): Promise<void>;
  /** The process is gone or its drain is over: nothing of it is to be used any more. */
  remove(target: ServingProcess): void;
  /** What a process has in hand and ever had, where that's known. */
  load(target: ServingProcess): ProcessLoad | undefined;
}

/** Requests of a process. */
export interface ProcessLoad {
  /** Requests and upgraded sockets in hand. */
  readonly leases: number;
  /** How many of them are open event streams and upgraded sockets. */
  readonly streams: number;
  /** Those that it was ever given. */
  readonly requests: number;
}

/** How a change of the number of workers ended. */
export type ScaleOutcome =
  /** There are so many workers, and each has a process that is ready; those that had to go are gone. */
  | { readonly kind: "done"; readonly workers: number }
  /** There are so many workers, but a new one's process didn't start; it's tried again like any other. */
  | {
      readonly kind: "failed";
      readonly workers: number;
      readonly diagnostic: Diagnostic;
    }
  /** Another number was asked for meanwhile. */
  | { readonly kind: "superseded"; readonly workers: number }
  /** The server was stopped meanwhile. */
  | { readonly kind: "stopped" };

/** How the asked-for start or replacement of one worker's process ended. */
export type RestartOutcome =
  | { readonly kind: "done"; readonly pid: number }
  | { readonly kind: "failed"; readonly diagnostic: Diagnostic }
  /** The server was stopped meanwhile, or the worker, or it's no more. */
  | { readonly kind: "stopped" };

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

/** What happens to workers themselves. */
export type WorkerEvent =
  /** It has its port. */
  | {
      readonly kind: "registered";
      readonly worker: number;
      readonly port: number;
    }
  /** Its port is given back. */
  | {
      readonly kind: "unregistered";
      readonly worker: number;
      readonly port: number;
    };

/**
 * Why a process is started: the worker is new (or was stopped), there is new code, the last one died, the last boot
 * failed, somebody asked, or the last one's event loop is blocked.
 */
export type StartReason =
  "start" | "reload" | "died" | "retry" | "asked" | "hung";

/** Why a process is ended: another has taken its place, there are to be fewer workers, somebody asked, its event loop is blocked, the server stops. */
export type EndReason = "replaced" | "scaled" | "asked" | "hung" | "stop";

/** Which process an event is about. */
export interface ProcessIdentity {
  readonly worker: number;
  readonly pid: number;
  /** The worker's own port. */
  readonly port: number;
  readonly generation: number;
}

/** What happens to processes, in the order it happens. */
export type ProcessEvent = ProcessIdentity &
  (
    | { readonly kind: "forked"; readonly reason: StartReason }
    /** A standby became this worker's process. */
    | { readonly kind: "activated"; readonly reason: StartReason }
    | {
        readonly kind: "ready";
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
    | { readonly kind: "draining"; readonly reason: EndReason }
    | { readonly kind: "stopped"; readonly reason: EndReason }
    /** Its event loop is blocked: no heartbeat for so long, in milliseconds. Told once, until it is responsive again. */
    | {
        readonly kind: "hung";
        readonly silentMs: number;
        readonly isReplaced: boolean;
      }
    | { readonly kind: "responsive"; readonly silentMs: number }
    /** A serving process ended without being asked to. */
    | {
        readonly kind: "died";
        readonly code: number | null;
        readonly signal: NodeJS.Signals | null;
        readonly diagnostic: Diagnostic | undefined;
        /** The last lines that it wrote to stderr. */
        readonly lastWords: readonly string[];
        /** Before the next boot; 0: at once. */
        readonly backoffMs: number;
      }
    | {
        readonly kind: "boot-failed";
        readonly diagnostic: Diagnostic;
        /** Before the next try; `undefined`: only a new generation helps. */
        readonly retryMs: number | undefined;
      }
  );

/** The state of one worker. What is about its process is `undefined` while it has none. */
export interface WorkerStatus {
  readonly index: number;
  readonly port: number;
  readonly pid: number | undefined;
  readonly generation: number | undefined;
  /** `draining`: it leaves or was stopped, and its last process isn't gone yet. `backoff`: it has no process, and the next start waits. */
  readonly state: "booting" | "ready" | "draining" | "stopped" | "backoff";
  /** How many replaced processes still drain. */
  readonly draining: number;
  /** How often a process of it died or was replaced because it hung. */
  readonly restarts: number;
  /** How long the process has been serving, in milliseconds. */
  readonly uptimeMs: number | undefined;
  /** From fork, or a standby's activation, to listening. */
  readonly bootMs: number | undefined;
  /** Requests and upgraded sockets that the front has given to it and that aren't done; `undefined` without a front. */
  readonly leases: number | undefined;
  /** Those that the front ever gave to the process. */
  readonly requests: number | undefined;
  /** Resident memory at its last heartbeat, in bytes. */
  readonly rssBytes: number | undefined;
  /** How long its last heartbeat took: the delay of its event loop, in milliseconds. */
  readonly loopDelayMs: number | undefined;
  /** Has it missed its heartbeat for longer than `hangTimeoutMs`? */
  readonly isHung: boolean;
}
