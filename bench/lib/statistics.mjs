/** Runs to figures. Pure. */

/** The middle value; of an even number, the mean of the middle two. */
export function median(values) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
}

/** The value that 95 % aren't above: of fewer than 20, the worst. */
function p95(values) {
  return percentile(values, 0.95);
}

/** The value that this share of them isn't above (nearest rank); `undefined` of none. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1];
}

/**
 * One peer's edits in one scenario at one size, over all rounds, in figures.
 * Times in milliseconds, `undefined` where there is nothing to tell.
 *
 * @param runs - what `runPeer` gave, one per round
 */
export function summarizeEdits(runs) {
  const edits = runs.flatMap((run) => run.edits);
  const timesOf = (some, key) => some.flatMap((edit) => edit[key] ?? []);
  const first = timesOf(edits, "firstMs");
  const all = timesOf(edits, "allMs");
  const losses = {};
  for (const run of runs) {
    for (const [kind, count] of Object.entries(run.losses)) {
      losses[kind] = (losses[kind] ?? 0) + count;
    }
  }
  return {
    edits: edits.length,
    neverSeen: edits.length - first.length,
    allNeverSeen: edits.length - all.length,
    firstMedianMs: median(first),
    firstP95Ms: p95(first),
    /** Of edits of files that had not been edited since the start. */
    newFileMedianMs: median(
      timesOf(
        edits.filter((edit) => edit.isFirst),
        "firstMs",
      ),
    ),
    allMedianMs: median(all),
    allP95Ms: p95(all),
    requests: sum(runs, (run) => run.requests),
    lost: sum(runs, (run) => run.lost),
    losses,
    stale: sum(edits, (edit) => edit.stale),
    errors: runs.flatMap((run) => run.error ?? []),
  };
}

/**
 * What is of a peer at one size, over all scenarios and rounds.
 *
 * @param runs - what `runPeer` gave
 */
export function summarizeProgram(runs) {
  const of = (key) => runs.flatMap((run) => run[key] ?? []);
  const peaks = of("peakBytes");
  return {
    starts: of("startMs").length,
    startMedianMs: median(of("startMs")),
    startP95Ms: p95(of("startMs")),
    peakBytes: peaks.length === 0 ? undefined : Math.max(...peaks),
    restBytes: median(of("restBytes")),
  };
}

function sum(values, pick) {
  return values.reduce((total, value) => total + pick(value), 0);
}
