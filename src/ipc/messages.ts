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

/** A module of mixins. */
export interface MixinOutput {
  /** Absolute path of the original. */
  readonly source: string;
  /** Absolute path of its compiled file. */
  readonly output: string;
}

/** What a process needs to know of its worker's mixins. */
export interface WorkerMixins {
  /** In the order in which they're applied. */
  readonly modules: readonly MixinOutput[];
  /** What `onRegister` came to, encoded (`commands/values.ts`); absent: nothing. */
  readonly state?: string;
  /** The deadline of `onStart`, in milliseconds. */
  readonly hookTimeoutMs: number;
}

/** What to run, and for which worker. */
export interface WorkerProgram {
  /** The compiled entry. */
  readonly output: string;
  readonly worker: number;
  /** The worker's own port. */
  readonly workerPort: number;
  /** What the app's server says its address is: the front's, or without a front the worker's own. */
  readonly publicAddress: { readonly address: string; readonly port: number };
  /** Where to listen for the front; absent without a front. */
  readonly socketPath?: string;
  /** Absent when there are none. */
  readonly mixins?: WorkerMixins;
}

/** A module to evaluate ahead. */
export interface AheadStep {
  /** The file to load; what it imports and wasn't loaded yet is evaluated before it. */
  readonly file: string;
  /** The compiled CommonJS module that requires it, which becomes its `module.parent`; absent when it is imported. */
  readonly requiredBy?: string;
}

/** What a process does next. The first order comes as a message, the others as answers to a {@link StandingRequest}. */
export type Order =
  /** Start the HTTP stack and use it once. */
  | { readonly kind: "warm" }
  /** Load modules without evaluating them. */
  | { readonly kind: "link"; readonly files: readonly string[] }
  | { readonly kind: "evaluate"; readonly step: AheadStep }
  /** Become a worker's process: load the rest, listen. */
  | { readonly kind: "activate"; readonly program: WorkerProgram };

/** The program's constants, known before a worker is. */
export interface BeginMessage {
  readonly type: "begin";
  /** The original entry: `process.argv[1]`, `require.main`. */
  readonly entry: string;
  /** `process.argv` from index 2 on. */
  readonly args: readonly string[];
  /** Is the compiled entry an ES module? It is evaluated in a microtask then, as under plain Node. */
  readonly isModule: boolean;
  /** A directory for files that the process needs for an instant. */
  readonly runDirectory: string;
  /** A directory for V8's code cache. */
  readonly codeCache: string;
  readonly order: Order;
}

/** The listening socket for a `bind` request comes with it, unless there is an error. */
export interface BoundMessage {
  readonly type: "bound";
  readonly id: number;
  readonly errorCode?: string;
}

/** Run a command, and answer. Values are encoded (`commands/values.ts`). */
export interface CommandMessage {
  readonly type: "command";
  readonly id: number;
  readonly name: string;
  readonly args: string;
}

/** Why a command has no value: there's none of that name, it threw, or its value can't be encoded. */
export interface AnswerError {
  readonly reason: "unknown" | "threw" | "value";
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
}

/** The answer to a {@link CommandMessage}: each gets one. */
export interface AnswerMessage {
  readonly type: "answer";
  readonly id: number;
  readonly value?: string;
  readonly error?: AnswerError;
}

/** Master to process. */
export type MasterMessage =
  /** Put the listening socket that comes with it into listening state, without accepting from it. */
  | { readonly type: "arm" }
  /** A worker's listening socket comes with it, for the case that the process becomes that worker's. */
  | { readonly type: "socket"; readonly worker: number }
  | BeginMessage
  /** Accept no more on the worker's port, answer `closed`; let go of keep-alive connections, answer `drained`. */
  | { readonly type: "drain"; readonly lingerMs: number }
  /** Does your event loop turn? Answer `pong`. */
  | { readonly type: "ping" }
  /** The drain deadline has passed: end event streams and upgraded sockets; answer `finished`. */
  | { readonly type: "finish" }
  | CommandMessage
  | BoundMessage;

/** What the adopted server speaks; the front can lease to the first two. */
export type ServedProtocol = "http" | "https" | "other";

/** Process to master. */
export type ProcessMessage =
  /** The runtime is up and listens for messages. */
  | { readonly type: "hello" }
  /** The app listens. */
  | {
      readonly type: "ready";
      readonly protocol: ServedProtocol;
      /** Times on the clock of `Date.now()`, with fractions of a millisecond. */
      readonly activatedAt: number;
      readonly loadedAt: number;
    }
  /** What was evaluated ahead doesn't go with this program after all; the process exits. */
  | {
      readonly type: "unfit";
      readonly reason: string;
      /** The original file that it's about, when that's known. */
      readonly file?: string;
    }
  /** The app threw while it was loaded; the process exits. */
  | { readonly type: "failed"; readonly diagnostic: Diagnostic }
  /** An exception that nobody caught; the process exits. */
  | { readonly type: "fault"; readonly diagnostic: Diagnostic }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "pong"; readonly rssBytes: number }
  /** Nothing more is accepted on the worker's port. */
  | { readonly type: "closed" }
  /** No direct connection is left. */
  | { readonly type: "drained" }
  | { readonly type: "finished" }
  | AnswerMessage
  /** The app listens on a further port: the master is to own that socket as well. */
  | {
      readonly type: "bind";
      readonly id: number;
      readonly host: string | undefined;
      readonly port: number;
    };

/** What does this computed specifier mean? */
export interface ResolveRequest {
  /** Absolute path of the original importer. */
  readonly from: string;
  readonly specifier: string;
  readonly kind: "import" | "require";
}

/** An order was carried out as far as it could be; the answer is the next {@link Order}, whenever it comes. */
export interface StandingRequest {
  readonly kind: "standing";
  /** Why an `evaluate` or `link` did nothing, harmlessly. */
  readonly refused?: string;
  readonly rssBytes: number;
}

/** Something happened in a process that stands by which makes it useless: it ends. No answer. */
export interface TroubleNotice {
  readonly kind: "trouble";
  /** As a predicate: "calls listen()". */
  readonly reason: string;
  /** The original file that did it, when that's known. */
  readonly file?: string;
}

/** A line on the synchronous channel, process to master. */
export type SyncRequest = ResolveRequest | StandingRequest | TroubleNotice;

/** The answer to a {@link ResolveRequest}, one line. */
export type ResolveAnswer =
  /** A source of the project: its compiled file and its original path. */
  | { readonly kind: "output"; readonly path: string; readonly source: string }
  /** Not the project's: Node resolves it. */
  | { readonly kind: "node" }
  | { readonly kind: "failed"; readonly message: string };
