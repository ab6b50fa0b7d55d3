/** A command that runs on an app of its own, ready for a test to act on. */
import http from "node:http";
import { onTestFinished } from "vitest";
import type { TestApp } from "./app.js";
import { startCli } from "./cli.js";
import type { Cli, CliOptions } from "./cli.js";
import type { LogLine } from "./log.js";

/** A running command, ended and checked for leftovers when its test is over. */
export interface Session {
  readonly app: TestApp;
  readonly cli: Cli;
  /** The front's port. */
  readonly port: number;
  readonly workerPorts: readonly number[];
}

export interface SessionOptions {
  readonly target?: string;
  readonly workers?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A script of the app that uses the library, instead of the command. */
  readonly script?: string;
  /** Default true: the first generation must be there before the test goes on. */
  readonly untilReady?: boolean;
}

/** A running command and what it said of its ports. */
export interface Listening {
  readonly app: TestApp;
  readonly cli: Cli;
  readonly listening: LogLine;
  /** The front's port. */
  readonly port: number;
}

/** Starts the command with just these arguments, until it has its ports. It's ended, and checked for leftovers, when the test is over. */
export async function startListening(
  app: TestApp,
  options: Omit<CliOptions, "app">,
): Promise<Listening> {
  const cli = startCli({ app, ...options });
  onTestFinished(async () => {
    try {
      await cli.close();
    } finally {
      app.remove();
    }
  });
  const listening = await portsOf(cli);
  return { app, cli, listening, port: listening["port"] as number };
}

/** … until it serves and watches. */
export async function startServing(
  app: TestApp,
  options: Omit<CliOptions, "app">,
): Promise<Listening> {
  const started = await startListening(app, options);
  await reloaded(started.cli, "done");
  await watching(started.cli);
  return started;
}

/** What it says once it has its ports. */
export function portsOf(cli: Cli): Promise<LogLine> {
  return cli.waitFor("the ports", ({ event }) => event === "listening");
}

function watching(cli: Cli): Promise<LogLine> {
  return cli.waitFor("the watcher", ({ event }) => event === "watching");
}

/** Starts the command on free ports, and waits until it serves and watches. */
export async function startSession(
  app: TestApp,
  options: SessionOptions = {},
): Promise<Session> {
  const {
    target = "src/server.ts",
    workers = 2,
    args = [],
    env = {},
    untilReady = true,
  } = options;
  const { cli, listening, port } = await startListening(app, {
    args: [target, "--port", "0", "--workers", String(workers), ...args],
    env,
    ...(options.script === undefined ? {} : { script: options.script }),
  });
  if (untilReady) {
    await reloaded(cli, "done");
    if (!args.includes("--no-watch")) await watching(cli);
  }
  return {
    app,
    cli,
    port,
    workerPorts: (listening["workers"] as { port: number }[]).map(
      ({ port }) => port,
    ),
  };
}

/** The next reload, counted from a line of the log, that ended in one of these ways. */
export function reloaded(
  cli: Cli,
  outcome: "done" | "failed" | "superseded" | "any",
  from = 0,
): Promise<LogLine> {
  return cli.waitFor(
    `a reload: ${outcome}`,
    (line) =>
      line["event"] === "reload" &&
      (outcome === "any" || line["outcome"] === outcome),
    { from },
  );
}

/** The first process of a generation, forked or activated: its canary boots. */
export function canaryBoots(
  cli: Cli,
  generation: number,
  from: number,
): Promise<LogLine> {
  return cli.waitFor(
    `the canary of generation ${generation}`,
    (line) =>
      line["event"] === "process" &&
      (line["what"] === "forked" || line["what"] === "activated") &&
      line["generation"] === generation,
    { from },
  );
}

/** An answer, whole. */
export interface Got {
  readonly status: number;
  readonly text: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** GET on a new connection; rejects when it's lost. */
export function get(
  port: number,
  path = "/",
  headers: http.OutgoingHttpHeaders = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const request = http.get(
      { host: "127.0.0.1", port, path, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({
            status: response.statusCode ?? 0,
            text,
            headers: response.headers,
          });
        });
      },
    );
    request.once("error", reject);
  });
}

/** The text of a version module. */
export const versionModule = (version: string): string =>
  `export const version: string = "${version}";\n`;
