/**
 * The results of all rounds, put together by size, scenario and peer, and as
 * tables in which every figure has beside it how many times ours it is. Pure.
 */
import { memoryKind } from "./process-tree.mjs";
import { scenarios } from "./scenarios.mjs";
import { summarizeEdits, summarizeProgram } from "./statistics.mjs";
import { count, mebibytes, ms, ratio, toMarkdown } from "./table.mjs";
import { verdicts } from "./targets.mjs";

/**
 * @param results - of `measureInRounds`
 * @returns `{ edits: [{ modules, scenario, peer, summary, runs }], programs: [{ modules, peer, summary }] }`
 */
export function group(results) {
  const measured = results.filter(({ round }) => round > 0);
  const edits = groupBy(measured, ["modules", "scenario", "peer"]);
  const programs = groupBy(measured, ["modules", "peer"]);
  return {
    edits: edits.map(({ runs, ...key }) => {
      return { ...key, summary: summarizeEdits(runs), runs };
    }),
    programs: programs.map(({ runs, ...key }) => {
      return { ...key, summary: summarizeProgram(runs) };
    }),
  };
}

function groupBy(results, keys) {
  const groups = new Map();
  for (const result of results) {
    const key = Object.fromEntries(keys.map((name) => [name, result[name]]));
    const id = keys.map((name) => result[name].name ?? result[name]).join("\n");
    const found = groups.get(id) ?? { ...key, runs: [] };
    found.runs.push(result.run);
    groups.set(id, found);
  }
  return [...groups.values()];
}

/**
 * @param groups - of {@link group}
 * @param own - the peer that the others are compared with
 */
export function toText({ edits, programs }, own) {
  const parts = [];
  for (const [scenario, { about }] of Object.entries(scenarios)) {
    const rows = edits.filter((each) => each.scenario === scenario);
    if (rows.length === 0) continue;
    parts.push(`**${scenario}**: ${about}`, editsTable(rows, own));
  }
  parts.push("**start and memory**", programsTable(programs, own));
  parts.push("**targets**", targetsTable(verdicts({ edits, programs }, own)));
  return parts.join("\n\n");
}

function editsTable(rows, own) {
  const lines = inOrder(rows).map(({ modules, peer, summary: s }) => {
    const ours = ownOf(rows, modules, own);
    return [
      count(modules),
      peer.label,
      ms(s.firstMedianMs),
      ratio(s.firstMedianMs, ours?.firstMedianMs),
      unseen(s.neverSeen, s.edits) ?? ms(s.firstP95Ms),
      ratio(s.firstP95Ms, ours?.firstP95Ms),
      ms(s.newFileMedianMs),
      ms(s.allMedianMs),
      ratio(s.allMedianMs, ours?.allMedianMs),
      unseen(s.allNeverSeen, s.edits) ?? ms(s.allP95Ms),
      `${count(s.lost)} of ${count(s.requests)}`,
      count(s.stale),
    ];
  });
  const head = [
    ...["modules", "<", "first new: median", "", "p95", ""],
    ...["file's first save", "all new: median", "", "p95"],
    ...["lost", "stale"],
  ];
  return toMarkdown(head, lines);
}

function programsTable(rows, own) {
  const lines = inOrder(rows).map(({ modules, peer, summary: s }) => {
    const ours = ownOf(rows, modules, own);
    const alike = ownOf(rows, modules, asMany(rows, peer, own));
    return [
      count(modules),
      peer.label,
      ms(s.startMedianMs),
      ratio(s.startMedianMs, ours?.startMedianMs),
      mebibytes(s.peakBytes),
      ratio(s.peakBytes, alike?.peakBytes),
      mebibytes(s.restBytes),
      ratio(s.restBytes, alike?.restBytes),
    ];
  });
  const head = [
    ...["modules", "<", "cold start: median", ""],
    ...[`peak memory (${memoryKind})`, "", "at rest", ""],
  ];
  return toMarkdown(head, lines);
}

function targetsTable(rows) {
  const lines = rows.map(({ claim, found, isMet }) => [
    claim,
    found ?? "not measured",
    isMet === undefined ? "–" : isMet ? "yes" : "**no**",
  ]);
  return toMarkdown(["<target", "found", "met"], lines);
}

/** Memory is compared with ours with as many processes, if that was measured. */
function asMany(rows, peer, own) {
  if (peer.kind === own?.kind) return own;
  const ours = rows
    .map((row) => row.peer)
    .filter((each) => each.kind === own?.kind);
  return [own, ...ours].find((each) => each?.processes === peer.processes);
}

function inOrder(rows) {
  return [...rows].sort((a, b) => a.modules - b.modules);
}

function ownOf(rows, modules, own) {
  const found = (row) => row.modules === modules && row.peer === own;
  return rows.find(found)?.summary;
}

function unseen(missing, edits) {
  return missing > 0 ? `${missing} of ${edits} not seen` : undefined;
}
