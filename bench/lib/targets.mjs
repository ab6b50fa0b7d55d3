/**
 * What is claimed, and whether the figures bear it out: yes, no or not measured.
 * Pure. A ratio says how many times faster (or smaller) ours is.
 */
import { COLD_BOOT } from "./peers.mjs";
import { median } from "./statistics.mjs";

const STEADY = ["leaf", "three"];
const TIMES_TSX = 40;
const TIMES_NODE_WATCH = 25;
const TIMES_BEST_PEER = 15;
const TIMES_PM2_ALL = 20;
const FLAT = 1.5;
const COLD_BOOT_SLACK = 1.05;
/** "Well before": so many times sooner. */
const WELL_BEFORE = 1.5;

/**
 * @param groups - `{ edits, programs }` of `report.mjs`
 * @param own - the peer that the claims are about
 * @returns a list of `{ claim, found, isMet }`, the last two `undefined` if not measured
 */
export function verdicts({ edits, programs }, own) {
  const editOf = (modules, scenario, wanted) =>
    edits.find(
      (each) =>
        each.modules === modules &&
        each.scenario === scenario &&
        isPeer(each.peer, wanted),
    )?.summary;
  const programOf = (modules, wanted) =>
    programs.find(
      (each) => each.modules === modules && isPeer(each.peer, wanted),
    )?.summary;
  const sizes = [...new Set(edits.map((each) => each.modules))].sort(
    (a, b) => a - b,
  );
  const firstOf = (modules, scenario, wanted) =>
    editOf(modules, scenario, wanted)?.firstMedianMs;

  const rows = [];
  for (const scenario of STEADY) {
    for (const [kind, times] of [
      ["tsx", TIMES_TSX],
      ["node-watch", TIMES_NODE_WATCH],
    ]) {
      rows.push(
        atLeast(
          `${scenario}, 1,000 modules: ${times} × faster than ${kind}`,
          times,
          firstOf(1_000, scenario, kind),
          firstOf(1_000, scenario, own),
        ),
      );
    }
    rows.push(
      atLeast(
        `${scenario}, 10 modules: ${TIMES_BEST_PEER} × faster than the best peer`,
        TIMES_BEST_PEER,
        bestPeer(edits, scenario, own),
        firstOf(10, scenario, own),
      ),
      atMost(
        `${scenario}: at 3,000 modules at most ${FLAT} × the median at 10`,
        FLAT,
        firstOf(3_000, scenario, own),
        firstOf(10, scenario, own),
      ),
    );
  }
  for (const modules of sizes) {
    const random = edits.filter(
      (each) => each.modules === modules && each.scenario === "random",
    );
    const ours = random.find(({ peer }) => peer === own);
    const cold = random.find(({ peer }) => isPeer(peer, COLD_BOOT));
    rows.push(
      inPairs(
        `random, ${modules} modules: at most ${COLD_BOOT_SLACK} × a cold boot for the same save (median)`,
        COLD_BOOT_SLACK,
        pairs(ours?.runs ?? [], cold?.runs ?? []),
      ),
      atMost(
        `random, ${modules} modules: p95 at most ${COLD_BOOT_SLACK} × a cold boot's`,
        COLD_BOOT_SLACK,
        ours?.summary.firstP95Ms,
        cold?.summary.firstP95Ms,
      ),
    );
  }
  const pm2 = edits.find(
    ({ peer }) => peer.kind === "pm2" && peer.processes === own?.processes,
  )?.peer;
  for (const modules of sizes) {
    rows.push(
      atLeast(
        `leaf, ${modules} modules: all ${own?.processes} new ${TIMES_PM2_ALL} × sooner than with pm2 reload`,
        TIMES_PM2_ALL,
        editOf(modules, "leaf", pm2)?.allMedianMs,
        editOf(modules, "leaf", own)?.allMedianMs,
      ),
    );
  }
  for (const modules of sizes) {
    const times = modules === 1_000 ? WELL_BEFORE : 1;
    rows.push(
      atLeast(
        `cold start, ${modules} modules: ${times === 1 ? "no later than" : `${times} × sooner than`} tsx`,
        times,
        programOf(modules, "tsx")?.startMedianMs,
        programOf(modules, own)?.startMedianMs,
      ),
    );
  }
  const ours = edits.filter((each) => each.peer === own);
  const total = (key) =>
    ours.some((each) => each.summary.edits > 0)
      ? ours.reduce((sum, each) => sum + each.summary[key], 0)
      : undefined;
  rows.push(none("requests lost", total("lost")));
  rows.push(none("stale answers", total("stale")));
  rows.push(none("saves never seen", total("neverSeen")));
  return rows;
}

/** A peer itself, or one by its spec. */
function isPeer(peer, wanted) {
  return peer === wanted || (wanted !== undefined && peer.name === wanted);
}

/** Ours divided by the other's, of each save that both have answered: the same file in the same round. */
function pairs(ours, others) {
  return ours.flatMap((run, round) =>
    run.edits.flatMap((edit, turn) => {
      const ratio = edit.firstMs / others[round]?.edits[turn]?.firstMs;
      return Number.isNaN(ratio) ? [] : ratio;
    }),
  );
}

/** The median, with what the middle half of the pairs say: how far to trust it. */
function inPairs(claim, limit, ratios) {
  const times = median(ratios);
  if (times === undefined) return { claim };
  const sorted = [...ratios].sort((a, b) => a - b);
  const [low, high] = [0.25, 0.75].map((part) =>
    sorted[Math.floor(part * (sorted.length - 1))].toFixed(2),
  );
  const found = `${times.toFixed(2)} × (${ratios.length} pairs, half ${low} to ${high})`;
  return { claim, found, isMet: times <= limit };
}

/** The shortest median at 10 modules of a tool that isn't ours. */
function bestPeer(edits, scenario, own) {
  const medians = edits
    .filter((each) => each.modules === 10 && each.scenario === scenario)
    .filter((each) => each.peer.kind !== own?.kind)
    .flatMap((each) => each.summary.firstMedianMs ?? []);
  return medians.length === 0 ? undefined : Math.min(...medians);
}

function atLeast(claim, limit, theirs, ours) {
  return compare(claim, theirs, ours, (times) => times >= limit);
}

function atMost(claim, limit, value, base) {
  return compare(claim, value, base, (times) => times <= limit);
}

function compare(claim, above, below, isMet) {
  if (above === undefined || below === undefined) return { claim };
  const times = above / below;
  return { claim, found: `${times.toFixed(2)} ×`, isMet: isMet(times) };
}

function none(what, found) {
  const claim = `no ${what}`;
  if (found === undefined) return { claim };
  return { claim, found: String(found), isMet: found === 0 };
}
