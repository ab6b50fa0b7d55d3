/**
 * `prefork-dev init|check|files|graph`: looks at a project and prints what it sees; no server need run.
 * `project-command-line.ts` parses, `project-text.ts` writes the texts, `inspect/` looks.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { PreforkError, messageOf } from "../errors.js";
import type * as Inspect from "../inspect/inspect.js";
import type { ProjectModel } from "../inspect/types.js";
import { plural } from "./format.js";
import {
  isProjectCommand,
  parseProjectCommand,
} from "./project-command-line.js";
import type { FilesQuestion, ProjectCommand } from "./project-command-line.js";
import {
  checkedJson,
  checkedText,
  filesJson,
  filesText,
  initText,
  problemsText,
  whyJson,
  whyText,
} from "./project-text.js";
import { EXIT_FAILED, ownEnvironment, reportFailure } from "./sub-command.js";
import type { SubCommandEnvironment } from "./sub-command.js";

type Inspecting = typeof Inspect;

/** What is printed, and how it went. */
interface Result {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr?: string;
}

/**
 * Runs a sub-command if it is one of these.
 *
 * @param argv - without node and the script
 * @returns the exit code, see docs/commands.md; `undefined`: `argv[0]` is no such sub-command's name
 */
export async function runProjectCommand(
  argv: readonly string[],
  environment?: SubCommandEnvironment,
): Promise<number | undefined> {
  const [name] = argv;
  if (!isProjectCommand(name)) return undefined;
  const { cwd, stdout, stderr } = environment ?? ownEnvironment();
  const command = parseProjectCommand(name, argv, { stdout, stderr });
  if ("exitCode" in command) return command.exitCode;
  try {
    // Not before the command line is known to be right: it loads the compiler.
    const inspect = await import("../inspect/inspect.js");
    const result = await carryOut(command, inspect, cwd);
    if (result.stdout !== "") stdout.write(result.stdout);
    if (result.stderr !== undefined) stderr.write(result.stderr);
    return result.exitCode;
  } catch (error) {
    return reportFailure(error, isJson(command), { stdout, stderr });
  }
}

function isJson(command: ProjectCommand): boolean {
  switch (command.name) {
    case "check":
      return command.isJson;
    case "files":
      return command.form === "json";
    case "init":
    case "graph":
      return false;
  }
}

async function carryOut(
  command: ProjectCommand,
  inspect: Inspecting,
  cwd: string,
): Promise<Result> {
  switch (command.name) {
    case "init": {
      const written = await inspect.initProject(command.entry, cwd);
      return { exitCode: 0, stdout: initText(written, cwd) };
    }
    case "check": {
      const { target, shouldFix } = command;
      const checked = await inspect.checkProject(target, cwd, shouldFix);
      const exitCode = checked.findings.length === 0 ? 0 : EXIT_FAILED;
      const text = command.isJson
        ? `${JSON.stringify(checkedJson(checked, cwd), null, 2)}\n`
        : checkedText(checked, cwd);
      return { exitCode, stdout: text };
    }
    case "files": {
      const model = await inspect.openModel(command.target, cwd);
      const result = files(command, model, inspect, cwd);
      return withProblems(result, model, cwd);
    }
    case "graph": {
      const { target, format, output } = command;
      const model = await inspect.openModel(target, cwd);
      const { dot, mermaid, page } = inspect;
      const text = { dot, mermaid, html: page }[format](model);
      if (output === undefined)
        return withProblems({ exitCode: 0, stdout: text }, model, cwd);
      const file = path.resolve(cwd, output);
      writeFile(file, output, text);
      const stdout = `${output}: ${plural(model.edges.size, "source")}\n`;
      return withProblems({ exitCode: 0, stdout }, model, cwd);
    }
  }
}

function files(
  { form, question }: Extract<ProjectCommand, { name: "files" }>,
  model: ProjectModel,
  inspect: Inspecting,
  cwd: string,
): Result {
  if (question.kind === "why")
    return why(question, form === "json", model, inspect, cwd);
  const sources =
    question.kind === "all"
      ? [...model.edges.keys()]
      : inspect.closureInOrder(
          model,
          question.changed.map((text) =>
            inspect.lookUpSource(model, text, cwd),
          ),
        );
  const stdout =
    form === "json"
      ? `${JSON.stringify(filesJson(model, sources), null, 2)}\n`
      : filesText(model, sources, form === "nul" ? "\0" : "\n");
  return { exitCode: 0, stdout };
}

function why(
  question: Extract<FilesQuestion, { kind: "why" }>,
  isJson: boolean,
  model: ProjectModel,
  inspect: Inspecting,
  cwd: string,
): Result {
  const from = inspect.lookUpSource(model, question.from, cwd);
  const to = inspect.lookUpSource(model, question.to, cwd);
  const way = inspect.pathOfChange(model, from, to);
  const placeOf = inspect.placeOfEdge(model.root);
  const told = { model, from, to, way };
  const stdout = isJson
    ? `${JSON.stringify(whyJson(told), null, 2)}\n`
    : whyText(told, placeOf);
  return { exitCode: way === undefined ? EXIT_FAILED : 0, stdout };
}

/** What was printed may lack something then, and scripts should know. */
function withProblems(
  result: Result,
  model: ProjectModel,
  cwd: string,
): Result {
  if (model.problems.length === 0) return result;
  const stderr = problemsText(model.problems, cwd);
  return { ...result, exitCode: EXIT_FAILED, stderr };
}

function writeFile(file: string, shown: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new PreforkError(
      "ERR_PREFORK_USAGE",
      `--output ${shown} can't be written: ${messageOf(error)}. Name a file in a directory that exists.`,
      { cause: error },
    );
  }
}
