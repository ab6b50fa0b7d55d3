/** The plain values that the front takes and gives. Types only. */
import type { Diagnostic } from "../diagnostic.js";
import type { FrontNumbers } from "./numbers/types.js";

/** Where a process answers the front, and as what. */
export interface FrontTarget {
  /** Unique for the life of the master. */
  readonly id: number;
  /** The worker's index, from 0: `x-prefork-worker`. */
  readonly worker: number;
  /** `x-prefork-generation`. */
  readonly generation: number;
  /** The private endpoint: a Unix socket's path (or Windows pipe). */
  readonly socketPath: string;
  readonly protocol: "http" | "https";
}

/** Which processes get new leases: see DESIGN "fresh". */
export type Consistency = "fresh" | "available";

/** Whose `X-Forwarded-*` and `Forwarded` fields are believed: those of peers on this machine, of all, of nobody. */
export type TrustProxy = "loopback" | "all" | "none";

/**
 * Host names that the front answers to besides localhost and addresses; one with a dot in front allows all that ends with it
 * as well. `true`: any name.
 */
export type AllowedHosts = readonly string[] | true;

/** A certificate and its key, in PEM. */
export interface FrontTls {
  /** The certificate, perhaps with those behind it that lead to a root. */
  readonly cert: string;
  readonly key: string;
  /** Of the key. */
  readonly passphrase?: string;
  /** Further certificates that lead to a root. */
  readonly ca?: string;
}

/** Bounds on what clients may do. All are options of the front. */
export interface FrontLimits {
  /**
   * From a request's first byte (on a new connection: from its start) to the end of its header, in milliseconds; then it is
   * answered 408, and a connection on which nothing was said is closed. Looked after every few seconds. 0 turns it off. Default: 60,000.
   */
  readonly headersTimeoutMs: number;
  /**
   * The longest pause in the arrival of a request's body, in milliseconds; then the request is answered 408 and taken from the
   * process. While nobody reads (the request is held, the process holds back) no time passes. 0 turns it off. Default: 60,000.
   */
  readonly bodyTimeoutMs: number;
  /**
   * How long a connection may be idle after an answer, in milliseconds; then it is closed. Longer than any browser keeps one,
   * so that none is closed just when it's used. 0 turns it off. Default: 330,000.
   */
  readonly keepAliveTimeoutMs: number;
  /**
   * The most that a request's target and header fields may be together, in bytes; then it is answered 431. Node's server, in
   * the processes, has the same limit: whoever raises one raises the other with `--max-http-header-size`. Default: 16,384.
   */
  readonly maxHeaderBytes: number;
  /**
   * The most header fields that a request may have; then it is answered 431. Node's server takes 1,000 in the processes and
   * leaves out the rest without a word, and the front adds a few. Default: 900.
   */
  readonly maxHeaders: number;
}

/** What the front's own endpoints show and do. docs/front.md, "Security model". */
export interface OwnEndpoints {
  /** Are they there? Else their paths are the app's. Asked for each request. */
  isOpen(): boolean;
  /** What `GET /__prefork/status` shows, a JSON value; anybody on this machine may see it. */
  status(): unknown;
  /** What `POST /__prefork/reload` does; fulfils with a JSON value. */
  reload(): Promise<unknown>;
}

/** What `createFront` takes. The bounds on clients are those of {@link FrontLimits}. */
export interface FrontOptions extends Partial<FrontLimits> {
  /** The address to listen on. */
  readonly host: string;
  /** Listened on as well, if this machine has it: `::1` beside `127.0.0.1`. Default: none. */
  readonly twinHost?: string | undefined;
  /** The port to listen on; 0 lets the system pick one. */
  readonly port: number;
  readonly consistency: Consistency;
  /**
   * The longest a request waits while no process can take it, in milliseconds; then a process gets it whose
   * event loop is blocked, if there is one, else it is answered 503. Default: 30,000.
   */
  readonly holdTimeoutMs?: number;
  /** How many requests may wait at a time; those beyond fare as at the end of `holdTimeoutMs`. Read whenever it's needed. Default: 1,000. */
  readonly maxHeld?: number;
  /**
   * How many requests a process is given at a time; the others wait. Open event streams and upgraded sockets don't count. 0: no
   * limit. Read whenever it's needed; call {@link Front.wake} when it was changed. Default: 0.
   */
  readonly concurrency?: number;
  /**
   * Asks a process whether its event loop turns: fulfils with the answer, never rejects. Without it the front takes every loop to turn.
   *
   * @param id - of a process that was admitted
   */
  readonly probe?: (id: number) => Promise<void>;
  /**
   * The longest a request is held for the sake of freshness, in milliseconds;
   * then the newest process that is ready gets it. Default: 10,000.
   */
  readonly freshTimeoutMs?: number;
  /**
   * Whose `X-Forwarded-*` and `Forwarded` fields are believed, and added to: those of peers on this machine (a tunnel, a TLS
   * terminator), of `all`, of `none`. What others say is replaced. Default `loopback`.
   */
  readonly trustProxy?: TrustProxy;
  /** Which Host names are answered. Read for each request. Default `true`. */
  readonly allowedHosts?: AllowedHosts;
  /** What the front's own endpoints, under `/__prefork/`, show and do. Default: there are none. */
  readonly endpoints?: OwnEndpoints;
  /** With it the port speaks HTTPS: HTTP/2 and HTTP/1.1. Default: HTTP/1.1 without TLS. */
  readonly tls?: FrontTls;
  /** Gets one line whenever the front refused a request (400, 501), or itself had to answer for the app (502, 503). Default: nobody. */
  readonly log?: (line: string) => void;
}

