/** What the sub-commands print for people, but for `status`: how something ended. Pure; the answers may lack any field. */
import pc from "picocolors";
import { diagnosticText, milliseconds, plural } from "./format.js";
import { diagnosticOf, fieldsOf, listOf, numberOf, textOf } from "./lenient.js";
import type { Fields } from "./lenient.js";

/** A text, and whether it's good news: that decides on the stream and on the exit code. */
export interface Told {
  readonly isDone: boolean;
  /** With its line ends. */
  readonly text: string;
}

const headings: Readonly<Record<string, string>> = {
  project: "The project can't be loaded",
  compile: "Compile error",
  boot: "The new code doesn't start",
};

/** How it ended, by whichever name the answer has for it. */
function kindOf(fields: Fields): string | undefined {
  return textOf(fields["kind"]) ?? textOf(fields["outcome"]);
}

/** Why a reload came to nothing: what, where, the code frame. */
export function failureText(failure: unknown, cwd: string): string {
  const fields = fieldsOf(failure);
  const serving = numberOf(fields["serving"]);
  const heading =
    headings[textOf(fields["phase"]) ?? ""] ?? "The reload failed";
  const consequence =
    serving === undefined ? "" : pc.dim(` — generation ${serving} serves on`);
  const told =
    fields["diagnostics"] === undefined
      ? listOf([fields["diagnostic"]]).filter((one) => one !== undefined)
      : listOf(fields["diagnostics"]);
  const texts = told.map((one) => diagnosticText(diagnosticOf(one), cwd));
  const message = textOf(fields["message"]);
  const rest = texts.length === 0 && message !== undefined ? [message] : texts;
  return `${[`${pc.red("✗")} ${pc.bold(heading)}${consequence}`, ...rest].join("\n")}\n`;
}

/** How a reload ended. */
export function reloadText(
  answer: Fields & { readonly ok: boolean },
  cwd: string,
): Told {
  const nested = fieldsOf(answer["outcome"]);
  const fields = kindOf(nested) === undefined ? answer : nested;
  const kind = kindOf(fields);
  const generation = numberOf(fields["generation"]);
  const number = generation === undefined ? "" : ` generation ${generation}`;
  if (answer.ok) {
    const text =
      kind === "unchanged"
        ? "nothing has changed"
        : `reloaded:${number || " done"}${timesText(fields)}`;
    return { isDone: true, text: `${pc.green("✓")} ${text}\n` };
  }
  switch (kind) {
    case "superseded":
      return not(`a newer change took over from${number || " this one"}`);
    case "stopped":
      return not("the server was stopped meanwhile");
    case undefined:
    default:
      return { isDone: false, text: failureText(fields, cwd) };
  }
}

function timesText(fields: Fields): string {
  const times: readonly (readonly [name: string, value: unknown])[] = [
    ["compiled", fields["compileMs"]],
    ["first worker", fields["firstMs"]],
    ["all", fields["allMs"]],
  ];
  return times
    .flatMap(([name, value]) =>
      typeof value === "number" ? [`, ${name} ${milliseconds(value)}`] : [],
    )
    .join("");
}

function not(why: string): Told {
  return { isDone: false, text: `${pc.red("✗")} not done: ${why}\n` };
}

/** How a change of the number of workers ended. */
export function scaleText(answer: unknown, cwd: string): Told {
  const fields = fieldsOf(answer);
  const workers = numberOf(fields["workers"]);
  const those = workers === undefined ? "workers" : plural(workers, "worker");
  switch (kindOf(fields)) {
    case "superseded":
      return not(`another number was asked for meanwhile (${those})`);
    case "stopped":
      return not("the server was stopped meanwhile");
    case "failed":
      return {
        isDone: false,
        text: `${pc.red("✗")} ${pc.bold(`There are ${those}, but one doesn't start`)}; it is tried again\n${diagnosticText(diagnosticOf(fields["diagnostic"]), cwd)}\n`,
      };
    case undefined:
    default:
      return fields["ok"] === false
        ? not("the server doesn't say why; see its log")
        : { isDone: true, text: `${pc.green("✓")} ${those}\n` };
  }
}

/** What the workers answered to a command: one outcome each, or whatever came. */
export function commandText(answer: unknown): Told {
  const outcomes = listOf(answer).map(fieldsOf);
  const isByWorker =
    Array.isArray(answer) &&
    outcomes.every((outcome) => numberOf(outcome["worker"]) !== undefined);
  if (!isByWorker) return { isDone: true, text: `${valueText(answer)}\n` };
  const failed = outcomes.filter((outcome) => outcome["error"] !== undefined);
  const text = outcomes.map(outcomeText).join("");
  return {
    isDone: failed.length === 0,
    text: outcomes.length === 0 ? "no workers\n" : text,
  };
}

function outcomeText({ worker, pid, value, error }: Fields): string {
  const process = typeof pid === "number" ? ` (pid ${pid})` : "";
  const who = pc.dim(`worker ${numberOf(worker) ?? "?"}${process}:`);
  if (error === undefined) return `${who} ${valueText(value)}\n`;
  const { message } = fieldsOf(error);
  const what = textOf(message) ?? textOf(error) ?? JSON.stringify(error);
  return `${who} ${pc.red("✗")} ${what}\n`;
}

/** Texts as they are, everything else as JSON. */
function valueText(value: unknown): string {
  if (value === undefined) return "done";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
