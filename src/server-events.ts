/** What a server tells: its events, the outcome of a reload, its status. Types only. */
import type { Diagnostic } from "./diagnostic.js";
import type { ProcessEvent, WorkerStatus } from "./master/types.js";
import type { OutputLine } from "./pool/types.js";

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
    }
  /** The change concerns no source. */
  | { readonly kind: "unchanged" }
  /** A newer change took over before every worker ran this one. */
  | { readonly kind: "superseded"; readonly generation: number }
  | ReloadFailure
  /** The server was stopped meanwhile. */
  | { readonly kind: "stopped" };

/** A reload that came to nothing: the last good generation, if there is one, serves on. */
export interface ReloadFailure {
  readonly kind: "failed";
  /** What failed: reading the manifest or the env file, compiling, or the first process. */
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
  readonly port: number;
  readonly workers: readonly {
    readonly index: number;
    readonly port: number;
  }[];
}

/** A server's state, as {@link DevServer.status} gives it. */
export interface ServerStatus {
  readonly pid: number;
  readonly url: string | undefined;
  readonly generation: number | undefined;
  /** How many sources the last good build has. */
  readonly sources: number;
  readonly workers: readonly WorkerStatus[];
}

/** The events of a server, each with its one argument. */
export interface ServerEvents {
  /** The front and the workers' ports are bound. */
  listening: [ServerAddress];
  /** A reload has ended, whoever asked for it. */
  reload: [ReloadOutcome];
  /** A process was forked, is ready, drains, stopped, died or failed to boot. */
  process: [ProcessEvent];
  /** A worker wrote a line. */
  output: [OutputLine];
  /** Something the developer should know that stops nothing. */
  warning: [string];
}
