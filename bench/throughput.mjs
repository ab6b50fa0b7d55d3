/**
 * What a front costs: requests a second, p99, and the processor time that it takes for each, beside other fronts before the same
 * app. `npm run build` first, then `node bench/throughput.mjs --help`.
 *
 * The load, the front and the app share the machine, so requests a second depend on all three; the front's time hardly does.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as rest } from "node:timers/promises";
import { parseArgs } from "node:util";
import { firstAnswer } from "./lib/load.mjs";
import { freePorts } from "./lib/ports.mjs";
import { startProgram } from "./lib/processes.mjs";
import { machine, progress } from "./lib/settings.mjs";
import { median, percentile } from "./lib/statistics.mjs";
import { count, toMarkdown } from "./lib/table.mjs";
import { fronts, portsFor } from "./lib/throughput-peers.mjs";

const START_MS = 60_000;
/** All connections are open, and their first requests answered. */
const WARM_UP_MS = 500;

/** What is asked for, and how long its body is. */
const answers = {
  small: { path: "/", bytes: 2 },
  large: { path: "/large", bytes: 64 * 1024 },
};

const { values } = parseArgs({
  options: {
    peers: { type: "string", default: Object.keys(fronts).join(",") },
    workers: { type: "string", default: "2" },
    connections: { type: "string", default: "32,256" },
    answers: { type: "string", default: Object.keys(answers).join(",") },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "2" },
    settle: { type: "string", default: "2000" },
    warm: { type: "string", default: "3000" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(`Usage: node bench/throughput.mjs [options]

  --peers <list>        of ${Object.keys(fronts).join(", ")}
  --workers <n>         processes of the app (2)
  --connections <list>  open at a time, each with one request under way (32,256)
  --answers <list>      of small (2 bytes), large (64 KiB) (small,large)
  --rounds <n>          the peers take turns, and each round starts with another one (3)
  --seconds <n>         of each measurement (2)
  --settle <ms>         from a peer's first answer to the load (2000)
  --warm <ms>           of load that isn't measured, before all that is (3000)`);
} else await main();

async function main() {
  const names = namesOf(values.peers);
  const cases = casesOf();
  /** By name and case: the runs of all rounds. */
  const found = new Map(names.map((name) => [name, cases.map(() => [])]));
  const absent = new Map();
  for (let round = 0; round < Number(values.rounds); round++) {
    const turn = round % names.length;
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      progress(`round ${round + 1}: ${name}\n`);
      const run = await measure(name, cases);
      if (run.absent !== undefined) absent.set(name, run.absent);
      else run.results.forEach((each, i) => found.get(name)[i].push(each));
    }
  }
  cases.forEach(({ connections, answer }, i) => {
    const lines = names
      .filter((name) => found.get(name)[i].length > 0)
      .map((name) => line(name, found.get(name)[i]));
    const size = answers[answer].bytes;
    console.log(`\n**${size} bytes, ${connections} connections**\n`);
    const cpu = ["front's CPU a request", "everybody's"];
    const head = ["<", "requests a second", "median", "p99"];
    console.log(toMarkdown([...head, ...cpu, "lost"], lines));
  });
  for (const [name, why] of absent) console.log(`\n${name}: skipped, ${why}.`);
  const { cpu, platform, node, date } = machine();
  console.log(
    `\nMedians of ${values.rounds} round(s) of ${values.seconds} s; ${values.workers} processes of the app (one where there is no front). ` +
      `${cpu}, ${platform}, Node ${node}, ${date}.`,
  );
}

function namesOf(text) {
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (fronts[name] !== undefined) continue;
    throw new Error(`--peers: no "${name}"; see --help.`);
  }
  return names;
}

function casesOf() {
  return values.answers.split(",").flatMap((answer) => {
    if (answers[answer] === undefined)
      throw new Error(`--answers: no "${answer}"; see --help.`);
    return values.connections.split(",").map((connections) => {
      return { connections: Number(connections), answer };
    });
  });
}

function line(name, runs) {
  const of = (pick) => median(runs.map(pick));
  const microseconds = (key) => {
    const value = of((run) => (1_000 * run.cpuMs[key]) / run.times.length);
    return value === 0 ? "–" : `${count(Math.round(value))} µs`;
  };
  return [
    name,
    count(Math.round(of((run) => (1_000 * run.times.length) / run.tookMs))),
    `${of((run) => median(run.times)).toFixed(1)} ms`,
    `${of((run) => percentile(run.times, 0.99)).toFixed(1)} ms`,
    microseconds("front"),
    microseconds("all"),
    count(runs.reduce((sum, run) => sum + run.lost, 0)),
  ];
}

async function measure(name, cases) {
  const directory = mkdtempSync(path.join(os.tmpdir(), "throughput-"));
  const workers = Number(values.workers);
  const port = await freePorts(portsFor(workers));
  const programs = [];
  const log = openSync(path.join(directory, "log"), "a");
  try {
    const plan = fronts[name]({ directory, port, workers });
    if (plan.absent !== undefined) return plan;
    for (const command of plan.commands)
      programs.push(await startProgram(command, log, { isSampled: false }));
    if (!(await firstAnswer(port, AbortSignal.timeout(START_MS))))
      throw new Error(`${name} did not come up`);
    await rest(Number(values.settle));
    const front = programs.at(-1);
    const pids = {
      all: programs.flatMap((program) => program.pids()),
      front: { none: [], itself: [front.pid], all: front.pids() }[plan.front],
    };
    const warm = { path: "/", bytes: 2, connections: 32 };
    await load({ port, ...warm, pids: {} }, Number(values.warm));
    const results = [];
    for (const { connections, answer } of cases)
      results.push(await load({ port, connections, ...answers[answer], pids }));
    return { results };
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    closeSync(log);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function load(task, measureMs = 1_000 * Number(values.seconds)) {
  const file = new URL("lib/throughput-load.mjs", import.meta.url);
  const child = fork(file);
  child.send({ ...task, measureMs, warmUpMs: WARM_UP_MS });
  const [found] = await once(child, "message");
  await once(child, "exit");
  return found;
}
