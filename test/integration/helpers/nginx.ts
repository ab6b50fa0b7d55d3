/** A real nginx for a test: own configuration and prefix, loopback, in the foreground. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { onTestFinished } from "vitest";
import type { NginxUpstreamOptions } from "../../../src/upstream/nginx.js";
import { findProgram, freePort, run, untilAccepts } from "./programs.js";
import type { Running } from "./programs.js";

/** An nginx that can be started. */
export interface TestNginx {
  readonly port: number;
  /** For `nginxUpstream`. */
  readonly options: NginxUpstreamOptions;
  /** The main configuration, for a test to break. */
  readonly config: string;
  /** The text of that. */
  readonly configText: string;
  /** Starts it; fulfils when it takes connections. */
  readonly start: () => Promise<void>;
  /** SIGKILL to all of it. */
  kill(): Promise<void>;
  /** Its error log. */
  log(): string;
}

/** What {@link makeNginx} takes. */
export interface TestNginxOptions {
  /** Directives of the location. Default: none. */
  readonly location?: string;
}

/** Directives that keep an nginx within a directory, for the `http` block. */
export function temporaryPaths(directory: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${path.join(directory, name)};`)
    .join("\n");
}

/** Prepares one; it's ended and its files removed when the test is over. */
export async function makeNginx({
  location = "",
}: TestNginxOptions = {}): Promise<TestNginx> {
  const program = findProgram("nginx") ?? "nginx";
  const directory = mkdtempSync(path.join(tmpdir(), "pfd-nginx-"));
  const at = (name: string): string => path.join(directory, name);
  const port = await freePort();
  const config = at("nginx.conf");
  const isRoot = process.getuid?.() === 0;
  const configText = `
${isRoot ? "user root root;" : ""}
daemon off;
worker_processes 2;
pid ${at("nginx.pid")};
error_log ${at("error.log")} notice;
events { worker_connections 512; }
http {
  access_log off;
  ${temporaryPaths(directory)}
  client_max_body_size 0;
  include ${at("app.conf")};
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      ${location}
    }
  }
}
`;
  writeFileSync(config, configText);
  writeFileSync(at("error.log"), "");
  const log = (): string => readFileSync(at("error.log"), "utf8");
  let running: Running | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.end(signal);
  };
  onTestFinished(async () => {
    try {
      await end("SIGTERM");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
  return {
    port,
    config,
    configText,
    log,
    options: { file: at("app.conf"), program, config },
    async start() {
      const started = run(program, ["-c", config]);
      running = started;
      await untilAccepts({ port, host: "127.0.0.1" }, () =>
        [started.output(), log()].join("\n"),
      );
    },
    kill: () => end("SIGKILL"),
  };
}
