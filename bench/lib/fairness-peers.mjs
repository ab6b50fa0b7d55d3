/** The balancers that `bench/fairness.mjs` compares: how each is started in front of so many processes of the same app. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { installPeers, installed } from "./peers.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const node = process.execPath;
const tool = path.resolve(here, "../../bin/prefork-dev.js");

/** How many ports each needs: its own, and those behind it. */
export const portsFor = (workers) => 1 + workers;

/**
 * By name: makes the commands to start from `{ directory, port, workers }`, or says why it can't run here.
 *
 * @returns `{ commands: [{ file, args, cwd, env }] }` or `{ absent }`
 */
export const balancers = {
  "prefork-dev": ours([]),
  "prefork-dev --standby 0": ours(["--standby", "0"]),
  "prefork-dev --concurrency 1": ours(["--concurrency", "1"]),
  "node:cluster (round robin)": ({ directory, port, workers }) => ({
    commands: [
      {
        file: node,
        args: [appIn(directory)],
        cwd: directory,
        env: { PORT: String(port), WORKERS: String(workers) },
      },
    ],
  }),
  "pm2 cluster": pm2,
  "nginx least_conn": nginx,
};

function ours(flags) {
  return ({ directory, port, workers }) => ({
    commands: [
      {
        file: node,
        args: [
          ...[tool, appIn(directory), "--port", String(port)],
          ...["--workers", String(workers), "--no-watch", ...flags],
        ],
        cwd: directory,
        env: {},
      },
    ],
  });
}

function pm2({ directory, port, workers }) {
  installPeers();
  const ecosystem = path.join(directory, "ecosystem.json");
  const app = {
    name: "fairness",
    script: appIn(directory),
    exec_mode: "cluster",
    instances: workers,
    env: { PORT: String(port) },
  };
  writeFileSync(ecosystem, JSON.stringify({ apps: [app] }));
  return {
    commands: [
      {
        file: node,
        args: [installed("pm2", "bin/pm2"), "start", ecosystem, "--no-daemon"],
        cwd: directory,
        env: { PM2_HOME: path.join(directory, "pm2") },
      },
    ],
  };
}

function nginx({ directory, port, workers }) {
  if (spawnSync("nginx", ["-v"]).error !== undefined) {
    return { absent: "there is no nginx here (Debian: apt-get install nginx)" };
  }
  const ports = Array.from(
    { length: workers },
    (_, worker) => port + 1 + worker,
  );
  const config = path.join(directory, "nginx.conf");
  const at = (name) => path.join(directory, name);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    config,
    `${process.getuid?.() === 0 ? "user root root;" : ""}
daemon off; worker_processes 2; pid ${at("nginx.pid")}; error_log ${at("error.log")};
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${at(name)};`).join("\n  ")}
  upstream app { zone app 256k; least_conn; ${ports.map((each) => `server 127.0.0.1:${each};`).join(" ")} }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://app; proxy_read_timeout 60s; } }
}
`,
  );
  const app = appIn(directory);
  return {
    commands: [
      ...ports.map((each) => ({
        file: node,
        args: [app],
        cwd: directory,
        env: { PORT: String(each) },
      })),
      {
        file: "nginx",
        args: ["-c", config, "-e", at("error.log")],
        cwd: directory,
        env: {},
      },
    ],
  };
}

/** A copy beside a `package.json` of its own: a project like any other. */
function appIn(directory) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    path.join(directory, "package.json"),
    `{ "private": true, "type": "module" }\n`,
  );
  const file = path.join(directory, "app.mjs");
  copyFileSync(path.join(here, "fairness-app.mjs"), file);
  return file;
}
