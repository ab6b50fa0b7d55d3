/**
 * The benchmark: from a save to the new code's answers, under load, for
 * prefork-dev and for what it replaces. `node bench/run.mjs --help`.
 */
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { EDITED_FILE, generateApp, versionSource } from "./gen-app.mjs";
import { startLoad } from "./lib/load.mjs";
import { observeSave, settled } from "./lib/observe.mjs";
import { availablePeers, installPeers, installed } from "./lib/peers.mjs";
import { freePorts } from "./lib/ports.mjs";
import { memoryKind, startProgram } from "./lib/processes.mjs";
import { summarize, toMarkdown } from "./lib/table.mjs";

const PROBES_PER_SECOND = 50;

const help = `Usage: node bench/run.mjs [options]

  --sizes <list>     modules per app             (default 10,100,1000)
  --peers <list>     which to run                (default: all that can run here)
  --rounds <n>       interleaved rounds          (default 3)
  --saves <n>        saves per peer and round    (default 5)
  --workers <n>      processes, where several    (default 4)
  --keep-alive <n>   connections kept open       (default 4)
  --fresh <n>        new connections a second    (default 100)
  --settle <ms>      quiet time after each save  (default 1000)
  --timeout <ms>     longest wait for a save     (default 30000)
  --json             print JSON instead of a table
  --out <file>       also write what is printed to a file
  --logs <dir>       keep the programs' output there
`;

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string", default: "10,100,1000" },
    peers: { type: "string" },
    rounds: { type: "string", default: "3" },
    saves: { type: "string", default: "5" },
    workers: { type: "string", default: "4" },
    "keep-alive": { type: "string", default: "4" },
    fresh: { type: "string", default: "100" },
    settle: { type: "string", default: "1000" },
    timeout: { type: "string", default: "30000" },
    json: { type: "boolean", default: false },
    out: { type: "string" },
    logs: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (options.help) {
  process.stdout.write(help);
} else {
  await main();
}

async function main() {
  installPeers();
  const known = availablePeers(wholeNumber("workers"));
  const wanted = options.peers?.split(",") ?? known.map((peer) => peer.name);
  const peers = wanted.map((name) => {
    const peer = known.find((candidate) => candidate.name === name);
    if (peer !== undefined) return peer;
    const names = known.map((candidate) => candidate.name).join(", ");
    throw new Error(
      `--peers: no peer "${name}" runs here; there are ${names}.`,
    );
  });
  const sizes = options.sizes.split(",").map(Number);
  // Not beside the peers: some watchers skip everything under a dot directory.
  const scratch = mkdtempSync(path.join(os.tmpdir(), "prefork-bench-"));
  // The end of whatever runs comes first; the scratch directory last.
  const stopping = new Set();
  let isInterrupted = false;
  const interrupt = () => {
    isInterrupted = true;
    void Promise.all([...stopping].map((stop) => stop())).then(() => {
      rmSync(scratch, { recursive: true, force: true });
      process.exit(130);
    });
  };
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);

  try {
    const rows = [];
    for (const modules of sizes) {
      const app = createApp(path.join(scratch, `app${modules}`), modules);
      const runs = new Map(peers.map((peer) => [peer, []]));
      for (let round = 0; round < wholeNumber("rounds"); round++) {
        // Each round starts with another one, so that none always runs first.
        const order = peers.map((_, i) => peers[(i + round) % peers.length]);
        for (const peer of order) {
          if (isInterrupted) return;
          progress(`${modules} modules, round ${round + 1}: ${peer.label} … `);
          const run = await runPeer(peer, app, scratch, stopping);
          runs.get(peer).push(run);
          progress(`${run.error ?? "done"}\n`);
        }
      }
      for (const [peer, its] of runs) {
        rows.push({ modules, peer: peer.label, summary: summarize(its) });
      }
    }
    report(rows);
    if (rows.some((row) => row.summary.errors.length > 0)) process.exitCode = 1;
  } finally {
    if (!isInterrupted) rmSync(scratch, { recursive: true, force: true });
  }
}

