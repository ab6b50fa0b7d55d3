/** The command line: flags and arguments, parsed and checked. DESIGN: the flags are a contract. */
import process from "node:process";
import {
  Command,
  CommanderError,
  InvalidArgumentError,
  Option,
} from "commander";
import { PreforkError } from "../errors.js";
import type { Consistency } from "../front/types.js";
import { HOST_NAME } from "../manifest/server-fields.js";

/** What was asked for on the command line. */
export interface Invocation {
  readonly target: string;
  /** Arguments for the app: what stood behind `--`. */
  readonly args: readonly string[];
  readonly flags: Flags;
}

/** The flags that were given, as commander names them. Defaults are others' business: the manifest may have its own. */
export interface Flags {
  readonly port?: number;
  readonly host?: string;
  readonly allowedHost?: readonly string[];
  readonly workers?: number;
  readonly standby?: number;
  readonly workerPort?: number;
  readonly front?: boolean;
  readonly concurrency?: number;
  readonly consistency?: Consistency;
  readonly pidFile?: string;
  readonly envFile?: string;
  /** Interval in milliseconds. */
  readonly poll?: number;
  readonly https?: boolean;
  readonly cert?: string;
  readonly key?: string;
  readonly watch: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** How often files are looked at when `--poll` has no number. */
const DEFAULT_POLL_MS = 100;

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `Give a whole number from ${least} to ${most}.`,
    );
  };
}

function hostNames(text: string, before: readonly string[] = []): string[] {
  if (HOST_NAME.test(text)) return [...before, text];
  throw new InvalidArgumentError(
    "Give a host name without scheme and port, like app.test or .example.test.",
  );
}

function makeCommand(version: string): Command {
  const port = wholeNumber(0, 65_535);
  return (
    new Command("prefork-dev")
      .description(
        "Run a Node backend while you write it: a save is live at once, no request is lost.",
      )
      .usage("[target] [options] [-- arguments for the app]")
      .version(version)
      .argument(
        "[target]",
        "an entry file, a manifest, a directory that holds one, or a project's name",
        ".",
      )
      .addOption(
        new Option(
          "-p, --port <n>",
          "the front's port; 0 picks one (default: PORT, else 3000)",
        ).argParser(port),
      )
      .option(
        "-H, --host <address>",
        "address to listen on (default: 127.0.0.1 and ::1)",
      )
      .addOption(
        new Option(
          "--allowed-host <name>",
          "answer to this Host name too, with a dot in front to its subdomains as well; may be repeated",
        ).argParser(hostNames),
      )
      .addOption(
        new Option(
          "-w, --workers <n>",
          "how many workers (default: cores, at least 2, at most 4)",
        ).argParser(wholeNumber(1, 1024)),
      )
      .addOption(
        new Option(
          "--standby <n>",
          "processes that start before a save; 0 turns them off (default: workers + 1)",
        ).argParser(wholeNumber(0, 1024)),
      )
      .addOption(
        new Option(
          "--worker-port <n>",
          "port of worker 0, worker i gets n + i (default: front port + 1)",
        ).argParser(port),
      )
      // Before --no-front, which would else be `true` when it isn't given.
      .option("--front", "with a front, whatever the manifest says")
      .option("--no-front", "workers alone, on --port + i")
      .option(
        "--https",
        "HTTPS and HTTP/2, with a self-signed certificate if there is no --cert",
      )
      .option("--no-https", "plain HTTP, whatever the manifest says")
      .option("--cert <file>", "the front's certificate (PEM); implies --https")
      .option("--key <file>", "its key (default: in the file of --cert)")
      .addOption(
        new Option(
          "--concurrency <n>",
          "requests per process at a time, the front queues the rest; 0: no limit (default: 0)",
        ).argParser(wholeNumber(0, 65_536)),
      )
      .addOption(
        new Option(
          "--consistency <mode>",
          "after a save, wait for new code or let old workers answer (default: fresh)",
        ).choices(["fresh", "available"]),
      )
      .option(
        "--pid-file <path>",
        "write the pid to exactly this file, removed at the end",
      )
      .option(
        "--env-file <path>",
        "read at each generation, watched (default: .env if there)",
      )
      .addOption(
        new Option(
          "--poll [ms]",
          `look at files at an interval, for mounts without events (${DEFAULT_POLL_MS} ms)`,
        )
          .argParser(wholeNumber(10, 60_000))
          .preset(String(DEFAULT_POLL_MS)),
      )
      .option("--no-watch", "don't watch; reload by signal, socket or API")
      .addOption(
        new Option("--json", "one JSON object per line").conflicts([
          "quiet",
          "verbose",
        ]),
      )
      .addOption(
        new Option("--quiet", "errors and the app's output only").conflicts(
          "verbose",
        ),
      )
      .option("--verbose", "every process and step")
      .showHelpAfterError("(prefork-dev --help lists the options)")
      .exitOverride()
  );
}

/**
 * Parses the command line.
 *
 * @param argv - without node and the script
 * @returns `undefined` when help or the version was asked for, and printed
 * @throws PreforkError `ERR_PREFORK_USAGE`; what is wrong has been printed
 */
export function parseCommandLine(
  argv: readonly string[],
  version: string,
): Invocation | undefined {
  const dashes = argv.indexOf("--");
  const own = dashes === -1 ? argv : argv.slice(0, dashes);
  const command = makeCommand(version);
  try {
    command.parse(own, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new PreforkError("ERR_PREFORK_USAGE", error.message, {
      cause: error,
    });
  }
  return {
    target: String(command.processedArgs[0]),
    args: dashes === -1 ? [] : argv.slice(dashes + 1),
    flags: command.opts<Flags>(),
  };
}

/** The port where neither flag nor manifest has one: `PORT` of the environment or the env file, else 3000. */
export function choosePort(fileValue: string | undefined): number {
  const text = process.env["PORT"] ?? fileValue;
  if (text === undefined || text === "") return 3000;
  if (/^\d+$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new PreforkError(
    "ERR_PREFORK_USAGE",
    `PORT is ${JSON.stringify(text)}: give a whole number from 0 to 65535, or use --port`,
  );
}
