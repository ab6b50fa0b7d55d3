/** What a developer is told of a step that failed. Pure. */
import path from "node:path";
import type { Diagnostic } from "../diagnostic.js";
import type { ResolvedStep } from "../manifest/types.js";
import { shownTask } from "./run-step.js";

/** Why a step failed. */
export interface StepFailure {
  /** Goes on after the command: "failed with exit code 1". */
  readonly problem: string;
  /** The last lines that it wrote. */
  readonly output: string;
  /** What it ran for; default: the first that it reads. */
  readonly source: string | undefined;
}

/** The diagnostic of a step that failed: command, source, what went wrong, and what it wrote. */
export function stepDiagnostic(
  step: ResolvedStep,
  root: string,
  { problem, output, source = step.sources[0] }: StepFailure,
): Diagnostic {
  const name = source === undefined ? "" : shownSource(step, root, source);
  const said = output === "" ? "" : `. It wrote:\n${output}`;
  return {
    message: `\`${shownTask(step)}\` (${step.field}${name}) ${problem}${said}`,
    ...(source !== undefined && { file: source }),
  };
}

function shownSource(step: ResolvedStep, root: string, source: string): string {
  const shown = path.relative(root, source).replaceAll(path.sep, "/");
  const others = step.sources.length - 1;
  return others === 0 ? ` of ${shown}` : ` of ${shown} and ${others} more`;
}
