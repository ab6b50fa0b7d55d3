/** The command lines of the sub-commands that look at a project, with no server: parsed and checked. They read nothing. */
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { endedBy, subCommand } from "./sub-command.js";
import type { Ended, Streams } from "./sub-command.js";

/** What was asked for. `target`, `entry` and files are as written. */
export type ProjectCommand =
  | { readonly name: "init"; readonly entry: string | undefined }
  | {
      readonly name: "check";
      readonly target: string;
      readonly shouldFix: boolean;
      readonly isJson: boolean;
    }
  | {
      readonly name: "files";
      readonly target: string;
      readonly form: "lines" | "nul" | "json";
      readonly question: FilesQuestion;
    }
  | {
      readonly name: "graph";
      readonly target: string;
      readonly format: GraphFormat;
      readonly output: string | undefined;
    };

/** Which files `files` is to print. */
export type FilesQuestion =
  | { readonly kind: "all" }
  | { readonly kind: "closure"; readonly changed: readonly string[] }
  | { readonly kind: "why"; readonly from: string; readonly to: string };

type GraphFormat = (typeof FORMATS)[number];

const FORMATS = ["mermaid", "dot", "html"] as const;

type Name = ProjectCommand["name"];

/** As in the tables of `docs/commands.md`. */
export const projectCommands: Readonly<Record<Name, string>> = {
  init: "Writes a manifest from what an entry imports.",
  check: "Compares a manifest with what its sources import.",
  files: "Prints a project's sources, in load order.",
  graph: "Draws what a project's sources import and need.",
};

/** Is it the name of one of these sub-commands? */
export function isProjectCommand(name: string | undefined): name is Name {
  return name !== undefined && Object.hasOwn(projectCommands, name);
}

/** The command as commander knows it; for its documentation, too. */
export function makeProjectCommand(name: Name, streams: Streams): Command {
  const command = subCommand(name, projectCommands[name], streams);
  if (name === "init") {
    return command.argument(
      "[entry]",
      "the program (default: what package.json says, else src/server.ts and the like)",
    );
  }
  command.argument(
    "[target]",
    "an entry file, a manifest, or a directory that holds one",
    ".",
  );
  switch (name) {
    case "check":
      return command
        .option("--fix", "remove from the manifest what does nothing")
        .option("--json", "the findings as JSON");
    case "files":
      return command
        .addOption(
          new Option(
            "--closure <files...>",
            "only what a change of these reloads",
          ).conflicts("why"),
        )
        .addOption(
          new Option(
            "--why <files...>",
            "why a change of the first reloads the second",
          ).conflicts("null"),
        )
        .addOption(
          new Option("--json", "as JSON, with what leads where").conflicts(
            "null",
          ),
        )
        .option("-0, --null", "a NUL behind each path, for xargs -0");
    case "graph":
      return command
        .addOption(
          new Option("--format <format>", "what to write")
            .choices(FORMATS)
            .default("mermaid"),
        )
        .option("--output <file>", "where to (default: standard output)");
  }
}

/** As `makeProjectCommand` declares them. */
interface Options {
  readonly fix?: true;
  readonly json?: true;
  readonly null?: true;
  readonly closure?: readonly string[];
  readonly why?: readonly string[];
  readonly format: GraphFormat;
  readonly output?: string;
}

/**
 * Parses the command line. What is wrong with it has been printed then.
 *
 * @param argv - without node and the script; `argv[0]` is the sub-command
 */
export function parseProjectCommand(
  name: Name,
  argv: readonly string[],
  streams: Streams,
): ProjectCommand | Ended {
  const command = makeProjectCommand(name, streams);
  try {
    command.parse(argv.slice(1), { from: "user" });
    const [argument] = command.processedArgs as readonly (string | undefined)[];
    return commandOf(name, argument, command.opts<Options>());
  } catch (error) {
    // Commander prints only its own.
    if (error instanceof InvalidArgumentError)
      streams.stderr.write(`error: ${error.message}\n`);
    return endedBy(error);
  }
}

function commandOf(
  name: Name,
  argument: string | undefined,
  options: Options,
): ProjectCommand {
  const target = argument ?? ".";
  const isJson = options.json === true;
  switch (name) {
    case "init":
      return { name, entry: argument };
    case "check":
      return { name, target, shouldFix: options.fix === true, isJson };
    case "files": {
      const form = isJson ? "json" : options.null === true ? "nul" : "lines";
      return { name, target, form, question: questionOf(options) };
    }
    case "graph":
      return { name, target, format: options.format, output: options.output };
  }
}

function questionOf({ closure, why }: Options): FilesQuestion {
  if (closure !== undefined) return { kind: "closure", changed: closure };
  if (why === undefined) return { kind: "all" };
  const [from, to, more] = why;
  if (from !== undefined && to !== undefined && more === undefined)
    return { kind: "why", from, to };
  throw new InvalidArgumentError(
    `--why takes two sources, the one that changes and the one that is reloaded, and got ${why.length}: ${why.join(", ")}. ` +
      "A target stands before it.",
  );
}
