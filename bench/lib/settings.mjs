/**
 * The options that the benchmark's scripts share, what they mean, and what is
 * told of the machine beside the figures.
 */
import { writeFileSync } from "node:fs";
import os from "node:os";
import { parseArgs } from "node:util";
import { SHAPES } from "./app-source.mjs";
import { LEAVES } from "./scenarios.mjs";

const choices = { shape: SHAPES, leaf: LEAVES };

const shared = {
  "keep-alive": ["n", "4", "connections kept open"],
  fresh: ["n", "100", "new connections a second"],
  settle: ["ms", "1500", "from all new to the next save"],
  rest: ["ms", "4000", "quiet before memory at rest; 0: not measured"],
  timeout: ["ms", "30000", "longest wait for a save"],
  shape: ["name", "express-first", "of the app; or express-last"],
  leaf: ["place", "middle", "which leaf; or first, last, version"],
  tool: ["file", undefined, "prefork-dev to measure (default: this one)"],
  out: ["file", undefined, "also write what is printed to a file"],
  logs: ["dir", undefined, "keep the programs' output there"],
};

/**
 * Reads the command line. Prints the help and returns `undefined` if asked to.
 *
 * @param usage - the first line of the help
 * @param own - the script's options, `{ name: [value, default, what] }`
 */
export function readOptions(usage, own) {
  const known = { ...own, ...shared };
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(
        Object.entries(known).map(([name, [, initial]]) => [
          name,
          {
            type: "string",
            ...(initial === undefined ? {} : { default: initial }),
          },
        ]),
      ),
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  for (const [name, allowed] of Object.entries(choices)) {
    if (allowed.includes(values[name])) continue;
    const list = allowed.join(", ");
    throw new Error(`--${name}: one of ${list}, not "${values[name]}".`);
  }
  if (!values.help) return values;
  const lines = Object.entries(known).map(([name, [value, initial, what]]) => {
    const flag = `--${name} <${value}>`.padEnd(24);
    return `  ${flag} ${what}${initial === undefined ? "" : ` (${initial})`}`;
  });
  lines.push(`  ${"--json".padEnd(24)} print JSON instead of tables`);
  process.stdout.write(`Usage: ${usage}\n\n${lines.join("\n")}\n`);
  return undefined;
}

/** The value of an option that is a whole number. */
export function wholeNumber(options, name) {
  return wholeNumbers(options, name)[0];
}

/** The values of an option that is a list of whole numbers. */
export function wholeNumbers(options, name) {
  return options[name].split(",").map((text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new Error(`--${name} takes whole numbers, not "${options[name]}".`);
  });
}

/** What `runPeer` has to know. */
export function howOf(options) {
  return {
    keepAlive: wholeNumber(options, "keep-alive"),
    fresh: wholeNumber(options, "fresh"),
    settleMs: wholeNumber(options, "settle"),
    restMs: wholeNumber(options, "rest"),
    timeoutMs: wholeNumber(options, "timeout"),
  };
}

export function machine() {
  const [cpu] = os.cpus();
  return {
    cpu: `${os.cpus().length} × ${cpu?.model.trim() ?? "unknown"}`,
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** How the figures came about, in a line below them. */
export function circumstances(options) {
  const on = machine();
  return (
    `Interleaved rounds: ${options.rounds}; saves per scenario in each: ${options.saves}; app: ${options.shape}, leaf: ${options.leaf}; ` +
    `load: ${options["keep-alive"]} keep-alive connections and ${options.fresh} new ones a second. ` +
    `${on.cpu}, ${on.platform}, Node ${on.node}, ${on.date}.`
  );
}

/** The result, to stdout and the file that was asked for. */
export function print(text, options) {
  process.stdout.write(text);
  if (options.out !== undefined) writeFileSync(options.out, text);
}

/** To stderr: stdout is the result's. */
export function progress(text) {
  process.stderr.write(text);
}
