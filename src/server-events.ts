/** What a server tells: its events, the outcome of a reload, its status. Types only. */
import type { CertificateInfo } from "./certificates/types.js";
import type { Diagnostic } from "./diagnostic.js";
import type { FrontNumbers, WorkerNumbers } from "./front/numbers/types.js";
import type {
  ProcessEvent,
  WorkerEvent,
  WorkerStatus,
} from "./master/types.js";
import type { UpstreamStatus } from "./upstream/types.js";
import type { OutputLine, StandbyEvent, StandbyStatus } from "./pool/types.js";
import type { StepEvent, StepStatus } from "./steps/types.js";

/**
 * Where the time from a save to the first answer went: steps that follow one another, in milliseconds. `undefined` where a
 * step didn't take place: there is no event when a call asked for the reload, and no answer before a request.
 */
export interface StepTimes {
  /** From the file's modification time to the first event. The system's clock for files has a resolution of some 4 ms. */
  readonly eventMs: number | undefined;
  /** Until the change batch was closed. */
  readonly batchMs: number | undefined;
  /** Until the manifest's steps (`run`) had run; `undefined`: none was due. */
  readonly runMs: number | undefined;
  /** Until the changed sources were compiled and the graph was known. */
  readonly compileMs: number;
  /** Until the closure's output was written. */
  readonly linkMs: number;
  /** Until the first process had begun to load it: forked, or activated if it was a standby. */
  readonly activateMs: number;
  /** Until the program called `listen()`. */
  readonly loadMs: number;
  /** Until it listened, the master knew, and the front was connected to it. */
  readonly listenMs: number;
  /** Until its first answer came to the front. */
  readonly firstAnswerMs: number | undefined;
}

/** How a reload ended. Times in milliseconds, counted from the first sign of the change or from the call. */
export type ReloadOutcome =
  | {
      readonly kind: "done";
      readonly generation: number;
      /** The files that were changed; empty when it was asked for by a call. */
      readonly changed: readonly string[];
      /** The sources that had to be reloaded: the closure of the change. */
      readonly closure: readonly string[];
      readonly compileMs: number;
      /** Until the first worker ran the new generation. */
      readonly firstMs: number;
      /** Until all did. */
      readonly allMs: number;
      /** Was the first worker's new process a standby? */
      readonly isStandby: boolean;
      readonly steps: StepTimes;
    }
  /** The change concerns no source. */
  | { readonly kind: "unchanged" }
  /** A newer change took over before every worker ran this one; without a number, before it was built: a step was cancelled. */
  | { readonly kind: "superseded"; readonly generation?: number }
  | ReloadFailure
  /** The server was stopped meanwhile. */
  | { readonly kind: "stopped" };

/** A reload that came to nothing: the last good generation, if there is one, serves on. */
export interface ReloadFailure {
  readonly kind: "failed";
  /** What failed: reading the manifest or the env file, compiling (or a step before it), or the first process. */
  readonly phase: "project" | "compile" | "boot";
  readonly diagnostics: readonly Diagnostic[];
  readonly changed: readonly string[];
  /** The generation that serves on. */
  readonly serving: number | undefined;
  /** Has the very same failure been told before? */
  readonly repeated: boolean;
}

/** Where a server listens. */
export interface ServerAddress {
  /** The front's URL; without a front worker 0's. */
  readonly url: string;
  /** The addresses that it listens on at that port: with the default both `127.0.0.1` and, where there is one, `::1`. */
  readonly hosts: readonly string[];
  /** The front's certificate at the start; `undefined`: it speaks no HTTPS. */
  readonly certificate?: CertificateInfo;
  readonly port: number;
  readonly workers: readonly {
    readonly index: number;
    readonly port: number;
  }[];
}

/** What the front has counted since it was made; docs/front.md says what each means. */
export interface FrontStatus extends Omit<
  FrontNumbers,
  "holds" | "workers" | "latencies" | "targets"
