/** A real HAProxy for a test: own configuration and socket, loopback, in the foreground. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import type { HaproxyUpstreamOptions } from "../../../src/upstream/haproxy.js";
import { findProgram, freePort, run, untilAccepts } from "./programs.js";
import type { Running } from "./programs.js";

/** An HAProxy that can be started. */
export interface TestHaproxy {
  readonly port: number;
  /** For `haproxyUpstream`. */
  readonly options: HaproxyUpstreamOptions;
  /** Starts it; fulfils when it takes connections. */
  readonly start: () => Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Sends it a signal, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void;
  /** What it answers to a command. */
  ask(command: string): Promise<string>;
}

/** What {@link makeHaproxy} takes. */
export interface TestHaproxyOptions {
  /** Lines of the backend; `false`: it stands in a file that the master writes. */
  readonly backend?: readonly string[] | false;
  /** Of the socket. Default `admin`. */
  readonly level?: "admin" | "operator";
}

/** Prepares one; it's ended and its files removed when the test is over. */
export async function makeHaproxy({
  // A server that refuses is seen by the client: no second try, no other server.
  backend = ["balance roundrobin", "option http-server-close", "retries 0"],
  level = "admin",
}: TestHaproxyOptions = {}): Promise<TestHaproxy> {
  const program = findProgram("haproxy") ?? "haproxy";
  const directory = mkdtempSync(path.join(tmpdir(), "pfd-haproxy-"));
  const at = (name: string): string => path.join(directory, name);
  const socket = at("api");
  const port = await freePort();
  const configText = `
global
  stats socket ${socket} mode 600 level ${level}
  stats timeout 10s
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend public
  bind 127.0.0.1:${port}
  default_backend app
${backend === false ? "" : ["backend app", ...backend].join("\n  ")}
`;
  writeFileSync(at("haproxy.cfg"), configText);
  let running: Running | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.end(signal);
  };
  onTestFinished(async () => {
    try {
      // It may be stopped.
      running?.child.kill("SIGCONT");
      await end("SIGTERM");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
  const further = backend === false ? ["-f", at("app.cfg")] : [];
  return {
    port,
    options: {
      socket,
      ...(backend === false
        ? {
            configFile: at("app.cfg"),
            test: [program, "-c", "-f", at("haproxy.cfg"), ...further],
          }
        : {}),
    },
    async start() {
      const started = run(program, [
        "-db",
        "-f",
        at("haproxy.cfg"),
        ...further,
      ]);
      running = started;
      await untilAccepts({ port, host: "127.0.0.1" }, started.output);
      await untilAccepts({ path: socket }, started.output);
    },
    kill: () => end("SIGKILL"),
    signal(signal) {
      running?.child.kill(signal);
    },
    ask: (command) =>
      new Promise((resolve, reject) => {
        const connection = net.connect(socket);
        let answer = "";
        connection.setEncoding("utf8");
        connection.on("data", (text: string) => (answer += text));
        connection.once("error", reject);
        connection.once("end", () => resolve(answer));
        connection.end(`${command}\n`);
      }),
  };
}
