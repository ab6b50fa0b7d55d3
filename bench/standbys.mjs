/**
 * How many standbys are worth their memory: prefork-dev alone, with different
 * numbers of them and of workers. `node bench/standbys.mjs --help`.
 */
import { installPeers, selectPeers } from "./lib/peers.mjs";
import { memoryKind } from "./lib/process-tree.mjs";
import { group } from "./lib/report.mjs";
import { measureInRounds } from "./lib/rounds.mjs";
import {
  circumstances,
  howOf,
  machine,
  print,
  progress,
  readOptions,
  wholeNumber,
  wholeNumbers,
} from "./lib/settings.mjs";
import { count, mebibytes, ms, toMarkdown } from "./lib/table.mjs";

const SCENARIOS = ["leaf", "pair"];

const options = readOptions("node bench/standbys.mjs [options]", {
  sizes: ["list", "1000", "modules per app"],
  workers: ["list", "2,4", "numbers of workers"],
  standbys: ["list", "0,1,2,4", "numbers of standbys"],
  rounds: ["n", "3", "interleaved rounds"],
  saves: ["n", "8", "saves per scenario and round"],
});
if (options !== undefined) await main();

async function main() {
  installPeers();
  const specs = wholeNumbers(options, "workers").flatMap((workers) =>
    wholeNumbers(options, "standbys").map(
      (standbys) => `prefork-dev --workers ${workers} --standby ${standbys}`,
    ),
  );
  const saves = wholeNumber(options, "saves");
  const results = await measureInRounds(
    {
      peers: selectPeers(specs, { workers: 1, tool: options.tool }),
      sizes: wholeNumbers(options, "sizes"),
      shape: options.shape,
      rounds: wholeNumber(options, "rounds"),
      leaf: options.leaf,
      scenariosOf: () => SCENARIOS,
      savesOf: () => saves,
    },
    howOf(options),
    { logs: options.logs, progress },
  );
  if (results === undefined) return;
  const groups = group(results);
  const text = options.json
    ? JSON.stringify({ ...machine(), options, results, ...groups }, null, 2)
    : `${toText(groups)}\n\n${circumstances(options)}`;
  print(`${text}\n`, options);
  const failed = results.filter(({ run }) => run.error !== undefined);
  for (const { peer, run } of failed) progress(`${peer.name}: ${run.error}\n`);
  if (failed.length > 0) process.exitCode = 1;
}

function toText({ edits, programs }) {
  const lines = programs.map(({ modules, peer, summary }) => {
    const of = (scenario) =>
      edits.find(
        (each) =>
          each.modules === modules &&
          each.scenario === scenario &&
          each.peer === peer,
      ).summary;
    const [leaf, pair] = SCENARIOS.map(of);
    return [
      count(modules),
      peer.label,
      ms(leaf.firstMedianMs),
      ms(leaf.firstP95Ms),
      ms(leaf.allMedianMs),
      ms(pair.firstMedianMs),
      ms(pair.firstP95Ms),
      mebibytes(summary.restBytes),
      mebibytes(summary.peakBytes),
      count(leaf.lost + pair.lost),
    ];
  });
  const head = [
    ...["modules", "<", "leaf: median", "p95", "all new"],
    ...["second save after 200 ms: median", "p95"],
    ...[`at rest (${memoryKind})`, "peak", "lost"],
  ];
  return toMarkdown(head, lines);
}