> {
  /** How long requests had to wait that don't any more, all together, in milliseconds; */
  readonly holdSumMs: number;
  /** half of them not longer than that; */
  readonly holdP50Ms: number | undefined;
  /** 99 of a hundred not longer than that. */
  readonly holdP99Ms: number | undefined;
}

/** What the front has counted for a worker, over all of its processes, and how fast its process answers. */
export interface WorkerTraffic extends Omit<WorkerNumbers, "worker"> {
  /** From the lease to the head of an answer, of its processes of the generation that it runs, in milliseconds, estimated. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** A worker in a server's status. */
export interface ServedWorkerStatus extends WorkerStatus {
  /** `undefined` without a front, or before its first process. */
  readonly traffic: WorkerTraffic | undefined;
}

/** A server's state, as {@link DevServer.status} gives it. */
export interface ServerStatus {
  /** The project's name. */
  readonly name: string;
  /** Its manifest, or without one its entry: an absolute path; behind it `#<name>` where the manifest has several projects. */
  readonly target: string;
  readonly pid: number;
  /** Since the server was made, in milliseconds. */
  readonly uptimeMs: number;
  readonly url: string | undefined;
  /** The addresses at which the port of `url` is listened on. */
  readonly hosts: readonly string[];
  /** The certificate that the front has now; `undefined`: it speaks no HTTPS. */
  readonly certificate: CertificateInfo | undefined;
  readonly generation: number | undefined;
  /** How many sources the last good build has. */
  readonly sources: number;
  readonly workers: readonly ServedWorkerStatus[];
  /** `undefined`: there is none. */
  readonly front: FrontStatus | undefined;
  readonly standbys: readonly StandbyStatus[];
  /** Modules that standbys don't evaluate ahead, since they misbehaved when they did. */
  readonly notAhead: readonly {
    readonly path: string;
    readonly reason: string;
  }[];
  /**
   * Sources that are loaded although the manifest, which lists sources, doesn't list them: absolute paths, sorted. Only while the
   * server watches; none without such a list.
   */
  readonly undeclared: readonly string[];
  /** External fronts, in the order given. */
  readonly upstreams: readonly UpstreamStatus[];
  /** The manifest's steps (`run`), in the order of the list. */
  readonly steps: readonly StepStatus[];
  /** How the last reload ended. */
  readonly lastRoll: ReloadOutcome | undefined;
  /** The last reload that failed, until one has succeeded. */
  readonly lastError: ReloadFailure | undefined;
}

/** The events of a server, each with its one argument. */
export interface ServerEvents {
  /** The front and the workers' ports are bound. */
  listening: [ServerAddress];
  /** The files of the front's certificate have changed: it has another one for new connections. */
  certificate: [CertificateInfo];
  /** A reload has begun, whoever asked for it. Each is followed by a `reload`. */
  reloading: [];
  /** A reload has ended, whoever asked for it. */
  reload: [ReloadOutcome];
  /** Sources were changed that never reload (`reload: false` in the manifest): their absolute paths. */
  unreloaded: [readonly string[]];
  /** A step of the manifest (`run`) was started, is done, failed or was cancelled. */
  step: [StepEvent];
  /**
   * Sources are loaded that the manifest, which lists sources, doesn't list: the absolute paths of those that weren't told before.
   * They're watched all the same. Only while the server watches.
   */
  undeclared: [readonly string[]];
  /** A worker got its port, or gave it back. */
  worker: [WorkerEvent];
  /** A process was forked, is ready, drains, stopped, died or failed to boot. */
  process: [ProcessEvent];
  /** A standby was forked, stands by or was discarded; or a module isn't evaluated ahead any more. */
  standby: [StandbyEvent];
  /** A worker wrote a line. */
  output: [OutputLine];
  /** Something the developer should know that stops nothing. */
  warning: [string];
  /** It begins to stop, whoever asked for it. */
  stopping: [];
  /** Everything is closed and given back. */
  stopped: [];
}
