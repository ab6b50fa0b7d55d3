/**
 * Peers take turns: in each round, at each size and in each scenario, every peer
 * is started, measured and ended, each round beginning with another one. Owns the
 * scratch directory and ends everything when interrupted.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { generateApp } from "../gen-app.mjs";
import { installPeers, installed } from "./peers.mjs";
import { runPeer } from "./run-peer.mjs";
import { scenarios, seeded } from "./scenarios.mjs";

/**
 * @param plan - `{ peers, sizes, shape, rounds, scenariosOf(peer), savesOf(peer), leaf }`
 * @param how - as for `runPeer`
 * @param output - `{ logs, progress(text) }`: a directory or `undefined`, and where
 *   to say what is going on
 * @returns a list of `{ modules, scenario, peer, round, run }`, `undefined` if interrupted
 */
export async function measureInRounds(plan, how, output) {
  installPeers();
  // Not beside the peers: some watchers skip everything under a dot directory.
  const scratch = mkdtempSync(path.join(os.tmpdir(), "prefork-bench-"));
  const logs = path.resolve(output.logs ?? path.join(scratch, "logs"));
  const place = { scratch, logs, stopping: new Set() };
  let isInterrupted = false;
  const interrupt = () => {
    isInterrupted = true;
    // The end of whatever runs comes first; the scratch directory last.
    void Promise.all([...place.stopping].map((stop) => stop())).then(() => {
      rmSync(scratch, { recursive: true, force: true });
      process.exit(130);
    });
  };
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);

  const results = [];
  const measure = async ({ app, scenario, peer, round }) => {
    if (isInterrupted) return;
    output.progress(
      `${app.modules} modules, round ${round}, ${scenario ?? "first start"}: ${peer.label} … `,
    );
    const edits =
      scenario === undefined
        ? []
        : scenarios[scenario].plan(app, {
            saves: plan.savesOf(peer),
            leaf: plan.leaf,
            random: seeded(app.modules * 1_000 + round),
          });
    const isFirstScenario = scenario === plan.scenariosOf(peer)[0];
    const restMs = isFirstScenario ? how.restMs : 0;
    const run = await runPeer(peer, app, edits, { ...how, restMs }, place);
    output.progress(`${run.error ?? told(run)}\n`);
    results.push({ modules: app.modules, scenario, peer, round, run });
  };

  try {
    for (const modules of plan.sizes) {
      const directory = path.join(scratch, `app${modules}`);
      const app = createApp(directory, modules, plan.shape);
      // A start fills a tool's cache. It is told apart: later ones find it.
      for (const peer of plan.peers) await measure({ app, peer, round: 0 });
      for (let round = 1; round <= plan.rounds; round++) {
        const order = plan.peers.map(
          (_, i) => plan.peers[(i + round - 1) % plan.peers.length],
        );
        for (const scenario of Object.keys(scenarios)) {
          for (const peer of order) {
            if (!plan.scenariosOf(peer).includes(scenario)) continue;
            await measure({ app, scenario, peer, round });
          }
        }
      }
      rmSync(directory, { recursive: true, force: true });
    }
    return isInterrupted ? undefined : results;
  } finally {
    if (!isInterrupted) rmSync(scratch, { recursive: true, force: true });
  }
}

function createApp(directory, modules, shape) {
  const app = generateApp(directory, modules, shape);
  const packages = path.join(directory, "node_modules");
  mkdirSync(packages);
  symlinkSync(installed("express"), path.join(packages, "express"), "junction");
  return app;
}

/** The figures of one run in a few words, so that a long one can be followed. */
function told({ startMs, edits, lost }) {
  const times = edits.map((edit) => Math.round(edit.firstMs ?? -1));
  return `start ${Math.round(startMs)}, saves ${times.join(" ") || "none"}, lost ${lost}`;
}
