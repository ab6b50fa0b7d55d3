/** The fronts that `bench/throughput.mjs` compares: how each is started before so many processes of the same app. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { installPeers } from "./peers.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const node = process.execPath;
const tool = path.resolve(here, "../../bin/prefork-dev.js");

/** How many ports each needs: its own, and those of prefork-dev's workers. */
export const portsFor = (workers) => 1 + workers;

/**
 * By name: makes what to start from `{ directory, port, workers }`, or says why it can't run here. What doesn't run the app itself
 * reaches it through Unix sockets, as prefork-dev does.
 *
 * @returns `{ commands, front }`: the last command is the one that is asked; `front` says which of its processes only pass on:
 *   `itself`, `all`, `none`. Or `{ absent }`
 */
export const fronts = {
  "no front": ({ directory, port }) => ({
    commands: [app(directory, port)],
    front: "none",
  }),
  "node:cluster": ({ directory, port, workers }) => ({
    commands: [app(directory, port, { WORKERS: String(workers) })],
    front: "itself",
  }),
  nginx,
  "prefork-dev": ({ directory, port, workers }) => {
    const { cwd, args } = app(directory, port);
    const flags = ["--port", String(port), "--workers", String(workers)];
    return {
      commands: [{ file: node, args: [tool, ...args, ...flags], cwd, env: {} }],
      front: "itself",
    };
  },
  undici: library("undici"),
  httpxy: library("httpxy"),
};

function library(kind) {
  return ({ directory, port, workers }) => {
    installPeers();
    const sockets = socketsIn(directory, workers);
    const args = [path.join(here, "throughput-front.mjs"), kind, String(port)];
    return {
      commands: [
        ...sockets.map((socket) => app(directory, socket)),
        { file: node, args: [...args, ...sockets], cwd: directory, env: {} },
      ],
      front: "itself",
    };
  };
}

function nginx({ directory, port, workers }) {
  if (spawnSync("nginx", ["-v"]).error !== undefined) {
    return { absent: "there is no nginx here (Debian: apt-get install nginx)" };
  }
  const at = (name) => path.join(directory, name);
  const sockets = socketsIn(directory, workers);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const servers = sockets.map((socket) => `server unix:${socket};`).join(" ");
  writeFileSync(
    at("nginx.conf"),
    `${process.getuid?.() === 0 ? "user root root;" : ""}
daemon off; worker_processes 1; pid ${at("nginx.pid")}; error_log ${at("error.log")};
events { worker_connections 2048; }
http {
  access_log off; keepalive_requests 1000000000; tcp_nodelay on;
  ${temporary.map((name) => `${name}_temp_path ${at(name)};`).join("\n  ")}
  upstream app { zone app 256k; least_conn; ${servers} keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto http; proxy_set_header X-Forwarded-Host $http_host;
    }
  }
}
`,
  );
  const args = ["-c", at("nginx.conf"), "-e", at("error.log")];
  return {
    commands: [
      ...sockets.map((socket) => app(directory, socket)),
      { file: "nginx", args, cwd: directory, env: {} },
    ],
    front: "all",
  };
}

function socketsIn(directory, workers) {
  return Array.from({ length: workers }, (_, worker) =>
    path.join(directory, `${worker}.sock`),
  );
}

/** A copy of the app beside a `package.json` of its own: a project like any other. */
function app(directory, port, env = {}) {
  const cwd = path.join(directory, "app");
  mkdirSync(cwd, { recursive: true });
  writeFileSync(path.join(cwd, "package.json"), `{ "type": "module" }\n`);
  copyFileSync(
    path.join(here, "throughput-app.mjs"),
    path.join(cwd, "app.mjs"),
  );
  return {
    ...{ file: node, args: ["app.mjs"], cwd },
    env: { PORT: String(port), ...env },
  };
}