/** One peer, one round: start, wait until it is settled, save under load, end. */
async function runPeer(peer, app, scratch, stopping) {
  const port = await freePorts(1 + peer.workerPorts);
  const logs = path.resolve(options.logs ?? path.join(scratch, "logs"));
  mkdirSync(logs, { recursive: true });
  const logFile = path.join(logs, `${peer.name}-${path.basename(app)}.log`);
  const file = path.join(app, EDITED_FILE);
  const run = { saves: [], requests: 0, lost: 0, losses: {}, peakBytes: 0 };

  writeFileSync(file, versionSource("start"));
  const program = startProgram(peer.command({ app, port, scratch }), logFile);
  const wait = {
    settleMs: wholeNumber("settle"),
    timeoutMs: wholeNumber("timeout"),
    over: program.exited,
  };
  const listeners = new Set();
  const tell = (isProbe) => (answer) => {
    for (const listener of listeners) listener(answer, isProbe);
  };
  const load = startLoad({
    port,
    keepAlive: wholeNumber("keep-alive"),
    freshPerSecond: wholeNumber("fresh"),
    onAnswer: tell(false),
  });
  // A balancer need not send every process some of a light load: where each has
  // a port of its own, asking there shows when the last of them is new.
  const probes = Array.from({ length: peer.workerPorts }, (_, worker) =>
    startLoad({
      port: port + 1 + worker,
      keepAlive: 0,
      freshPerSecond: PROBES_PER_SECOND,
      onAnswer: tell(true),
    }),
  );
  const subscribe = (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const stop = async () => {
    await program.stop();
    await Promise.all([load, ...probes].map((each) => each.stop()));
  };
  stopping.add(stop);

  try {
    const boot = observeSave("start", performance.now(), peer.processes);
    await settled(boot, subscribe, { ...wait, timeoutMs: 2 * wait.timeoutMs });
    if (!boot.seenAll()) {
      const state = program.ended() ?? "it runs, but not all processes answer";
      run.error = `did not come up (${state}); see its log with --logs DIR`;
      return run;
    }
    const uncount = subscribe((answer, isProbe) => {
      if (isProbe) return;
      run.requests++;
      if (answer.loss === undefined) return;
      run.lost++;
      run.losses[answer.loss] = (run.losses[answer.loss] ?? 0) + 1;
    });
    for (let save = 1; save <= wholeNumber("saves"); save++) {
      const version = `save ${save}`;
      const observer = observeSave(version, performance.now(), peer.processes);
      const done = settled(observer, subscribe, wait);
      writeFileSync(file, versionSource(version));
      await done;
      run.saves.push(observer.result());
    }
    uncount();
    return run;
  } finally {
    await stop();
    stopping.delete(stop);
    run.peakBytes = program.peakBytes();
  }
}

function createApp(directory, modules) {
  generateApp(directory, modules);
  const packages = path.join(directory, "node_modules");
  mkdirSync(packages);
  symlinkSync(installed("express"), path.join(packages, "express"), "junction");
  return directory;
}

function report(rows) {
  const [cpu] = os.cpus();
  const machine = {
    cpu: `${os.cpus().length} × ${cpu?.model.trim() ?? "unknown"}`,
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
  const date = new Date().toISOString().slice(0, 10);
  const text = options.json
    ? `${JSON.stringify({ date, machine, memoryKind, options, rows }, null, 2)}\n`
    : `${toMarkdown(rows, memoryKind)}\n\n` +
      `${options.rounds} interleaved round${options.rounds === 1 ? "" : "s"} of ${options.saves} saves, under ` +
      `${options["keep-alive"]} keep-alive connections and ${options.fresh} new ones a second. ` +
      `${machine.cpu}, ${machine.platform}, Node ${machine.node}, ${date}.\n`;
  process.stdout.write(text);
  if (options.out !== undefined) writeFileSync(options.out, text);
  for (const { modules, peer, summary } of rows) {
    for (const error of summary.errors) {
      progress(`${modules} modules, ${peer}: ${error}\n`);
    }
  }
}

function wholeNumber(name) {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} must be a whole number, not "${options[name]}".`);
}

/** To stderr: stdout is the result's. */
function progress(text) {
  process.stderr.write(text);
}
