/** Opens the parts of a server and closes them in the right order. Called by `dev-server.ts` only. */
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { openCertificate } from "./certificates/open.js";
import type { OpenCertificate } from "./certificates/open.js";
import type { CertificateInfo } from "./certificates/types.js";
import { defaultBases } from "./compiler/cache-directory.js";
import { createCompiler } from "./compiler/compiler.js";
import type { Compiler } from "./compiler/types.js";

import type { Generations } from "./generations.js";
import { urlHost } from "./front/listen.js";
import type { AllowedHosts, Front, OwnEndpoints } from "./front/types.js";
import type { ResolvedProject } from "./manifest/types.js";
import { Master } from "./master/master.js";
import type { ProcessEvent, WorkerEvent } from "./master/types.js";
import { Forker } from "./pool/forker.js";
import { makeFront } from "./make-front.js";
import { noteOutage } from "./outage.js";
import { Guard } from "./pool/guard.js";
import { makeRunDirectory } from "./pool/run-directory.js";
import { StandbyPool } from "./pool/standby-pool.js";
import type { OutputLine, StandbyEvent } from "./pool/types.js";
import { FurtherSockets } from "./pool/worker-place.js";
import { WorkerRegistrar } from "./registrar.js";
import { openSteps } from "./open-steps.js";
import type { ServerAddress } from "./server-events.js";
import { ServerCommands } from "./server-commands.js";
import type { ResolvedServerOptions } from "./server-options.js";
import { StandbyGate } from "./standby-gate.js";
import type { Steps } from "./steps/steps.js";
import type { StepEvent } from "./steps/types.js";
import { frontTraffic, noTraffic, upstreamTraffic } from "./traffic.js";
import { UpstreamKeepers } from "./upstream/keep-all.js";
import { openWorkerHooks } from "./worker-hooks.js";

/** What the parts tell. */
export interface PartsListeners {
  readonly onProcess: (event: ProcessEvent) => void;
  readonly onWorker: (event: WorkerEvent) => void;
  readonly onStandby: (event: StandbyEvent) => void;
  readonly onStep: (event: StepEvent) => void;
  readonly onOutput: (line: OutputLine) => void;
  readonly onWarning: (message: string) => void;
  readonly onCertificate: (info: CertificateInfo) => void;
  /** The compiler found sources at run time: there's more to watch. */
  readonly onDiscovered: () => void;
  /** What the front's own endpoints do; they are there while this is development. */
  readonly endpoints: OwnEndpoints;
}

/** The open parts. */
export interface Parts {
  readonly address: ServerAddress;
  readonly compiler: Compiler;
  readonly steps: Steps;
  readonly master: Master;
  readonly commands: ServerCommands;
  readonly standbys: StandbyPool;
  readonly gate: StandbyGate;
  readonly guard: Guard;
  readonly front: Front | undefined;
  /** `undefined`: the front speaks no HTTPS. */
  readonly certificate: OpenCertificate | undefined;
  readonly upstreams: UpstreamKeepers;
  /** Drains and closes everything. */
  close(): Promise<void>;
  /** Ends everything at once; what is in hand is lost. */
  kill(): Promise<void>;
}

/**
 * Binds the ports, makes the front, the compiler and the master.
 *
 * @throws PreforkError `ERR_PREFORK_PORT`, `ERR_PREFORK_CACHE`, `ERR_PREFORK_MIXIN`; nothing stays open then
 */
