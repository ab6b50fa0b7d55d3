/** The command lines of the sub-commands that talk to a running server: parsed and checked. It asks nobody anything. */
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import type { ScaleRequest } from "../control/types.js";
import { endedBy, subCommand } from "./sub-command.js";
import type { Ended, Streams } from "./sub-command.js";

const MOST_WORKERS = 1_024;

/** What was asked for. */
export type SubCommand =
  | { readonly name: "status" | "reload" | "stop" }
  | { readonly name: "scale"; readonly change: ScaleRequest }
  | {
      readonly name: "send";
      readonly command: string;
      readonly args: readonly unknown[];
      readonly worker: number | undefined;
    };

/** … and for which server, and how to tell. */
export interface SubInvocation {
  readonly what: SubCommand;
  /** As written: an entry file, a manifest or a directory. */
  readonly project: string;
  readonly isJson: boolean;
}

type Name = SubCommand["name"];

const descriptions: Readonly<Record<Name, string>> = {
  status: "Shows what a running server does.",
  reload: "Reloads a running server, and waits until every worker is new.",
  scale: "Changes the number of workers of a running server, while it serves.",
  send: "Sends a command to the workers of a running server.",
  stop: "Stops a running server: requests in hand are finished.",
};

/** Is it the name of one of these sub-commands? */
export function isSubCommand(name: string | undefined): name is Name {
  return name !== undefined && Object.hasOwn(descriptions, name);
}

function workersOf(text: string): ScaleRequest {
  const value = Number(text);
  const isWhole = /^[+-]?\d+$/.test(text) && Math.abs(value) <= MOST_WORKERS;
  if (isWhole && value !== 0)
    return /^\d/.test(text) ? { workers: value } : { by: value };
  throw new InvalidArgumentError(
    `Give how many workers there are to be, from 1 to ${MOST_WORKERS}, or how many more or fewer: +1, -1.`,
  );
}

function indexOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a worker's index: 0, 1, …");
}

/** JSON where it is some, else the text itself: `1` is a number, `users` a text, `'"1"'` the text 1. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function makeCommand(name: Name, streams: Streams): Command {
  const command = subCommand(name, descriptions[name], streams)
    .option(
      "--project <target>",
      "the server's entry file, manifest or directory",
      ".",
    )
    .option("--json", "the server's answer as JSON");
  if (name === "scale")
    command.argument(
      "<workers>",
      "how many there are to be, or how many more or fewer: +1, -1",
      workersOf,
    );
  if (name === "send")
    command
      .argument("<command>", "its name")
      .argument(
        "[args...]",
        "its arguments, as JSON; what isn't JSON is a text. Behind -- they may begin with -",
      )
      .addOption(
        new Option(
          "--worker <i>",
          "to this worker only (default: all)",
        ).argParser(indexOf),
      );
  return command;
}

/**
 * Parses the command line. What is wrong with it has been printed then.
 *
 * @param argv - without node and the script; `argv[0]` is the sub-command
 */
export function parseSubCommand(
  name: Name,
  argv: readonly string[],
  streams: Streams,
): SubInvocation | Ended {
  const command = makeCommand(name, streams);
  try {
    command.parse(argv.slice(1), { from: "user" });
  } catch (error) {
    return endedBy(error);
  }
  const { project, json, worker } = command.opts<{
    project: string;
    json?: boolean;
    worker?: number;
  }>();
  const what = whatOf(name, command.processedArgs, worker);
  return { what, project, isJson: json === true };
}

/** @param args - checked and converted by commander: as `makeCommand` declares them */
function whatOf(
  name: Name,
  args: readonly unknown[],
  worker: number | undefined,
): SubCommand {
  const [first, second] = args;
  switch (name) {
    case "scale":
      return { name, change: first as ScaleRequest };
    case "send": {
      const texts = (second ?? []) as readonly string[];
      return { name, command: String(first), args: texts.map(valueOf), worker };
    }
    case "status":
    case "reload":
    case "stop":
      return { name };
  }
}
