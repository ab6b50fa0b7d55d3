/** Texts of the terminal: pure. */
import { relative } from "node:path";
import pc from "picocolors";
import type { CertificateInfo } from "../certificates/types.js";
import type { Diagnostic } from "../diagnostic.js";
import type { ReloadOutcome } from "../server-events.js";

type DoneOutcome = Extract<ReloadOutcome, { kind: "done" }>;

/** Stack lines shown of an error. */
const STACK_LINES = 6;

/** `1 worker`, `2 workers`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** How many names a line has room for. */
const MOST_NAMES = 5;

/** `a, b, c`; of many only the first, and how many more. */
export function shortList(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(", ");
  const more = names.length - MOST_NAMES;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/**
 * That sources are loaded which a manifest doesn't list, and what to do.
 *
 * @param names - at least one
 */
export function undeclaredText(
  names: readonly string[],
  manifest: string,
): string {
  const which =
    names.length === 1
      ? `${shortList(names)} is loaded, but ${manifest} doesn't list it`
      : `${names.length} sources are loaded that ${manifest} doesn't list: ${shortList(names)}`;
  return `${which}. "prefork-dev check" says where in sources to add what.`;
}

/** `87 ms`, `1.4 s`. */
export function milliseconds(value: number): string {
  return value < 1_000
    ? `${Math.round(value)} ms`
    : `${(value / 1_000).toFixed(1)} s`;
}

/** `48 MiB`. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `512 B`, `1.5 KiB`, `48 MiB`. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.floor(Math.log2(count) / 10);
  const unit = Math.min(power, BYTE_UNITS.length - 1);
  const value = count / 2 ** (10 * unit);
  const text = unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1);
  return `${text} ${BYTE_UNITS[unit] ?? ""}`;
}

/** `event 2 ms, batch 8 ms, …`, or without the steps that didn't take place. */
export function stepsText(outcome: DoneOutcome): string {
  const { steps, isStandby } = outcome;
  const named: [string, number | undefined][] = [
    ["event", steps.eventMs],
    ["batch", steps.batchMs],
    ["run", steps.runMs],
    ["compile", steps.compileMs],
    ["link", steps.linkMs],
    [isStandby ? "activate" : "fork", steps.activateMs],
    ["load", steps.loadMs],
    ["listen", steps.listenMs],
    ["first answer", steps.firstAnswerMs],
  ];
  return named
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} ${value.toFixed(1)} ms`],
    )
    .join(", ");
}

/** `port 3001`, `ports 3001-3004`, `ports 3001, 40123`. */
export function portRange(ports: readonly number[]): string {
  const [first = 0] = ports;
  const last = ports.at(-1) ?? first;
  if (ports.length === 1) return `port ${first}`;
  const together = ports.every((port, index) => port === first + index);
  return together ? `ports ${first}-${last}` : `ports ${ports.join(", ")}`;
}

/** A problem with its place, code frame, and what is worth seeing of its stack. */
export function diagnosticText(diagnostic: Diagnostic, cwd: string): string {
  const { message, file, line, column, frame, stack } = diagnostic;
  const lines = [`  ${message.replaceAll("\n", "\n  ")}`];
  if (file !== undefined) {
    const short = relative(cwd, file);
    const place = [short.startsWith("..") ? file : short, line, column].filter(
      (part) => part !== undefined,
    );
    lines.push(`  ${pc.cyan(place.join(":"))}`);
  }
  if (frame !== undefined) {
    lines.push(
      "",
      ...frame
        .split("\n")
        .map((text) =>
          text.startsWith(">") ? `  ${text}` : `  ${pc.dim(text)}`,
        ),
    );
  }
  if (stack !== undefined)
    lines.push("", ...stackLines(stack, frame !== undefined));
  lines.push("");
  return lines.join("\n");
}

/** The frames of a stack without Node's own; all of it when it's no stack but a process's last words. */
function stackLines(stack: string, framed: boolean): string[] {
  const all = stack.split("\n");
  const frames = all.filter(
    (line) => /^\s+at /.test(line) && !/\bnode:/.test(line),
  );
  const shown =
    frames.length > 0 ? frames.slice(0, STACK_LINES) : framed ? [] : all;
  return shown.map((line) => pc.dim(`  ${line.trimStart()}`));
}

/** Which certificate the front has: what a browser shows must be the same. */
export function certificateText(info: CertificateInfo): string {
  const { isOwn, fingerprint256, validTo } = info;
  const whose = isOwn ? "self-signed certificate" : "certificate";
  return `${whose} until ${validTo.slice(0, 10)}, SHA-256 ${fingerprint256}`;
}
