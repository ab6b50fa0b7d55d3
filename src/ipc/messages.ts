/**
 * What the master and its processes say to each other: plain types, no logic.
 * Each travels as `{ cmd: COMMAND, body }`, see `channel.ts`.
 */
import type { Diagnostic } from "../diagnostic.js";

/**
 * Starts with `NODE_`, so that Node emits it as `internalMessage` and never as
 * `message`: the app's own `process.send` traffic and ours don't meet
 * (Node docs, child_process, "Event: 'message'" and `subprocess.send()`).
 */
export const COMMAND = "NODE_PREFORK_DEV";

/** The descriptor of the synchronous channel: one JSON line each way. */
export const SYNC_FD = 4;

/** Makes a process a worker's: what to run, and where to listen. The listening socket comes with it. */
export interface ProgramMessage {
  readonly type: "program";
  /** The compiled entry. */
  readonly output: string;
  /** The original entry. */
  readonly entry: string;
  /** `process.argv` from index 2 on. */
  readonly args: readonly string[];
  readonly worker: number;
  /** What the app's server says its address is: the front's, or without a front the worker's own. */
  readonly publicAddress: { readonly address: string; readonly port: number };
  /** Where to listen for the front; absent without a front. */
  readonly socketPath?: string;
}

/** The listening socket for a `bind` request comes with it, unless there is an error. */
export interface BoundMessage {
  readonly type: "bound";
  readonly id: number;
  readonly errorCode?: string;
}

/** Master to process. */
export type MasterMessage =
  /** Put the listening socket that comes with it into listening state, without accepting from it. */
  | { readonly type: "arm" }
  | ProgramMessage
  /** Accept no more on the worker's port, let go of keep-alive connections; answer `drained`. */
  | { readonly type: "drain"; readonly lingerMs: number }
  /** The drain deadline has passed: end event streams and upgraded sockets; answer `finished`. */
  | { readonly type: "finish" }
  | BoundMessage;

/** What the adopted server speaks; the front can lease to the first two. */
export type ServedProtocol = "http" | "https" | "other";

/** Process to master. */
export type ProcessMessage =
  /** The runtime is up and listens for messages. */
  | { readonly type: "hello" }
  /** The app listens. */
  | { readonly type: "ready"; readonly protocol: ServedProtocol }
  /** The app threw while it was loaded; the process exits. */
  | { readonly type: "failed"; readonly diagnostic: Diagnostic }
  /** An exception that nobody caught; the process exits. */
  | { readonly type: "fault"; readonly diagnostic: Diagnostic }
  | { readonly type: "warning"; readonly message: string }
  /** No direct connection is left. */
  | { readonly type: "drained" }
  | { readonly type: "finished" }
  /** The app listens on a further port: the master is to own that socket as well. */
  | {
      readonly type: "bind";
      readonly id: number;
      readonly host: string | undefined;
      readonly port: number;
    };

/** A line on the synchronous channel, process to master: what does this computed specifier mean? */
export interface ResolveRequest {
  /** Absolute path of the original importer. */
  readonly from: string;
  readonly specifier: string;
  readonly kind: "import" | "require";
}

/** The answer, one line. */
export type ResolveAnswer =
  /** A source of the project: its compiled file and its original path. */
  | { readonly kind: "output"; readonly path: string; readonly source: string }
  /** Not the project's: Node resolves it. */
  | { readonly kind: "node" }
  | { readonly kind: "failed"; readonly message: string };
