/**
 * The benchmark: from a save to the new code's answers, under load, for
 * prefork-dev and for what it replaces. `node bench/run.mjs --help`.
 */
import { installPeers, selectPeers } from "./lib/peers.mjs";
import { group, toText } from "./lib/report.mjs";
import { measureInRounds } from "./lib/rounds.mjs";
import { scenarios } from "./lib/scenarios.mjs";
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
import { verdicts } from "./lib/targets.mjs";

const SCENARIOS = "leaf,three,base,random,burst";

const options = readOptions("node bench/run.mjs [options]", {
  sizes: ["list", "10,100,1000,3000", "modules per app"],
  scenarios: ["list", SCENARIOS, `of ${Object.keys(scenarios).join(", ")}`],
  peers: ["list", undefined, "which to run (default: all that can run here)"],
  others: [
    "list",
    undefined,
    "scenarios of the other tools (default: the same)",
  ],
  rounds: ["n", "2", "interleaved rounds"],
  saves: ["n", "9", "saves per scenario and round"],
  "other-saves": [
    "n",
    undefined,
    "saves of the other tools (default: the same)",
  ],
  workers: ["n", "4", "processes, where several"],
});
if (options !== undefined) await main();

async function main() {
  installPeers();
  const peers = selectPeers(options.peers?.split(","), {
    workers: wholeNumber(options, "workers"),
    tool: options.tool,
  });
  // The first of ours is what all are compared with.
  const own = peers.find((peer) => peer.kind === "prefork-dev");
  const isOther = (peer) => peer.kind !== "prefork-dev";
  const wanted = scenarioList("scenarios");
  const others = options.others === undefined ? wanted : scenarioList("others");
  const saves = wholeNumber(options, "saves");
  const otherSaves =
    options["other-saves"] === undefined
      ? saves
      : wholeNumber(options, "other-saves");

  const results = await measureInRounds(
    {
      peers,
      sizes: wholeNumbers(options, "sizes"),
      shape: options.shape,
      rounds: wholeNumber(options, "rounds"),
      leaf: options.leaf,
      scenariosOf: (peer) => (isOther(peer) ? others : wanted),
      savesOf: (peer) => (isOther(peer) ? otherSaves : saves),
    },
    howOf(options),
    { logs: options.logs, progress },
  );
  if (results !== undefined) report(results, own);
}

function report(results, own) {
  const groups = group(results);
  const text = options.json
    ? `${JSON.stringify({ ...machine(), options, results, ...groups, targets: verdicts(groups, own) }, null, 2)}\n`
    : `${toText(groups, own)}\n\n${circumstances(options)}\n`;
  print(text, options);
  const failed = results.filter(({ run }) => run.error !== undefined);
  for (const { modules, peer, run } of failed) {
    progress(`${modules} modules, ${peer.label}: ${run.error}\n`);
  }
  if (failed.length > 0) process.exitCode = 1;
}

function scenarioList(name) {
  const list = options[name].split(",");
  const unknown = list.find((scenario) => !(scenario in scenarios));
  if (unknown === undefined) return list;
  throw new Error(
    `--${name}: no "${unknown}"; there are ${Object.keys(scenarios).join(", ")}.`,
  );
}
