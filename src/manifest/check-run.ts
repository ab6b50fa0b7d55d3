/** Checks the `run` of a source: a step. Pure; what its paths mean is found in `steps.ts`. */
import { isFields } from "./checker.js";
import type { Checker } from "./checker.js";
import type { FunctionStep, SourceStep } from "./types.js";

/** The keys of a step. */
export const runKeys: readonly string[] = [
  ...["command", "fn", "reads", "makes", "timeoutMs"],
];

/** Timers can't wait longer: 2^31 - 1. */
const LONGEST_MS = 2_147_483_647;
const EXAMPLE = '{ command: "npm run codegen", makes: ["src/generated.ts"] }';

type Command = string | readonly string[];

function commandOf(checker: Checker, field: string, value: unknown): Command {
  const expected =
    'It must be a command for the shell, like "npm run codegen", or a program with its arguments, like ["node", "codegen.mjs"].';
  if (!Array.isArray(value)) return checker.text(field, value, expected);
  if (value.length === 0) return checker.fail(field, value, expected);
  return checker.list(field, value, expected, (at, each) => {
    if (at === `${field}[0]`)
      return checker.text(at, each, "It must be a program.");
    return typeof each === "string"
      ? each
      : checker.fail(at, each, "An argument must be a text.");
  });
}

function fnOf(
  checker: Checker,
  field: string,
  value: unknown,
): FunctionStep["fn"] {
  // What it takes and returns is known when it's called.
  if (typeof value === "function") return value as FunctionStep["fn"];
  return checker.fail(
    field,
    value,
    "It must be a function, so the manifest must be code; in JSON give it a command.",
  );
}

/**
 * Checks a step.
 *
 * @throws PreforkError ERR_PREFORK_MANIFEST - the field, the value received, what is expected
 */
export function checkRun(
  checker: Checker,
  field: string,
  value: unknown,
): SourceStep {
  if (!isFields(value))
    return checker.fail(field, value, `It must be a step, like ${EXAMPLE}.`);
  checker.keys(field, value, runKeys);
  const { command, fn, timeoutMs } = value;
  if ((command === undefined) === (fn === undefined))
    checker.refuse(
      `: ${field} has ${command === undefined ? "neither command nor fn" : "both command and fn"}. Give it one of the two, like ${EXAMPLE}.`,
    );
  const makes = checker.paths(`${field}.makes`, value["makes"]);
  if (makes.length === 0)
    checker.fail(
      `${field}.makes`,
      makes,
      "List at least one file that the step makes: its change is what reloads.",
    );
  const isTime =
    timeoutMs === undefined ||
    (Number.isInteger(timeoutMs) &&
      Number(timeoutMs) >= 0 &&
      Number(timeoutMs) <= LONGEST_MS);
  if (!isTime)
    checker.fail(
      `${field}.timeoutMs`,
      timeoutMs,
      `It must be a whole number of milliseconds from 0 (no limit) to ${LONGEST_MS}.`,
    );
  const { reads } = value;
  const options = {
    ...(reads !== undefined && {
      reads: checker.paths(`${field}.reads`, reads),
    }),
    makes,
    ...(timeoutMs !== undefined && { timeoutMs: Number(timeoutMs) }),
  };
  return command === undefined
    ? { fn: fnOf(checker, `${field}.fn`, fn), ...options }
    : { command: commandOf(checker, `${field}.command`, command), ...options };
}
