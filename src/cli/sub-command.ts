/** What all sub-commands have in common: where they print, how their command lines are made, and how they fail. */
import process from "node:process";
import type { Writable } from "node:stream";
import { Command, CommanderError } from "commander";
import { PreforkError, messageOf } from "../errors.js";

/** Could not be done, or was done and failed. */
export const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Where help and complaints go. */
export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** What a sub-command needs of its process. */
export interface SubCommandEnvironment extends Streams {
  /** What relative targets, and the paths shown, are relative to. */
  readonly cwd: string;
}

/** Nothing is to be done any more: help was printed, or what is wrong. */
export interface Ended {
  readonly exitCode: number;
}

/** The environment of this process. */
export function ownEnvironment(): SubCommandEnvironment {
  const { stdout, stderr } = process;
  // A reader that went away (`| head`) is no error.
  for (const stream of [stdout, stderr]) stream.on("error", () => undefined);
  return { cwd: process.cwd(), stdout, stderr };
}

/** A command without arguments and options of its own, that prints to `streams` and ends nothing: it throws. */
export function subCommand(
  name: string,
  description: string,
  { stdout, stderr }: Streams,
): Command {
  return new Command(`prefork-dev ${name}`)
    .description(description)
    .showHelpAfterError(`(prefork-dev ${name} --help says more)`)
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
    .allowExcessArguments(false)
    .exitOverride();
}

/** What commander threw, which it has printed. Throws anything else. */
export function endedBy(error: unknown): Ended {
  if (!(error instanceof CommanderError)) throw error;
  return { exitCode: error.exitCode === 0 ? 0 : EXIT_USAGE };
}

/** Prints why a sub-command failed. @returns its exit code */
export function reportFailure(
  error: unknown,
  isJson: boolean,
  { stdout, stderr }: Streams,
): number {
  const message = messageOf(error);
  const code = error instanceof PreforkError ? error.code : undefined;
  if (isJson) stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  else stderr.write(`${message}\n`);
  return code === "ERR_PREFORK_USAGE" ? EXIT_USAGE : EXIT_FAILED;
}
