/** What the command prints: for people, or one JSON object per line. */
import process from "node:process";
import { JsonReporter } from "./json-reporter.js";
import type { Reporter } from "./reporter.js";
import { TerminalReporter } from "./terminal-reporter.js";

export interface ReporterOptions {
  readonly version: string;
  /** Are the sources watched? */
  readonly watch: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Chooses by the flags. Both write to stdout; what the app wrote to stderr goes to stderr. */
export function createReporter(options: ReporterOptions): Reporter {
  // A reader that went away (`| head`) is no reason to stop serving.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", () => undefined);
  if (options.json === true)
    return new JsonReporter(options.version, process.stdout);
  const detail =
    options.verbose === true
      ? "verbose"
      : options.quiet === true
        ? "quiet"
        : "normal";
  return new TerminalReporter({
    version: options.version,
    detail,
    isWatching: options.watch,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
  });
}
