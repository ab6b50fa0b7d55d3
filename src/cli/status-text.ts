/** What `prefork-dev status` prints for people: a table of the workers. Pure; the answer may lack any field. */
import pc from "picocolors";
import { relative } from "node:path";
import { bytes, mebibytes, milliseconds, plural, shortList } from "./format.js";
import { fieldsOf, listOf, numberOf, textOf } from "./lenient.js";
import type { Fields } from "./lenient.js";
import { failureText } from "./outcome-text.js";
import { frontLine } from "./traffic-text.js";

const UNKNOWN = "-";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `12 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`. */
export function duration(ms: number): string {
  const units: readonly (readonly [size: number, name: string])[] = [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "min"],
    [SECOND, "s"],
  ];
  const first = units.findIndex(([size]) => ms >= size);
  if (first === -1) return "0 s";
  let rest = ms;
  const parts: string[] = [];
  for (const [size, name] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(" ");
}

/** One column of the table of workers. */
interface Column {
  readonly name: string;
  readonly isNumber: boolean;
  readonly cell: (worker: Fields) => string | undefined;
}

function count(value: unknown): string | undefined {
  return numberOf(value)?.toString();
}

function state(worker: Fields): string | undefined {
  const text = worker["isHung"] === true ? "hung" : textOf(worker["state"]);
  const draining = numberOf(worker["draining"]) ?? 0;
  return draining > 0 ? `${text ?? UNKNOWN} +${draining} draining` : text;
}

function inUnit(
  value: unknown,
  format: (value: number) => string,
): string | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : format(number);
}

/** A number of what the front has counted for a worker. */
function traffic(name: string, format: (value: number) => string = String) {
  return (worker: Fields): string | undefined =>
    inUnit(fieldsOf(worker["traffic"])[name], format);
}

const columns: readonly Column[] = [
  { name: "worker", isNumber: true, cell: ({ index }) => count(index) },
  { name: "port", isNumber: true, cell: ({ port }) => count(port) },
  { name: "pid", isNumber: true, cell: ({ pid }) => count(pid) },
  { name: "state", isNumber: false, cell: state },
  { name: "gen", isNumber: true, cell: ({ generation }) => count(generation) },
  {
    name: "uptime",
    isNumber: true,
    cell: ({ uptimeMs }) => inUnit(uptimeMs, duration),
  },
  { name: "leases", isNumber: true, cell: ({ leases }) => count(leases) },
  { name: "requests", isNumber: true, cell: ({ requests }) => count(requests) },
  { name: "upgrades", isNumber: true, cell: traffic("upgrades") },
  { name: "retries", isNumber: true, cell: traffic("retries") },
  { name: "in", isNumber: true, cell: traffic("bytesIn", bytes) },
  { name: "out", isNumber: true, cell: traffic("bytesOut", bytes) },
  { name: "p50", isNumber: true, cell: traffic("p50Ms", milliseconds) },
  { name: "p99", isNumber: true, cell: traffic("p99Ms", milliseconds) },
  {
    name: "memory",
    isNumber: true,
    cell: ({ rssBytes }) => inUnit(rssBytes, mebibytes),
  },
  {
    name: "loop",
    isNumber: true,
    cell: ({ loopDelayMs }) => inUnit(loopDelayMs, milliseconds),
  },
  { name: "restarts", isNumber: true, cell: ({ restarts }) => count(restarts) },
];

/** The workers, aligned; a column that no worker has anything for is left out. */
function workerTable(workers: readonly Fields[]): string[] {
  const texts = columns.map(({ name, isNumber, cell }) => {
    const cells = workers.map(cell);
    const shown = [name, ...cells.map((text) => text ?? UNKNOWN)];
    const width = Math.max(...shown.map((text) => text.length));
    const aligned = shown.map((text) =>
      isNumber ? text.padStart(width) : text.padEnd(width),
    );
    return cells.every((text) => text === undefined) ? [] : aligned;
  });
  const lines = [{}, ...workers].map((_, row) =>
    texts
      .flatMap((cells) => cells[row] ?? [])
      .join("  ")
      .trimEnd(),
  );
  return lines.map((line, row) => `  ${row === 0 ? pc.dim(line) : line}`);
}