export async function openParts(
  project: ResolvedProject,
  options: ResolvedServerOptions,
  generations: Generations,
  listeners: PartsListeners,
): Promise<Parts> {
  const closers: (() => Promise<void> | void)[] = [];
  const closeEach = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop())
      await close();
  };
  let closing: Promise<void> | undefined;
  // `kill` may come while `close` is at it: neither is done before all is closed.
  const closeAll = (): Promise<void> => (closing ??= closeEach());
  try {
    const hooks = await openWorkerHooks({
      files: project.mixins,
      cwd: options.cwd,
      hookTimeoutMs: options.deadlines.hookTimeoutMs,
      onWarning: listeners.onWarning,
    });
    const certificate =
      options.https === undefined
        ? undefined
        : await openCertificate({
            ...options.https,
            host: options.host,
            allowed: namesIn(options.allowedHosts),
            directories: defaultBases(project.root).map((base) =>
              path.join(base, "https"),
            ),
            onWarning: listeners.onWarning,
          });
    const front = options.front
      ? makeFront(options, {
          ...listeners,
          certificate,
          probe: (id) => master.probe(id),
        })
      : undefined;
    const frontAddress = await front?.listen();
    if (front !== undefined) {
      closers.push(() =>
        front.close({ deadlineMs: options.deadlines.drainTimeoutMs }),
      );
      certificate?.follow(
        (pair) => front.setCertificate(pair),
        listeners.onCertificate,
      );
      closers.push(() => certificate?.close());
    }
    const runDirectory = await makeRunDirectory();
    closers.push(() => fs.rm(runDirectory, { recursive: true, force: true }));
    const guard = new Guard(runDirectory);
    closers.push(() => guard.close());
    const furtherSockets = new FurtherSockets();
    closers.push(() => furtherSockets.close());

    const registrar = new WorkerRegistrar({
      server: options,
      frontPort: frontAddress?.port,
      runDirectory,
      furtherSockets,
      hooks,
      onWarning: listeners.onWarning,
    });
    closers.push(() => registrar.close());
    const forker = new Forker({
      cwd: options.cwd,
      args: options.args,
      runDirectory,
      sockets: () => registrar.sockets,
      guard,
      onOutput: listeners.onOutput,
    });
    closers.push(() => forker.close());
    const upstreams = new UpstreamKeepers(options.upstreams, {
      onWarning: listeners.onWarning,
    });
    closers.push(() => upstreams.close());
    const gate = new StandbyGate(() => front?.isAnswering() ?? false);
    const standbys = new StandbyPool({
      count: () => options.standbys ?? master.size + 1,
      deadlines: options.deadlines,
      fork: (program) => forker.fork(program),
      begin: (process) => forker.begin(process, undefined, { kind: "warm" }),
      gate: () => gate.pass(),
      onEvent: listeners.onStandby,
    });
    // One that is being made may be in the middle of a long piece of work.
    gate.onChange = (isClosed) =>
      isClosed ? standbys.suspend() : standbys.resume();
    const master: Master = new Master({
      registrar,
      forker,
      standbys,
      traffic: upstreamTraffic(
        front === undefined ? noTraffic : frontTraffic(front),
        upstreams,
        (worker) => {
          const socket = registrar.sockets.get(worker);
          return socket && { worker, host: socket.host, port: socket.port };
        },
      ),
      isFresh: front !== undefined && options.consistency === "fresh",
      parallelBoots: Math.max(1, os.availableParallelism() - 1),
      parallelActivations: os.availableParallelism(),
      // Read whenever it's needed: it may change while the server runs.
      get slowStartMs() {
        return options.slowStartMs;
      },
      get maxDraining() {
        return options.maxDraining;
      },
      get endStreams() {
        return options.endStreams;
      },
      hangTimeoutMs: options.hangTimeoutMs,
      replaceHung: options.replaceHung,
      onEvent: (event) => {
        if (front !== undefined) noteOutage(front, event);
        listeners.onProcess(event);
      },
      onWorker: listeners.onWorker,
    });
    const stopProcesses = async (): Promise<void> => {
      await Promise.all([master.stop(), standbys.close()]);
    };
    closers.push(stopProcesses);
    await master.start(options.workers);
    const workers = Array.from(registrar.sockets, ([index, { port }]) => ({
      index,
      port,
    }));
    const firstPort = frontAddress?.port ?? workers[0]?.port ?? options.port;

    // What is wrong with the env file is told by the first reload.
    const env = await generations.environment(firstPort).catch(() => undefined);
    if (env !== undefined) forker.forkEarly(env);
    const compiler = await createCompiler({
      project,
      onDiscovered: listeners.onDiscovered,
    });
    closers.push(() => compiler.close());
    const steps = openSteps(project, compiler, {
      onGroup: (pid, ended) => guard.watchGroup(pid, ended),
      onEvent: listeners.onStep,
    });
    closers.push(() => steps.close());
    // Processes ask the compiler: they go before it.
    closers.push(stopProcesses);
    const address: ServerAddress = {
      url: `${certificate === undefined ? "http" : "https"}://${urlHost(options.host)}:${firstPort}`,
      hosts: frontAddress?.hosts ?? [options.host],
      ...(certificate && { certificate: certificate.info }),
      port: firstPort,
      workers,
    };
    return {
      address,
      compiler,
      steps,
      master,
      commands: new ServerCommands({
        master,
        hooks,
        get commandTimeoutMs() {
          return options.commandTimeoutMs;
        },
      }),
      standbys,
      gate,
      guard,
      front,
      certificate,
      upstreams,
      async close() {
        // What the front has in hand is answered before any process goes; streams would keep it for ever.
        master.endStreams();
        await front?.close({ deadlineMs: options.deadlines.drainTimeoutMs });
        await closeAll();
      },
      async kill() {
        hooks.end();
        // Nobody waits until an external front has taken note.
        await upstreams.close();
        await Promise.all([
          ...[master.kill(), standbys.close(), forker.close()],
          steps.kill(),
        ]);
        await front?.close({ deadlineMs: 0 });
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function namesIn(allowed: AllowedHosts | undefined): readonly string[] {
  return allowed === undefined || allowed === true ? [] : allowed;
}
