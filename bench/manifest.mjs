/**
 * What a large manifest costs: the sub-commands that look at a project (whole commands, Node's start included), and a
 * server's start and saves, with the manifest and without. `npm run build` first, then
 *
 *     node bench/manifest.mjs [sources] [rounds] [commands|server]
 *
 * Prints Markdown tables; all times are in milliseconds.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  ENTRY,
  TEMPLATE,
  lastLeaf,
  moduleName,
  moduleText,
  writeApp,
} from "./lib/manifest-app.mjs";
import { startServer } from "./lib/manifest-server.mjs";
import { median } from "./lib/statistics.mjs";

const sources = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 5);
const only = process.argv[4];
const FEW = 10;
const program = fileURLToPath(
  new URL("../bin/prefork-dev.js", import.meta.url),
);

if (only !== "server") await inDirectory(commands);
if (only !== "commands") {
  console.log(
    `\nA server, one worker and one standby, of ${rounds} starts with a save of each kind:\n\n` +
      "| app | manifest | cold start | save of a leaf | save of a template |\n" +
      "| --- | --- | --- | --- | --- |",
  );
  for (const [what, app, isListed] of [
    [`${FEW} modules`, { modules: FEW }, false],
    [`${FEW} modules`, { modules: FEW }, true],
    [
      `${FEW} modules, ${sources} more files`,
      { modules: FEW, templates: sources },
      true,
    ],
    [`${sources} modules`, { modules: sources }, false],
    [`${sources} modules`, { modules: sources }, true],
  ])
    await inDirectory((directory) => server(directory, what, app, isListed));
}

async function inDirectory(task) {
  const directory = mkdtempSync(path.join(os.tmpdir(), "prefork-manifest-"));
  try {
    await task(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function commands(directory) {
  writeApp(directory, { modules: sources });
  const leaf = moduleName(sources - 1);
  const asked = [
    ["check"],
    ["files", "--closure", leaf],
    ["files", "--why", leaf, ENTRY],
    ["files"],
    ["graph", "--format", "html", "--output", "graph.html"],
  ];
  const first = time(directory, program, "check");
  console.log(
    `${sources} sources; the first \`check\`, which compiles them: ${Math.round(first.wall)}. Then, of ${rounds}:\n`,
  );
  console.log("| command | median | slowest | CPU, median |");
  console.log("| --- | --- | --- | --- |");
  // What was read within the last instant is read again: not what is to be measured.
  time(directory, program, "check");
  const row = (name, ...args) => {
    const times = rounded(() => time(directory, ...args));
    printTimes(name, times);
  };
  row("`node -e 0`, for comparison", "-e", "0");
  for (const args of asked)
    row(`\`${args.slice(0, 2).join(" ")}\``, program, ...args);
  const saved = rounded(() => {
    appendFileSync(path.join(directory, leaf), "// saved\n");
    return time(directory, program, "check");
  });
  printTimes("`check` after a save", saved);
}

/** How long a run of Node takes, and how much CPU (esbuild's own process is left out). */
function time(directory, ...args) {
  const cpuBefore = childrenCpu();
  const started = performance.now();
  const { status, stderr, stdout } = spawnSync(process.execPath, args, {
    cwd: directory,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const wall = performance.now() - started;
  if (status !== 0)
    throw new Error(`${args.join(" ")}: ${stderr}${stdout.slice(0, 2_000)}`);
  return { wall, cpu: childrenCpu() - cpuBefore };
}

/** What processes that have ended took, in milliseconds; Linux counts in hundredths of a second. */
function childrenCpu() {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return 10 * (Number(fields[13]) + Number(fields[14]));
  } catch {
    return NaN;
  }
}

async function server(directory, what, app, isListed) {
  writeApp(directory, app);
  const target = isListed ? "." : ENTRY;
  const leaf = lastLeaf(app.modules);
  const times = { cold: [], leaf: [], template: [] };
  // The first fills the caches, and makes known what is saved.
  for (let round = 0; round <= rounds; round++) {
    const running = await startServer(program, directory, target);
    const text = moduleText(leaf, app.modules, app.modules + round);
    const leafMs = await running.save(moduleName(leaf), text);
    // Without a manifest, nobody knows of it.
    const templateMs = isListed
      ? await running.save(TEMPLATE, `<p>${round + 1}</p>\n`)
      : NaN;
    await running.stop();
    if (round === 0) continue;
    times.cold.push(running.coldMs);
    times.leaf.push(leafMs);
    times.template.push(templateMs);
  }
  const cells = Object.values(times).map((all) =>
    Number.isNaN(all[0]) ? "" : String(Math.round(median(all))),
  );
  console.log(
    `| ${what} | ${isListed ? "lists them" : "none"} | ${cells.join(" | ")} |`,
  );
}

function rounded(each) {
  return Array.from({ length: rounds }, each);
}

function printTimes(name, times) {
  const walls = times.map(({ wall }) => wall);
  const cells = [
    median(walls),
    Math.max(...walls),
    median(times.map(({ cpu }) => cpu)),
  ].map(Math.round);
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