/** `standbys: 2 ready (pids 12, 13), 1 booting (pid 14)`. */
function standbyLine(standbys: readonly Fields[]): string {
  const pids = new Map<string, number[]>();
  for (const standby of standbys) {
    const name = textOf(standby["state"]) ?? "unknown";
    const pid = numberOf(standby["pid"]);
    const of = pids.get(name) ?? [];
    pids.set(name, pid === undefined ? of : [...of, pid]);
  }
  const kinds = [...pids].map(([name, of]) => {
    const those = standbys.filter(
      (one) => (textOf(one["state"]) ?? "unknown") === name,
    );
    const who =
      of.length === 0
        ? ""
        : ` (pid${of.length > 1 ? "s" : ""} ${of.join(", ")})`;
    return `${those.length} ${name}${who}`;
  });
  return `standbys: ${kinds.length === 0 ? "none" : kinds.join(", ")}`;
}

/** `step sources[0].run: done, took 120 ms (node codegen.mjs)`. */
function stepLine({ step, state: named, ms, command }: Fields): string {
  const time = inUnit(ms, milliseconds);
  const took = time === undefined ? "" : `, took ${time}`;
  return `step ${textOf(step) ?? UNKNOWN}: ${textOf(named) ?? UNKNOWN}${took} ${pc.dim(`(${textOf(command) ?? UNKNOWN})`)}`;
}

/** `last reload: done, compiled 3 ms, first worker 20 ms, all 45 ms`. */
function lastReload(value: unknown): string | undefined {
  const fields = fieldsOf(value);
  const kind = textOf(fields["kind"]) ?? textOf(fields["outcome"]);
  if (kind === undefined) return undefined;
  const times: readonly (readonly [name: string, value: unknown])[] = [
    ["compiled", fields["compileMs"]],
    ["first worker", fields["firstMs"]],
    ["all", fields["allMs"]],
  ];
  const told = times.flatMap(([name, time]) => {
    const text = inUnit(time, milliseconds);
    return text === undefined ? [] : [`${name} ${text}`];
  });
  return `last reload: ${[kind, ...told].join(", ")}`;
}

function short(path: string, cwd: string): string {
  const name = relative(cwd, path);
  return name.startsWith("..") ? path : name;
}

/** `not listed in the manifest: src/a.ts, src/b.ts ("prefork-dev check" says …)`. */
function undeclaredLine(names: readonly string[]): string {
  return `not listed in the manifest: ${shortList(names)} ("prefork-dev check" says where to add what)`;
}

/**
 * The whole text, with its line ends.
 *
 * @param cwd - paths are shown relative to it
 */
export function statusText(answer: unknown, cwd: string): string {
  const status = fieldsOf(answer);
  const labelled = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${name} ${value}`];
  const head = [
    pc.bold(textOf(status["name"]) ?? "prefork-dev"),
    ...[textOf(status["url"])].flatMap((url) => url ?? []).map(pc.cyan),
    ...labelled("pid", count(status["pid"])),
    ...labelled("up", inUnit(status["uptimeMs"], duration)),
  ];
  const code = [
    ...labelled("generation", count(status["generation"])),
    ...[numberOf(status["sources"])].flatMap((sources) =>
      sources === undefined ? [] : [plural(sources, "source")],
    ),
    ...[lastReload(status["lastRoll"])].flatMap((text) => text ?? []),
  ];
  const workers = listOf(status["workers"]).map(fieldsOf);
  const lines = [
    head.join("  "),
    ...(code.length === 0 ? [] : [code.join("  ")]),
    "",
    ...(workers.length === 0 ? ["  no workers"] : workerTable(workers)),
  ];
  const front = fieldsOf(status["front"]);
  if (numberOf(front["requests"]) !== undefined)
    lines.push("", frontLine(front));
  if (Array.isArray(status["standbys"]))
    lines.push("", standbyLine(listOf(status["standbys"]).map(fieldsOf)));
  const steps = listOf(status["steps"]).map(fieldsOf);
  if (steps.length > 0) lines.push("", ...steps.map(stepLine));
  const undeclared = listOf(status["undeclared"]).flatMap(
    (path) => textOf(path) ?? [],
  );
  if (undeclared.length > 0)
    lines.push("", undeclaredLine(undeclared.map((path) => short(path, cwd))));
  const { lastError } = status;
  if (typeof lastError === "object" && lastError !== null)
    lines.push("", failureText(lastError, cwd).trimEnd());
  return `${lines.join("\n")}\n`;
}
