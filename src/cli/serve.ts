/** The command `prefork-dev` as a server: does on the user's behalf what the library leaves to its caller. Calls `dev-server.ts`. */
import fs from "node:fs";
import process from "node:process";
import pc from "picocolors";
import { DevServer } from "../dev-server.js";
import { envFilePath, readEnvFile } from "../environment.js";
import { PreforkError, messageOf } from "../errors.js";
import type { AllowedHosts } from "../front/types.js";
import { loadProject } from "../manifest/load-project.js";
import { withoutGaps } from "../option-layers.js";
import type { ServerConfig } from "../manifest/server-config.js";
import { choosePort, parseCommandLine } from "./program.js";
import type { Flags, Invocation } from "./program.js";
import { statusJson } from "../control-handlers.js";
import { createReporter } from "./create-reporter.js";
import type { Reporter } from "./reporter.js";
import { statusText } from "./status-text.js";
import { serviceManager } from "../mechanisms/service-manager.js";
import type { ServiceManager } from "../mechanisms/service-manager.js";
import { installSignals } from "../mechanisms/signals.js";
import { installKeys } from "./keys.js";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

function ownVersion(): string {
  const text = fs.readFileSync(
    new URL("../../package.json", import.meta.url),
    "utf8",
  );
  return (JSON.parse(text) as { version: string }).version;
}

/** Colours: the workers write to a pipe, and would think that nobody sees them. */
function colourEnvironment(): Record<string, string> {
  const { FORCE_COLOR, NO_COLOR } = process.env;
  const wanted = process.stdout.isTTY && pc.isColorSupported;
  return wanted && FORCE_COLOR === undefined && NO_COLOR === undefined
    ? { FORCE_COLOR: "1" }
    : {};
}

async function makeServer({
  target,
  args,
  flags,
}: Invocation): Promise<DevServer> {
  const project = await loadProject(target);
  const { port, host, front, consistency, pidFile, envFile } = flags;
  const { workers, workerPort, standby: standbys, concurrency } = flags;
  // Without a watcher it's no development: which Hosts it answers to is the app's affair.
  const allowedHosts: AllowedHosts | undefined =
    flags.allowedHost ?? (flags.watch ? undefined : true);
  const { https, cert, key } = flags;
  // A flag that wasn't given says nothing: the manifest does, or what's below it.
  const given = withoutGaps({
    ...{ port, host, front, consistency, pidFile, envFile },
    ...{ workers, workerPort, standbys, concurrency, allowedHosts },
    ...{ https: https ?? (cert === undefined ? undefined : true), cert, key },
    args: args.length === 0 ? undefined : args,
  });
  return new DevServer(project, given, {
    ...(await portOfEnvironment({ ...project.server, ...given })),
    control: true,
    env: colourEnvironment(),
  });
}

/** The port that the environment or its env file names, unless a flag or the manifest has one. */
async function portOfEnvironment({
  port,
  envFile,
  cwd = process.cwd(),
}: ServerConfig): Promise<{ port?: number }> {
  const path = envFilePath(envFile, cwd);
  const variables =
    path === undefined ? {} : await readEnvFile(path, envFile !== undefined);
  return port === undefined ? { port: choosePort(variables["PORT"]) } : {};
}

async function run(
  server: DevServer,
  flags: Flags,
  reporter: Reporter,
): Promise<void> {
  const manager = serviceManager(process.env, {
    onWarning: (message) => reporter.warning(message),
  });
  let told = Promise.resolve();
  if (manager !== undefined) tellServiceManager(server, manager);
  server.once("stopping", () => {
    reporter.stopping();
    if (manager !== undefined) told = manager.stopping();
  });
  report(server, reporter);
  server.once("stopped", () => {
    reporter.stopped();
    // What the terminal or a pipe keeps open is no reason to stay.
    void told.then(() => process.exit());
  });
  const onError = (error: unknown): void => reporter.warning(messageOf(error));
  installSignals(server, {}, { onError });
  installKeys({
    input: process.stdin,
    isTTY: process.stdin.isTTY,
    server,
    status: () => statusText(statusJson(server.status()), process.cwd()),
    say: (text) => process.stdout.write(`${text}\n`),
  });
  if (flags.watch)
    server.watch(flags.poll === undefined ? {} : { poll: flags.poll });
  await server.start();
  await server.watching();
  if (flags.watch) reporter.watching();
}

function report(server: DevServer, reporter: Reporter): void {
  server.on("listening", (address) =>
    reporter.listening(server.project, address),
  );
  server.on("reload", (outcome) => reporter.reload(outcome, server.status()));
  server.on("unreloaded", (paths) => reporter.unreloaded(paths));
  server.on("undeclared", (paths) =>
    reporter.undeclared(paths, server.project),
  );
  server.on("worker", (event) => reporter.worker(event));
  server.on("process", (event) => reporter.process(event));
  server.on("standby", (event) => reporter.standby(event));
  server.on("step", (event) => reporter.step(event));
  server.on("certificate", (info) => reporter.certificate(info));
  server.on("output", (line) => reporter.output(line));
  server.on("warning", (message) => reporter.warning(message));
}

/** Under systemd and the like: when it serves, reloads and stops. */
function tellServiceManager(server: DevServer, manager: ServiceManager): void {
  let isReady = false;
  server.on("reloading", () => {
    if (isReady) void manager.reloading();
  });
  server.on("reload", ({ kind }) => {
    isReady ||= kind === "done";
    if (isReady) void manager.ready();
  });
}

/**
 * Serves a project until it's stopped. Sets the exit code.
 *
 * @param argv - without node and the script
 */
export async function serve(argv: readonly string[]): Promise<void> {
  const version = ownVersion();
  let reporter: Reporter | undefined;
  try {
    const invocation = parseCommandLine(argv, version);
    if (invocation === undefined) return;
    const { flags } = invocation;
    reporter = createReporter({ ...flags, version });
    await run(await makeServer(invocation), flags, reporter);
  } catch (error) {
    // A server that was stopped while it started has told so already.
    if (
      error instanceof PreforkError &&
      error.code === "ERR_PREFORK_NOT_RUNNING"
    )
      return;
    const usage =
      error instanceof PreforkError && error.code === "ERR_PREFORK_USAGE";
    // Commander has printed its own errors.
    if (!usage || !(error.cause instanceof Error)) {
      if (reporter === undefined) process.stderr.write(`${messageOf(error)}\n`);
      else reporter.fatal(error);
    }
    process.exitCode = usage ? EXIT_USAGE : EXIT_FAILED;
  }
}
