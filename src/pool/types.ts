/** The plain values of the pool. Types only. */
import type { Diagnostic } from "../diagnostic.js";
import type {
  ResolveAnswer,
  ResolveRequest,
  ServedProtocol,
} from "../ipc/messages.js";

/** What a process is to run: one generation's program. */
export interface Program {
  /** The generation's number. */
  readonly generation: number;
  /** Absolute path of the compiled entry. */
  readonly output: string;
  /** Absolute path of the original entry. */
  readonly entry: string;
  /** The environment, whole. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Answers a computed specifier of a process that runs this program. */
  readonly resolve: (request: ResolveRequest) => Promise<ResolveAnswer>;
}

/** Times of a process's life, in milliseconds. Documented where they are options of the server. */
export interface Deadlines {
  readonly bootTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly lingerMs: number;
}

/** A line that a process wrote to stdout or stderr. */
export interface OutputLine {
  readonly worker: number;
  readonly pid: number;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the process said about its end, if it could. */
  readonly diagnostic: Diagnostic | undefined;
}

/** A ready process. */
export interface ReadyProcess {
  readonly protocol: ServedProtocol;
  /** From fork to listening. */
  readonly bootMs: number;
}
