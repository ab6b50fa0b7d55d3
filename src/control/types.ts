/** The plain values of the control socket. Types only: all values are JSON's. docs/control-protocol.md says how they travel. */

/** Something that happened. `type` says what; the rest depends on it. */
export interface ControlEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** How many workers there are to be: a number, or so many more or fewer. */
export type ScaleRequest =
  { readonly workers: number } | { readonly by: number };

/** A command for the workers. */
export interface CommandRequest {
  readonly name: string;
  readonly args: readonly unknown[];
  /** The index of the worker that it's for. Default: all. */
  readonly worker?: number;
}

/** How a reload ended; what else it says depends on who serves it. */
export interface ReloadAnswer {
  /** Do the workers run what was asked for? */
  readonly ok: boolean;
  readonly [key: string]: unknown;
}

/** An answer that is no JSON. */
export interface ControlText {
  readonly contentType: string;
  readonly text: string;
}

/**
 * What the socket's requests do: plain functions, so that the socket knows
 * nothing of the server. One that throws or rejects becomes an error's answer, and never ends the master.
 */
export interface ControlHandlers {
  /** What runs at this moment. */
  status(): unknown;
  /** The numbers of that moment, as text for Prometheus. */
  metrics(): Promise<ControlText>;
  /**
   * Calls the listener for everything that happens from now on.
   *
   * @returns ends it; called once
   */
  subscribe(listener: (event: ControlEvent) => void): () => void;
  reload(): Promise<ReloadAnswer>;
  scale(request: ScaleRequest): Promise<unknown>;
  command(request: CommandRequest): Promise<unknown>;
  /** Resolves when everything is stopped. */
  stop(): Promise<unknown>;
}

/** What {@link openControlSocket} takes. */
export interface ControlOptions {
  /** Where to listen: `controlSocketPath()`, or any path in a directory that exists. */
  readonly path: string;
  readonly handlers: ControlHandlers;
  /** Told of what has nobody else to tell: a handler's bug, an error of the socket. Nothing ends by it. */
  readonly onError: (error: unknown) => void;
  /**
   * How long a request may take to arrive, from its first byte to its last, in milliseconds; its head at most 10,000 of
   * it. How long its answer takes is not limited. Default: 30,000.
   */
  readonly requestTimeoutMs?: number;
}

/** What an open control socket has in the file system: in this order it can be removed. */
export interface ControlRemains {
  readonly files: readonly string[];
  /** Only if they are empty: others' sockets may be in them. */
  readonly directories: readonly string[];
}

/** An open control socket. */
export interface ControlSocket {
  readonly path: string;
  /** What is left in the file system if the process is killed; whoever outlives it may remove it. */
  readonly remains: ControlRemains;
  /**
   * Gives the path back, ends the event streams and lets answers that are ready get out (at most 1 s). Idempotent.
   * An operation still under way is not waited for: call it when the server has stopped.
   */
  close(): Promise<void>;
}
