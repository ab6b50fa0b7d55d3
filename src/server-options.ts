/** The server's options: what a caller may give, and what they come to. */
import dns from "node:dns/promises";
import net from "node:net";
import os from "node:os";
import process from "node:process";
import { PreforkError, messageOf } from "./errors.js";
import { mixinFiles } from "./commands/references.js";
import type { MixinSource } from "./commands/references.js";
import type { Consistency } from "./front/types.js";
import type { OutputTarget } from "./mechanisms/output-target.js";
import type { Deadlines } from "./pool/types.js";
import type { Upstream } from "./upstream/types.js";

/** Options of `createServer`. */
export interface ServerOptions<
  Mixins extends readonly MixinSource[] = readonly MixinSource[],
> {
  /** The front's port, or without a front worker 0's. 0 takes a free one. Default 3000. */
  readonly port?: number;
  /** The address that the front and the workers listen on. Default `127.0.0.1`. */
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
  /**
   * Gets what the workers write to stdout and stderr, in whole lines behind `[<worker>] `: a stream, the path of a file that is
   * appended to, or a function that opens a stream. Default: nobody; the `output` event has it too.
   */
  readonly output?: OutputTarget;
  /** Writes the server's pid to exactly this file, and removes it at the end. A file of a process that still runs is an error. Default: none. */
  readonly pidFile?: string;
  /**
   * Opens the control socket. `true`: where the sub-commands look for the project's; with a warning, not at all if another server of the
   * project has it. A path: there, and it's an error if it's taken. Default `false`.
   */
  readonly control?: boolean | string;
  /** External fronts to keep in step with the workers, see docs/external-fronts.md. Default: none. */
  readonly upstreams?: readonly Upstream[];
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
  /**
   * Modules of mixins, with the workers' hooks and commands, applied in order behind those of the manifest: paths, `file:` URLs, or
   * what `mixin` made of them, so that commands are checked by the compiler. Default: none.
   */
  readonly mixins?: Mixins;
  /** How long each hook of a mixin may take, in milliseconds. Default 5,000. */
  readonly hookTimeoutMs?: number;
  /** From a command to its answer, in milliseconds. Default 30,000. */
  readonly commandTimeoutMs?: number;
  /** How long a keep-alive connection on a worker's own port may stay idle while its process drains, in milliseconds. Default 1,000. */
  readonly lingerMs?: number;
  /** The longest a request waits while no worker is ready, in milliseconds; then it's answered 503. Default 30,000. */
  readonly holdTimeoutMs?: number;
  /** The longest a request is held after a save before an old worker answers it, in milliseconds. Default 10,000. */
  readonly freshTimeoutMs?: number;
}

/** {@link ServerOptions} with every default filled in. */
export interface ResolvedServerOptions {
  readonly port: number;
  readonly host: string;
  readonly front: boolean;
  readonly workers: number;
  /** `undefined`: one for each worker and one more. */
  readonly standbys: number | undefined;
  readonly workerPort: number | undefined;
  readonly consistency: Consistency;
  readonly envFile: string | false | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly output: OutputTarget | undefined;
  readonly pidFile: string | undefined;
  readonly control: boolean | string;
  readonly upstreams: readonly Upstream[];
  readonly deadlines: Deadlines;
  readonly hangTimeoutMs: number;
  readonly replaceHung: boolean;
  readonly slowStartMs: number;
  /** Absolute and real. */
  readonly mixins: readonly string[];
  readonly commandTimeoutMs: number;
  readonly holdTimeoutMs: number;
  readonly freshTimeoutMs: number;
}

const MOST_WORKERS = 1024;

/** Checks a whole number; `undefined` gives the default. */
function integer<Default extends number | undefined>(
  name: string,
  value: number | undefined,
  least: number,
  most: number,
  fallback: Default,
): number | Default {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new PreforkError(
    "ERR_PREFORK_OPTION",
    `${name} is ${value}: give a whole number from ${least} to ${most}`,
  );
}

/** Turns a host name into the address to bind. */
async function addressOf(host: string): Promise<string> {
  if (net.isIP(host) !== 0) return host;
  if (host === "localhost") return "127.0.0.1";
  try {
    return (await dns.lookup(host)).address;
  } catch (cause) {
    throw new PreforkError(
      "ERR_PREFORK_OPTION",
      `host ${JSON.stringify(host)} has no address (${messageOf(cause)}): give an IP address of this machine, such as 127.0.0.1 or 0.0.0.0`,
      { cause },
    );
  }
}

/**
 * A number of workers.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function checkWorkers(workers: number): number {
  return integer("workers", workers, 1, MOST_WORKERS, workers);
}

const LONGEST_MS = 2 ** 31 - 1;

/**
 * Fills in defaults and checks what was given.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION` naming the option, the value and what is allowed
 */
export async function resolveServerOptions(
  options: ServerOptions,
): Promise<ResolvedServerOptions> {
  const milliseconds = (name: keyof ServerOptions, fallback: number): number =>
    integer(name, options[name] as number | undefined, 0, LONGEST_MS, fallback);
  const cores = Math.max(2, Math.min(4, os.availableParallelism()));
  return {
    port: integer("port", options.port, 0, 65_535, 3000),
    host: await addressOf(options.host ?? "127.0.0.1"),
    front: options.front ?? true,
    workers: integer("workers", options.workers, 1, MOST_WORKERS, cores),
    standbys: integer("standbys", options.standbys, 0, 1024, undefined),
    workerPort: integer("workerPort", options.workerPort, 0, 65_535, undefined),
    consistency: options.consistency ?? "fresh",
    envFile: options.envFile,
    env: options.env ?? {},
    args: options.args ?? [],
    cwd: options.cwd ?? process.cwd(),
    output: options.output,
    pidFile: options.pidFile,
    control: options.control ?? false,
    upstreams: options.upstreams ?? [],
    deadlines: {
      bootTimeoutMs: milliseconds("bootTimeoutMs", 30_000),
      drainTimeoutMs: milliseconds("drainTimeoutMs", 10_000),
      stopTimeoutMs: milliseconds("stopTimeoutMs", 5_000),
      lingerMs: milliseconds("lingerMs", 1_000),
      hookTimeoutMs: milliseconds("hookTimeoutMs", 5_000),
    },
    hangTimeoutMs: milliseconds("hangTimeoutMs", 10_000),
    replaceHung: options.replaceHung ?? false,
    slowStartMs: milliseconds("slowStartMs", 0),
    mixins: mixinFiles(options.mixins ?? []),
    commandTimeoutMs: milliseconds("commandTimeoutMs", 30_000),
    holdTimeoutMs: milliseconds("holdTimeoutMs", 30_000),
    freshTimeoutMs: milliseconds("freshTimeoutMs", 10_000),
  };
}
