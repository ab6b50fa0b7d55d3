/**
 * One peer, one scenario, one time: start it, wait until it is settled, save
 * under load, let it rest, end it. Everything is seen from outside.
 */
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { setTimeout as rest } from "node:timers/promises";
import { FIRST_VERSION } from "../gen-app.mjs";
import { firstAnswer, startLoad } from "./load.mjs";
import { observeEdit, settled } from "./observe.mjs";
import { freePorts } from "./ports.mjs";
import { startProgram } from "./processes.mjs";
import { median } from "./statistics.mjs";

const PROBES_PER_SECOND = 50;
const REST_SAMPLES = 5;
const REST_SAMPLE_MS = 500;

/** Never the same twice, so that no tool finds what it compiled in an earlier run. */
let lastVersion = 0;

/**
 * @param peer - of `peers.mjs`
 * @param app - of `generateApp`
 * @param edits - of a scenario's `plan`; none: it is only started
 * @param how - `{ keepAlive, fresh, settleMs, timeoutMs, restMs }`; with `restMs` 0 memory
 *   at rest isn't measured
 * @param place - `{ scratch, logs, stopping }`: a directory, one for output, and a set
 *   of functions that end what runs
 * @returns what was seen, `error` if it failed
 */
export async function runPeer(peer, app, edits, how, place) {
  const { program, port } = await start(peer, app, place);
  const traffic = createTraffic(peer, port, how);
  const stop = async () => {
    await program.stop();
    await traffic.stop();
  };
  place.stopping.add(stop);
  const run = { edits: [], requests: 0, lost: 0, losses: {} };
  const wait = {
    settleMs: how.settleMs,
    timeoutMs: how.timeoutMs,
    over: program.exited,
  };
  try {
    const aborter = new AbortController();
    void program.exited.then(() => aborter.abort());
    const deadline = AbortSignal.timeout(2 * how.timeoutMs);
    const given = AbortSignal.any([aborter.signal, deadline]);
    const isUp = await firstAnswer(port, given);
    if (isUp) run.startMs = performance.now() - program.startedAt;
    const boot = observeEdit(peer.processes);
    boot.saved(Number(FIRST_VERSION), performance.now());
    traffic.start();
    await settled(boot, traffic.subscribe, wait);
    if (!boot.seenAll()) {
      const state = program.ended() ?? "it runs, but not all processes answer";
      run.error = `did not come up (${state}); see its log with --logs DIR`;
      return run;
    }
    const uncount = traffic.subscribe(countInto(run));
    for (const edit of edits) {
      run.edits.push(await save(edit, peer, traffic, wait, run.edits));
      if (program.ended() !== undefined) {
        run.error = `ended in the middle of it (${program.ended()})`;
        return run;
      }
    }
    uncount();
    await traffic.stop();
    if (how.restMs > 0) run.restBytes = await atRest(program, how.restMs);
    return run;
  } finally {
    await stop();
    place.stopping.delete(stop);
    run.peakBytes = program.peakBytes();
    for (const file of new Map(
      edits.map((e) => [e.file.name, e.file]),
    ).values()) {
      file.save(FIRST_VERSION);
    }
  }
}

async function start(peer, app, { scratch, logs }) {
  const port = await freePorts(1 + peer.workerPorts);
  mkdirSync(logs, { recursive: true });
  const name = peer.name.replaceAll(/[^\w-]+/g, "_");
  const log = openSync(path.join(logs, `${name}-${app.modules}.log`), "a");
  try {
    const command = peer.command({ app: app.directory, port, scratch });
    return { program: await startProgram(command, log), port };
  } finally {
    closeSync(log);
  }
}

/** The load, and whom to tell of its answers. */
function createTraffic(peer, port, { keepAlive, fresh }) {
  const listeners = new Set();
  const tell = (isProbe) => (answer) => {
    for (const listener of listeners) listener(answer, isProbe);
  };
  let loads = [];
  return {
    start() {
      loads = [
        startLoad({
          port,
          keepAlive,
          freshPerSecond: fresh,
          onAnswer: tell(false),
        }),
      ];
      // A balancer need not send every process some of a light load: where each has
      // a port of its own, asking there shows when the last of them is new.
      for (let worker = 0; worker < peer.workerPorts; worker++) {
        loads.push(
          startLoad({
            port: port + 1 + worker,
            keepAlive: 0,
            freshPerSecond: PROBES_PER_SECOND,
            onAnswer: tell(true),
          }),
        );
      }
    },
    aim(url) {
      for (const load of loads) load.aim(url);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      await Promise.all(loads.map((load) => load.stop()));
    },
  };
}

function countInto(run) {
  return (answer, isProbe) => {
    if (isProbe) return;
    run.requests++;
    if (answer.loss === undefined) return;
    run.lost++;
    run.losses[answer.loss] = (run.losses[answer.loss] ?? 0) + 1;
  };
}

/** Makes one edit and waits until all of it was seen. */
async function save({ file, saves, gapMs }, peer, traffic, wait, earlier) {
  traffic.aim(file.url);
  const observer = observeEdit(peer.processes);
  let done;
  for (let count = 1; count <= saves; count++) {
    const version = ++lastVersion;
    observer.saved(version, performance.now());
    done ??= settled(observer, traffic.subscribe, wait);
    file.save(String(version));
    if (count < saves) await rest(gapMs);
  }
  await done;
  const isFirst = earlier.every((edit) => edit.file !== file.name);
  return { file: file.name, isFirst, ...observer.result() };
}

/** What it holds when nothing has happened for a while: the middle of some samples. */
async function atRest(program, restMs) {
  await rest(restMs);
  const samples = [];
  for (let count = 0; count < REST_SAMPLES; count++) {
    samples.push(program.bytes());
    await rest(REST_SAMPLE_MS);
  }
  return median(samples);
}
