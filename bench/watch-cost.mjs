/**
 * What watching costs: CPU time of a process and blocked time of its event loop
 * per save, beside few and many files in one directory, for our watcher and for
 * chokidar on the same directory. `npm run build` first, then
 * `node bench/watch-cost.mjs [saves]`; prints a Markdown table.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as rest } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const SIZES = [10, 1_000, 3_000];
/** Longer than any throttle of either. */
const PAUSE_MS = 1_200;

const watchers = {
  async "prefork-dev"(directory, files, onSign) {
    const { createWatcher } = await import("../dist/watcher/watcher.js");
    const watcher = createWatcher({
      onDirty: onSign,
      onBatch: () => undefined,
      onError: (error) => console.error(error),
    });
    watcher.watch({ files: new Set(files), directories: new Set([directory]) });
    await watcher.ready();
    return () => watcher.close();
  },
  async chokidar(directory, _files, onSign) {
    const { watch } = await import("chokidar");
    const watcher = watch(directory, { depth: 0, ignoreInitial: true });
    watcher.on("change", onSign);
    await new Promise((resolve) => watcher.once("ready", resolve));
    return () => watcher.close();
  },
};

/** One watcher in a process of its own. */
async function measure(name, size, saves) {
  const directory = fs.realpathSync(
    fs.mkdtempSync(path.join(os.tmpdir(), "watch-cost-")),
  );
  try {
    const files = Array.from({ length: size }, (_, index) =>
      path.join(directory, `m${index}.ts`),
    );
    for (const file of files) fs.writeFileSync(file, "export {};\n");
    let savedAt = 0;
    const signs = [];
    const close = await watchers[name](directory, files, () => {
      signs.push(performance.now() - savedAt);
    });
    await rest(PAUSE_MS);
    const cpu = process.cpuUsage();
    const loop = performance.eventLoopUtilization();
    for (let save = 0; save < saves; save++) {
      savedAt = performance.now();
      fs.writeFileSync(files[0], `export const save = ${save};\n`);
      await rest(PAUSE_MS);
    }
    const { user, system } = process.cpuUsage(cpu);
    const { active } = performance.eventLoopUtilization(loop);
    await close();
    signs.sort((a, b) => a - b);
    return {
      seen: signs.length,
      signMs: signs[Math.floor(signs.length / 2)],
      cpuMs: (user + system) / 1_000 / saves,
      loopMs: active / saves,
    };
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

const [first = "8", name, size] = process.argv.slice(2);
const saves = Number(first);
if (name !== undefined) {
  console.log(JSON.stringify(await measure(name, Number(size), saves)));
} else {
  console.log(
    "| files in the directory | watcher | first sign of a save (median) | CPU per save | event loop busy per save |",
  );
  console.log("|---|---|---|---|---|");
  for (const count of SIZES) {
    for (const each of Object.keys(watchers)) {
      const { stdout } = spawnSync(
        process.execPath,
        [fileURLToPath(import.meta.url), first, each, String(count)],
        { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
      );
      const { seen, signMs, cpuMs, loopMs } = JSON.parse(stdout);
      if (seen < saves) console.error(`${each}: saw ${seen} of ${saves} saves`);
      const ms = (value) => `${value.toFixed(1)} ms`;
      console.log(
        `| ${count} | ${each} | ${ms(signMs)} | ${ms(cpuMs)} | ${ms(loopMs)} |`,
      );
    }
  }
}
