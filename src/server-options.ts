/** The server's options: what a caller may give, and what they come to. */
import dns from "node:dns/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { PreforkError, messageOf } from "./errors.js";
import { mixinFiles } from "./commands/references.js";
import type { GivenFiles } from "./certificates/types.js";
import type { MixinSource } from "./commands/references.js";
import { defaultLimits, defaultTrust } from "./front/limits.js";
import type {
  AllowedHosts,
  Consistency,
  FrontLimits,
  TrustProxy,
} from "./front/types.js";
import {
  expectedOf,
  isAllowed,
  serverFields,
} from "./manifest/server-fields.js";
import type { ServerConfig } from "./manifest/server-config.js";
import type { OutputTarget } from "./mechanisms/output-target.js";
import type { Deadlines } from "./pool/types.js";
import type { Upstream } from "./upstream/types.js";

/** Options of `createServer`: those that a manifest may give, too, and what is no plain value. Paths are relative to the working directory. */
export interface ServerOptions<
  Mixins extends readonly MixinSource[] = readonly MixinSource[],
> extends Omit<ServerConfig, "output"> {
  /**
   * Gets what the workers write to stdout and stderr, in whole lines behind `[<worker>] `: a stream, the path of a file that is
   * appended to, or a function that opens a stream. Default: nobody; the `output` event has it too.
   */
  readonly output?: OutputTarget;
  /** External fronts to keep in step with the workers, see docs/external-fronts.md. Default: none. */
  readonly upstreams?: readonly Upstream[];
  /**
   * Modules of mixins, with the workers' hooks and commands, applied in order behind those of the manifest: paths, `file:` URLs, or
   * what `mixin` made of them, so that commands are checked by the compiler. Default: none.
   */
  readonly mixins?: Mixins;
}

type Mutable<Value> = { -readonly [Name in keyof Value]: Value[Name] };

/**
 * {@link ServerOptions} with every default filled in. What isn't readonly may change while the server runs, and is read
 * whenever it's needed: see `live-options.ts`.
 */
export interface ResolvedServerOptions {
  readonly port: number;
  readonly host: string;
  /** What the front listens on as well, if this machine has it. */
  readonly twinHost: string | undefined;
  readonly front: boolean;
  readonly workers: number;
  /** `undefined`: one for each worker and one more. */
  standbys: number | undefined;
  readonly workerPort: number | undefined;
  readonly consistency: Consistency;
  readonly envFile: string | false | undefined;
  env: Readonly<Record<string, string | undefined>>;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly output: OutputTarget | undefined;
  readonly pidFile: string | undefined;
  readonly control: boolean | string;
  readonly upstreams: readonly Upstream[];
  readonly deadlines: Mutable<Deadlines>;
  readonly hangTimeoutMs: number;
  readonly replaceHung: boolean;
  slowStartMs: number;
  /** Absolute and real. */
  readonly mixins: readonly string[];
  commandTimeoutMs: number;
  readonly frontLimits: FrontLimits;
  readonly trustProxy: TrustProxy;
  /** `undefined`: none more while the server watches, else all. */
  allowedHosts: AllowedHosts | undefined;
  /** Host names that are allowed in any case. */
  readonly ownNames: readonly string[];
  /** `undefined`: plain HTTP. */
  readonly https: HttpsChoice | undefined;
  readonly holdTimeoutMs: number;
  readonly freshTimeoutMs: number;
  concurrency: number;
  maxHeld: number;
  endStreams: boolean;
  maxDraining: number;
}

/** HTTPS, with the user's certificate or one of our own. */
interface HttpsChoice {
  /** Absolute paths. */
  readonly given: GivenFiles | undefined;
}

/** The options that are numbers. */
type Numeric = {
  [Name in keyof ServerConfig]-?: ServerConfig[Name] extends number | undefined
    ? Name
    : never;
}[keyof ServerConfig];

