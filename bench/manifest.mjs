/**
 * What the sub-commands that look at a project cost with a large manifest: `npm run build` first, then
 * `node bench/manifest.mjs [sources] [rounds]`; prints a Markdown table. Times are of whole commands, Node's start included.
 */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const sources = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 5);
const IN_A_DIRECTORY = 100;
const IMPORTS = 3;
const program = fileURLToPath(
  new URL("../bin/prefork-dev.js", import.meta.url),
);

/** The path of a source: a hundred to a directory. */
function nameOf(index) {
  return `src/d${Math.floor(index / IN_A_DIRECTORY)}/m${index}.ts`;
}

/** A tree of fan-out three; the manifest lists leaves first. */
function generate(directory) {
  const write = (name, text) => {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const names = [];
  for (let index = sources - 1; index >= 0; index--) {
    const imports = [];
    for (let child = 1; child <= IMPORTS; child++) {
      const other = index * IMPORTS + child;
      if (other >= sources) continue;
      const to = path.posix.relative(
        path.posix.dirname(nameOf(index)),
        nameOf(other),
      );
      const specifier = (to.startsWith(".") ? to : `./${to}`).replace(
        /ts$/,
        "js",
      );
      imports.push(`import { value as value${child} } from "${specifier}";`);
    }
    // Used, since an import of types alone is none.
    const values = imports.map((_, child) => ` + value${child + 1}`).join("");
    write(
      nameOf(index),
      `${imports.join("\n")}\nexport const value: number = ${index}${values};\n`,
    );
    names.push(nameOf(index));
  }
  write("package.json", '{ "private": true, "type": "module" }\n');
  const list = names.map((name) => `    "${name}",\n`).join("");
  write(
    "prefork.config.ts",
    `import { defineProject } from "prefork-dev";\n\nexport default defineProject({\n  entry: "${nameOf(0)}",\n  sources: [\n${list}  ],\n});\n`,
  );
}

/** How long a command takes, in milliseconds. */
function time(directory, ...args) {
  return timeOf(directory, program, ...args);
}

/** How long a run of Node takes, in milliseconds. */
function timeOf(directory, ...args) {
  const started = performance.now();
  const { status, stderr, stdout } = spawnSync(process.execPath, args, {
    cwd: directory,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const elapsed = performance.now() - started;
  if (status !== 0)
    throw new Error(`${args.join(" ")}: ${stderr}${stdout.slice(0, 2_000)}`);
  return elapsed;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const directory = mkdtempSync(path.join(os.tmpdir(), "prefork-manifest-"));
try {
  generate(directory);
  const leaf = nameOf(sources - 1);
  const commands = [
    ["check"],
    ["files", "--closure", leaf],
    ["files", "--why", leaf, nameOf(0)],
    ["files"],
    ["graph", "--format", "html", "--output", "graph.html"],
  ];
  const first = time(directory, "check");
  console.log(
    `${sources} sources; the first \`check\`, which compiles them: ${Math.round(first)} ms. Then, of ${rounds}:\n`,
  );
  console.log("| command | median, ms | slowest, ms |");
  console.log("| --- | --- | --- |");
  // What was read within the last instant is read again: not what is to be measured.
  time(directory, "check");
  const row = (name, times) =>
    console.log(
      `| ${name} | ${Math.round(median(times))} | ${Math.round(Math.max(...times))} |`,
    );
  const rounded = (each) => Array.from({ length: rounds }, each);
  row(
    "`node -e 0`, for comparison",
    rounded(() => timeOf(directory, "-e", "0")),
  );
  for (const args of commands) {
    row(
      `\`${args.slice(0, 2).join(" ")}\``,
      rounded(() => time(directory, ...args)),
    );
  }
  row(
    "`check` after a save",
    rounded(() => {
      appendFileSync(path.join(directory, leaf), "// saved\n");
      return time(directory, "check");
    }),
  );
} finally {
  rmSync(directory, { recursive: true, force: true });
}
