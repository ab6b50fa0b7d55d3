/**
 * `pm2 reload` on save: pm2's own `--watch` restarts instead of reloading, so a
 * watcher asks for the reload. pm2 runs in the foreground with a home of
 * its own, and ends with this process.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, watch, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const DEBOUNCE_MS = 20;
const NAME = "bench";
const { PM2_HOME, BENCH_PM2, BENCH_WORKERS, BENCH_LOADER } = process.env;

mkdirSync(PM2_HOME, { recursive: true });
// pm2 chooses an interpreter by extension and would run a `.ts` file with another.
const start = path.join(PM2_HOME, "start.mjs");
const server = pathToFileURL(path.resolve("src/server.ts")).href;
writeFileSync(start, `await import(${JSON.stringify(server)});\n`);
const ecosystem = path.join(PM2_HOME, "ecosystem.json");
writeFileSync(
  ecosystem,
  JSON.stringify({
    apps: [
      {
        name: NAME,
        script: start,
        cwd: process.cwd(),
        exec_mode: "cluster",
        instances: Number(BENCH_WORKERS),
        node_args: BENCH_LOADER ? ["--import", BENCH_LOADER] : [],
      },
    ],
  }),
);

const pm2 = (...args) =>
  spawn(process.execPath, [BENCH_PM2, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
  });

const daemon = pm2("start", ecosystem, "--no-daemon");
daemon.on("exit", () => process.exit(1));

let isReloading = false;
let isChanged = false;
let debounce;

async function reload() {
  if (isReloading) return;
  isReloading = true;
  while (isChanged) {
    isChanged = false;
    await once(pm2("reload", NAME), "exit");
  }
  isReloading = false;
}

watch("src", { recursive: true }, () => {
  isChanged = true;
  clearTimeout(debounce);
  debounce = setTimeout(() => void reload(), DEBOUNCE_MS);
});

process.on("SIGTERM", () => {
  daemon.removeAllListeners("exit");
  daemon.on("exit", () => process.exit(0));
  pm2("kill");
});
