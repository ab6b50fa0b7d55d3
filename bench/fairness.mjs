/**
 * What one long request does to all others: four processes, one request that blocks the event loop of whichever gets it, again
 * a second after it was answered, and 200 quick requests a second beside it, each on a connection of its own. `npm run build`
 * first, then `node bench/fairness.mjs --help`.
 *
 * Only one request blocks at a time: a new one every second would block five of four processes, and leave nothing to compare.
 */
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { setTimeout as rest } from "node:timers/promises";
import { parseArgs } from "node:util";
import { balancers, portsFor } from "./lib/fairness-peers.mjs";
import { firstAnswer } from "./lib/load.mjs";
import { freePorts } from "./lib/ports.mjs";
import { startProgram } from "./lib/processes.mjs";
import { machine, progress } from "./lib/settings.mjs";
import { median, percentile } from "./lib/statistics.mjs";
import { count, toMarkdown } from "./lib/table.mjs";

const START_MS = 60_000;
/** All processes are up, and warm. */
const WARM_UP_MS = 3_000;

const { values } = parseArgs({
  options: {
    peers: { type: "string", default: Object.keys(balancers).join(",") },
    workers: { type: "string", default: "4" },
    seconds: { type: "string", default: "36" },
    rounds: { type: "string", default: "1" },
    rate: { type: "string", default: "200" },
    block: { type: "string", default: "5000" },
    pause: { type: "string", default: "1000" },
    spin: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(`Usage: node bench/fairness.mjs [options]

  --peers <list>    of ${Object.keys(balancers).join(", ")}
  --workers <n>     processes (4)
  --seconds <n>     of load for each, a multiple of block + pause (36)
  --rounds <n>      the peers take turns (1)
  --rate <n>        quick requests a second (200)
  --block <ms>      how long the long request blocks its event loop (5000)
  --pause <ms>      from its answer to the next one (1000)
  --spin            it also keeps a core busy; without, it sleeps`);
} else await main();

async function main() {
  const names = values.peers.split(",").map((name) => name.trim());
  for (const name of names) {
    if (balancers[name] !== undefined) continue;
    throw new Error(`--peers: no "${name}"; see --help.`);
  }
  const found = new Map(names.map((name) => [name, []]));
  const absent = new Map();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const name of names) {
      progress(`round ${round + 1}: ${name}\n`);
      const run = await measure(name);
      if (run.absent === undefined) found.get(name).push(run);
      else absent.set(name, run.absent);
    }
  }
  const lines = names
    .filter((name) => found.get(name).length > 0)
    .map((name) => line(name, found.get(name)));
  const head = ["<", "quick requests", "median", "p95", "p99", "worst"];
  console.log(toMarkdown([...head, "over 1 s", "lost", "blocks"], lines));
  for (const [name, why] of absent) console.log(`\n${name}: skipped, ${why}.`);
  const { cpu, platform, node, date } = machine();
  console.log(
    `\n${values.workers} processes; one request at a time that blocks its event loop for ${values.block} ms${values.spin ? ", spinning" : ""}, ` +
      `again ${values.pause} ms after its answer; ${values.rate} quick ones a second for ${values.seconds} s, ${values.rounds} round(s). ${cpu}, ${platform}, Node ${node}, ${date}.`,
  );
}

function line(name, runs) {
  const times = runs.flatMap((run) => run.times);
  const shown = (value) => `${(value ?? NaN).toFixed(1)} ms`;
  const slow = times.filter((time) => time > 1_000).length;
  return [
    name,
    count(times.length),
    shown(median(times)),
    shown(percentile(times, 0.95)),
    shown(percentile(times, 0.99)),
    shown(percentile(times, 1)),
    `${((100 * slow) / times.length).toFixed(1)} %`,
    count(runs.reduce((sum, run) => sum + run.lost, 0)),
    count(runs.reduce((sum, run) => sum + run.blocks, 0)),
  ];
}

async function measure(name) {
  const directory = mkdtempSync(path.join(os.tmpdir(), "fairness-"));
  const workers = Number(values.workers);
  const port = await freePorts(portsFor(workers));
  const programs = [];
  const log = openSync(path.join(directory, "log"), "a");
  try {
    const plan = balancers[name]({ directory, port, workers });
    if (plan.absent !== undefined) return plan;
    for (const command of plan.commands)
      programs.push(await startProgram(command, log));
    if (!(await firstAnswer(port, AbortSignal.timeout(START_MS))))
      throw new Error(`${name} did not come up`);
    await load(port, WARM_UP_MS, false);
    return await load(port, 1_000 * Number(values.seconds), true);
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    closeSync(log);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** An open loop: a slow answer doesn't delay what is sent next. */
async function load(port, durationMs, isBlocking) {
  const run = { times: [], lost: 0, blocks: 0 };
  const startedAt = performance.now();
  const endsAt = startedAt + durationMs;
  const underWay = [];
  const blocking = isBlocking
    ? blockAgainAndAgain(port, endsAt, run)
    : undefined;
  for (let sent = 0; performance.now() < endsAt;) {
    const due = ((performance.now() - startedAt) * Number(values.rate)) / 1_000;
    for (; sent < due; sent++) {
      underWay.push(
        ask(port, "/").then(
          (time) => run.times.push(time),
          () => run.lost++,
        ),
      );
    }
    await rest(1);
  }
  await Promise.all([...underWay, blocking]);
  return run;
}

async function blockAgainAndAgain(port, endsAt, run) {
  const { block, pause, spin } = values;
  // One that begins is done within the measured time.
  while (performance.now() + Number(block) < endsAt) {
    await ask(port, `/block?ms=${block}${spin ? "&spin" : ""}`);
    run.blocks++;
    await rest(Number(pause));
  }
}

/** How long a GET took, in milliseconds; rejects when it was lost. */
function ask(port, url) {
  return new Promise((resolve, reject) => {
    const sentAt = performance.now();
    const request = http.get({
      host: "127.0.0.1",
      port,
      path: url,
      agent: false,
    });
    request.on("error", reject);
    request.on("response", (response) => {
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - sentAt);
        else reject(new Error(`status ${response.statusCode}`));
      });
      response.resume();
    });
  });
}