/** Checks a whole number; `undefined` gives the default. */
function integer<Default extends number | undefined>(
  name: Numeric,
  value: number | undefined,
  fallback: Default,
): number | Default {
  if (value === undefined) return fallback;
  const field = serverFields[name];
  if (isAllowed(field, value)) return value;
  const allowed =
    field.kind === "integer" ? ` from ${field.least} to ${field.most}` : "";
  throw new PreforkError(
    "ERR_PREFORK_OPTION",
    `${name} is ${value}: give a whole number${allowed}`,
  );
}

/** Both loopback addresses are meant: which of them `localhost` is depends on the client. */
function isAnyLoopback(host: string | undefined): boolean {
  return host === undefined || host === "localhost";
}

/** What was given. */
function checkAllowedHosts(
  allowedHosts: AllowedHosts | undefined,
): AllowedHosts | undefined {
  if (allowedHosts === undefined || allowedHosts === true) return allowedHosts;
  const field = serverFields.allowedHosts;
  if (isAllowed(field, allowedHosts)) return allowedHosts;
  throw new PreforkError(
    "ERR_PREFORK_OPTION",
    `allowedHosts is ${JSON.stringify(allowedHosts)}. ${expectedOf(field)}`,
  );
}

/** The name to listen on, if it is one: whoever gives it expects to be reached by it. */
function ownNames(host: string | undefined): string[] {
  return host === undefined || net.isIP(host) !== 0 ? [] : [host];
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

function httpsOf(options: ServerOptions): HttpsChoice | undefined {
  const { https, cert, key, passphrase, front = true } = options;
  if (!(https ?? (cert !== undefined || key !== undefined))) return undefined;
  if (!front) {
    throw new PreforkError(
      "ERR_PREFORK_OPTION",
      "https is the front's, and front is false: let the app speak HTTPS itself, or leave out one of the two",
    );
  }
  if (cert === undefined) {
    if (key === undefined) return { given: undefined };
    throw new PreforkError(
      "ERR_PREFORK_OPTION",
      `key is ${JSON.stringify(key)}, and there is no cert: give both, or neither for a self-signed certificate`,
    );
  }
  return {
    given: {
      cert: path.resolve(cert),
      key: path.resolve(key ?? cert),
      passphrase,
    },
  };
}

/**
 * A number of workers.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function checkWorkers(workers: number): number {
  return integer("workers", workers, workers);
}

/**
 * Fills in defaults and checks what was given.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION` naming the option, the value and what is allowed
 */
export async function resolveServerOptions(
  options: ServerOptions,
): Promise<ResolvedServerOptions> {
  const milliseconds = (name: Numeric, fallback: number): number =>
    integer(name, options[name], fallback);
  const limit = (name: keyof FrontLimits): number =>
    integer(name, options[name], defaultLimits[name]);
  const cores = Math.max(2, Math.min(4, os.availableParallelism()));
  return {
    port: integer("port", options.port, 3000),
    host: await addressOf(options.host ?? "127.0.0.1"),
    twinHost: isAnyLoopback(options.host) ? "::1" : undefined,
    front: options.front ?? true,
    workers: integer("workers", options.workers, cores),
    standbys: integer("standbys", options.standbys, undefined),
    workerPort: integer("workerPort", options.workerPort, undefined),
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
    frontLimits: {
      headersTimeoutMs: limit("headersTimeoutMs"),
      bodyTimeoutMs: limit("bodyTimeoutMs"),
      keepAliveTimeoutMs: limit("keepAliveTimeoutMs"),
      maxHeaderBytes: limit("maxHeaderBytes"),
      maxHeaders: limit("maxHeaders"),
    },
    trustProxy: options.trustProxy ?? defaultTrust,
    allowedHosts: checkAllowedHosts(options.allowedHosts),
    ownNames: ownNames(options.host),
    https: httpsOf(options),
    holdTimeoutMs: milliseconds("holdTimeoutMs", 30_000),
    freshTimeoutMs: milliseconds("freshTimeoutMs", 10_000),
    concurrency: integer("concurrency", options.concurrency, 0),
    maxHeld: integer("maxHeld", options.maxHeld, 1_000),
    endStreams: options.endStreams ?? true,
    maxDraining: integer("maxDraining", options.maxDraining, 8),
  };
}
