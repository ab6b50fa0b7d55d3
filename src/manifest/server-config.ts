/** The options of a server that a manifest may give. Types only: a leaf. */
import type { AllowedHosts, Consistency, TrustProxy } from "../front/types.js";

/**
 * The server's options as far as they are plain values: those that a manifest may give as well. An option given by the
 * caller (a flag of the command) wins over the manifest's. In a manifest paths are relative to it.
 */
export interface ServerConfig {
  /** The front's port, or without a front worker 0's. 0 takes a free one. Default 3000. */
  readonly port?: number;
  /**
   * The address that the front and the workers listen on. Default `127.0.0.1`, and for the front `::1` as well, if this machine has it, so
   * that `localhost` is the front whatever a client takes it for; the same for `localhost`.
   */
  readonly host?: string;
  /** `false`: no front; worker i alone, on `port` + i. Default `true`. */
  readonly front?: boolean;
  /** How many workers. Default: as many as the machine has cores, at least 2, at most 4. */
  readonly workers?: number;
  /**
   * How many standbys: processes that have started and loaded ahead what a save is not likely to change. Each needs about
   * as much memory as a worker. Default: one for each worker and one more; 0 turns them off, and every reload boots from scratch.
   */
  readonly standbys?: number;
  /**
   * The port of worker 0; worker i listens on `workerPort` + i. Default: the front's port + 1, and any
   * free port, with a warning, for a worker whose port is taken. A port given here must be free.
   */
  readonly workerPort?: number;
  /** `fresh`: after a save requests wait for the new code. `available`: old workers answer until they are replaced. Default `fresh`. */
  readonly consistency?: Consistency;
  /** Read anew for each generation and watched. Variables of the environment win over it. Default: `.env` in `cwd` if there is one; `false`: none. */
  readonly envFile?: string | false;
  /** Variables for the workers, over those of the environment and the env file. Default: none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Arguments for the app: `process.argv` from index 2 on. Default: none. */
  readonly args?: readonly string[];
  /** The workers' working directory. Default: the caller's. */
  readonly cwd?: string;
  /** The path of a file that gets what the workers write to stdout and stderr, in whole lines behind `[<worker>] `. Default: none. */
  readonly output?: string;
  /** Writes the server's pid to exactly this file, and removes it at the end. A file of a process that still runs is an error. Default: none. */
  readonly pidFile?: string;
  /**
   * Opens the control socket. `true`: where the sub-commands look for the project's; with a warning, not at all if another server of the
   * project has it. A path: there, and it's an error if it's taken. Default `false`, for the command `true`.
   */
  readonly control?: boolean | string;
  /** From fork to listening, in milliseconds; then the boot has failed. Default 30,000. */
  readonly bootTimeoutMs?: number;
  /** How long a replaced process may take to finish what it has in hand, in milliseconds; then its streams are ended. Default 10,000. */
  readonly drainTimeoutMs?: number;
  /** From SIGTERM to SIGKILL, in milliseconds. Default 5,000. */
  readonly stopTimeoutMs?: number;
  /**
   * Without an answer of its event loop for so long a worker's process hangs, in milliseconds, and a `process` event says
   * so; 0 turns that off. A process in a debugger hangs, too. Default 10,000.
   */
  readonly hangTimeoutMs?: number;
  /** Is a process that hangs replaced, and killed once the new one is ready? Default `false`. */
  readonly replaceHung?: boolean;
  /** From one worker's first boot to the next one's, in milliseconds; 0: as many at a time as there are cores to spare. Default 0. */
  readonly slowStartMs?: number;
  /** How long each hook of a mixin may take, in milliseconds. Default 5,000. */
  readonly hookTimeoutMs?: number;
  /** From a command to its answer, in milliseconds. Default 30,000. */
  readonly commandTimeoutMs?: number;
  /** How long a keep-alive connection on a worker's own port may stay idle while its process drains, in milliseconds. Default 1,000. */
  readonly lingerMs?: number;
  /** From a request's first byte to the end of its header, in milliseconds; then it's answered 408. 0 turns that off. Default 60,000. */
  readonly headersTimeoutMs?: number;
  /** The longest pause in the arrival of a request's body, in milliseconds; then it's answered 408. 0 turns that off. Default 60,000. */
  readonly bodyTimeoutMs?: number;
  /** How long a connection to the front may be idle after an answer, in milliseconds; 0: for ever. Default 330,000. */
  readonly keepAliveTimeoutMs?: number;
  /** The most that a request's target and header fields may be together, in bytes; then it's answered 431. Default 16,384, Node's own. */
  readonly maxHeaderBytes?: number;
  /** The most header fields that a request may have; then it's answered 431. Default 900. */
  readonly maxHeaders?: number;
  /** Whose `X-Forwarded-*` and `Forwarded` fields are believed: peers on this machine (`loopback`), `all`, `none`. Default `loopback`. */
  readonly trustProxy?: TrustProxy;
  /**
   * Host names that are answered besides localhost, what ends with `.localhost`, IP addresses, and `host` if that is a name; one with a dot in
   * front allows its subdomains, too. Others are refused (403): a page of another site could have its name lead here. `true`: all
   * are answered. Default: none more while the server watches, else `true`.
   */
  readonly allowedHosts?: AllowedHosts;
  /**
   * Does the front speak HTTPS: HTTP/2 and HTTP/1.1? Without `cert` it has a self-signed certificate, kept in the project's cache. Default
   * `false`; `true` with `cert`.
   */
  readonly https?: boolean;
  /** The front's certificate: a file in PEM, perhaps with those behind it that lead to a root. Read again when it changes. Default: one of our own. */
  readonly cert?: string;
  /** The key of `cert`: a file in PEM. Default: it stands in the same file. */
  readonly key?: string;
  /** The passphrase of `key`. Default: none. */
  readonly passphrase?: string;
  /**
   * The longest a request waits while no worker is ready, or each has as many in hand as `concurrency` allows, in milliseconds; then it's
   * answered 503. Default 30,000.
   */
  readonly holdTimeoutMs?: number;
  /** The longest a request is held after a save before an old worker answers it, in milliseconds. Default 10,000. */
  readonly freshTimeoutMs?: number;
  /**
   * How many requests the front gives to one process at a time; the others wait, first come first served. With 1 each worker answers
   * one request at a time. Open event streams and upgraded sockets don't count. 0: no limit. Default 0.
   */
  readonly concurrency?: number;
  /** How many requests may wait in the front at a time, whatever they wait for; more are answered at once, by what is ready or with 503. Default 1,000. */
  readonly maxHeld?: number;
  /**
   * `false`: a replaced process whose event streams and upgraded sockets are still open when `drainTimeoutMs` is over lives until they
   * end by themselves, or until there are too many such processes, or the server stops. Default `true`: they are ended then.
   */
  readonly endStreams?: boolean;
  /** How many replaced processes may drain at a time; beyond, the oldest ends its event streams and upgraded sockets. Default 8. */
  readonly maxDraining?: number;
}
