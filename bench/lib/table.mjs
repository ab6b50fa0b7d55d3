/** Results to a Markdown table. Pure. */

/** The middle value; of an even number, the mean of the middle two. */
function median(values) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * One peer's saves at one size, over all rounds, in figures.
 *
 * @param runs - what `runPeer` gave, one per round
 */
export function summarize(runs) {
  const saves = runs.flatMap((run) => run.saves);
  const times = (key) => saves.flatMap((save) => save[key] ?? []);
  const sum = (pick) => runs.reduce((total, run) => total + pick(run), 0);
  const losses = {};
  for (const run of runs) {
    for (const [kind, count] of Object.entries(run.losses)) {
      losses[kind] = (losses[kind] ?? 0) + count;
    }
  }
  return {
    saves: saves.length,
    neverSeen: saves.filter((save) => save.firstMs === undefined).length,
    allNeverSeen: saves.filter((save) => save.allMs === undefined).length,
    firstMedianMs: median(times("firstMs")),
    firstWorstMs: worst(times("firstMs")),
    allMedianMs: median(times("allMs")),
    allWorstMs: worst(times("allMs")),
    requests: sum((run) => run.requests),
    lost: sum((run) => run.lost),
    losses,
    stale: saves.reduce((total, save) => total + save.stale, 0),
    peakBytes: Math.max(...runs.map((run) => run.peakBytes)),
    errors: runs.flatMap((run) => run.error ?? []),
  };
}

/**
 * @param rows - `{ modules, peer, summary }`, in the order to show
 * @param memoryKind - `"PSS"` or `"RSS"`
 */
export function toMarkdown(rows, memoryKind) {
  const head = [
    "modules",
    "",
    "first new answer: median / worst",
    "all processes new: median / worst",
    "requests lost",
    "of",
    "stale answers",
    `peak memory (${memoryKind})`,
  ];
  const lines = rows.map(({ modules, peer, summary: s }) => [
    String(modules),
    peer,
    `${ms(s.firstMedianMs)} / ${s.neverSeen > 0 ? `${s.neverSeen} of ${s.saves} never seen` : ms(s.firstWorstMs)}`,
    `${ms(s.allMedianMs)} / ${s.allNeverSeen > 0 ? `${s.allNeverSeen} of ${s.saves} not seen` : ms(s.allWorstMs)}`,
    count(s.lost),
    count(s.requests),
    count(s.stale),
    `${Math.round(s.peakBytes / 2 ** 20)} MiB`,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((cells) => cells[column].length), 3),
  );
  const rule = widths.map((width, column) =>
    column === 1 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [head, rule, ...lines]
    .map((cells) => {
      const padded = cells.map((cell, column) =>
        column === 1
          ? cell.padEnd(widths[column])
          : cell.padStart(widths[column]),
      );
      return `| ${padded.join(" | ")} |`;
    })
    .join("\n");
}

function worst(values) {
  return values.length === 0 ? undefined : Math.max(...values);
}

function ms(value) {
  return value === undefined ? "–" : `${count(Math.round(value))} ms`;
}

function count(value) {
  return value.toLocaleString("en");
}