/** What went wrong, for clients of whose requests nothing came. */
export interface Outage {
  /** A sentence. */
  readonly title: string;
  /** What is wrong in the user's code. Default: nothing known. */
  readonly diagnostics?: readonly Diagnostic[];
  /** The last lines that a process wrote to stderr. Default: none. */
  readonly lastWords?: readonly string[];
}

/** Where the front listens. */
export interface FrontAddress {
  readonly host: string;
  /** That, and the other address, if it listens there as well. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** Without a trailing slash. */
  readonly url: string;
}

/** One process as the front sees it. */
export interface FrontTargetStats {
  readonly id: number;
  readonly worker: number;
  readonly generation: number;
  /** `connected`: known, but not admitted yet. */
  readonly state: "connected" | "admitted" | "draining";
  /** Requests and upgraded sockets that it has in hand. */
  readonly leases: number;
  /** How many of them are open event streams and upgraded sockets. */
  readonly streams: number;
  /** Is its event loop known to be blocked? */
  readonly isBlocked: boolean;
  /** Leases it was ever given. */
  readonly requests: number;
}

/** Counters since the front was made, and what it has in hand. */
interface FrontStats {
  /** Requests and upgrades received that may be passed on. */
  readonly requests: number;
  /** Requests refused: malformed, too large or too slow (4xx, 501, 505). Most of them reached no process. */
  readonly refused: number;
  /** Requests that wait at this moment. */
  readonly held: number;
  /** Requests that ever had to wait. */
  readonly heldTotal: number;
  /** Times that a request was given to a second process. */
  readonly retries: number;
  /** Sockets that were upgraded (WebSocket and others). */
  readonly upgrades: number;
  /** Answers that the front wrote itself, for want of one of the app's. */
  readonly ownAnswers: number;
  readonly targets: readonly FrontTargetStats[];
}

/** The listener on the public URL. Made by `createFront`. */
export interface Front {
  /**
   * Starts to listen.
   *
   * @throws PreforkError `ERR_PREFORK_PORT` when the port can't be had
   */
  listen(): Promise<FrontAddress>;

  /**
   * Makes one connection to a process that is listening, and keeps it for the
   * first request. Doesn't admit the process.
   *
   * @throws PreforkError `ERR_PREFORK_BOOT` when the process can't be connected to
   */
  connect(target: FrontTarget): Promise<void>;

  /**
   * In one tick: `target` gets leases from now on, and `retiring` none any more.
   *
   * @param retiring - the id of the process that `target` replaces
   */
  admit(target: FrontTarget, retiring?: number): void;

  /**
   * The process is never picked again.
   *
   * @returns resolved when its last lease is back and the front's sockets to it
   * are destroyed: only then may the process be told to stop. At once for an unknown id.
   */
  drain(id: number): Promise<void>;

  /**
   * The process has died. Idle sockets are destroyed; what it had in hand goes
   * elsewhere where that is safe, else is answered 502 or cut off.
   */
  remove(id: number): void;

  /**
   * Opens the fresh window: until the returned function is called, new
   * requests wait with their bodies unread. Windows overlap; the function may be called twice.
   * No effect with consistency `available`.
   */
  hold(): () => void;

  /** Looks again whether those that wait can be given to a process: an option has changed. */
  wake(): void;

  /** What a 503 says while nothing is ready. Forgotten when a process is admitted. */
  setOutage(outage: Outage): void;

  /**
   * Another certificate, for connections from now on. Without `tls` it does nothing.
   *
   * @throws Error of Node's when certificate and key are no pair; the old one stays in use
   */
  setCertificate(tls: FrontTls): void;

  /** How many requests and upgraded sockets a process has in hand; 0 for an unknown id. */
  leases(id: number): number;

  /** Are requests being answered at this moment? Those that are held don't count, nor open streams. */
  isAnswering(): boolean;

  /** `performance.now()` when a process's first answer came; `undefined` before, or for an unknown id. */
  firstAnswerAt(id: number): number | undefined;

  /** Fulfils with a process's first answer, if there ever is one. Never rejects. */
  firstAnswer(id: number): Promise<void>;

  stats(): FrontStats;

  /** All that is counted; costs more than `stats`. */
  numbers(): FrontNumbers;

  /**
   * Stops accepting, lets what is in hand finish, then destroys what is left. Later calls return the first one's promise.
   *
   * @param options - `deadlineMs`: how long requests in hand may take
   */
  close(options: { deadlineMs: number }): Promise<void>;
}
