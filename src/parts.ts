/** Opens the parts of a server and closes them in the right order. Called by `dev-server.ts` only. */
import fs from "node:fs/promises";
import os from "node:os";
import { createCompiler } from "./compiler/compiler.js";
import type { Compiler } from "./compiler/types.js";

import type { Generations } from "./generations.js";
import { createFront } from "./front/front.js";
import { urlHost } from "./front/listen.js";
import type { Front } from "./front/types.js";
import type { ResolvedProject } from "./manifest/types.js";
import { Master } from "./master/master.js";
import type { ProcessEvent } from "./master/types.js";
import type { ListeningSocket } from "./pool/listening-socket.js";
import { Forker } from "./pool/forker.js";
import { bindWorkerSockets } from "./pool/register.js";
import { makeRunDirectory } from "./pool/run-directory.js";
import { StandbyPool } from "./pool/standby-pool.js";
import type { OutputLine, StandbyEvent } from "./pool/types.js";
import { FurtherSockets, WorkerPlace } from "./pool/worker-place.js";
import type { ServerAddress } from "./server-events.js";
import type { ResolvedServerOptions } from "./server-options.js";
import { StandbyGate } from "./standby-gate.js";
import { frontTraffic, noTraffic } from "./traffic.js";

/** What the parts tell. */
export interface PartsListeners {
  readonly onProcess: (event: ProcessEvent) => void;
  readonly onStandby: (event: StandbyEvent) => void;
  readonly onOutput: (line: OutputLine) => void;
  readonly onWarning: (message: string) => void;
  /** The compiler found sources at run time: there's more to watch. */
  readonly onDiscovered: () => void;
}

/** The open parts. */
export interface Parts {
  readonly address: ServerAddress;
  readonly compiler: Compiler;
  readonly master: Master;
  readonly standbys: StandbyPool;
  readonly gate: StandbyGate;
  readonly front: Front | undefined;
  /** Drains and closes everything. */
  close(): Promise<void>;
  /** Ends everything at once; what is in hand is lost. */
  kill(): Promise<void>;
}

/**
 * Binds the ports, makes the front, the compiler and the master.
 *
 * @throws PreforkError `ERR_PREFORK_PORT`, `ERR_PREFORK_CACHE`; nothing stays open then
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
    const front = options.front ? makeFront(options, listeners) : undefined;
    const frontAddress = await front?.listen();
    if (front !== undefined) {
      closers.push(() =>
        front.close({ deadlineMs: options.deadlines.drainTimeoutMs }),
      );
    }
    const sockets = bindSockets(options, frontAddress?.port, listeners);
    closers.push(() => sockets.forEach((socket) => socket.close()));

    const runDirectory = await makeRunDirectory();
    closers.push(() => fs.rm(runDirectory, { recursive: true, force: true }));
    const furtherSockets = new FurtherSockets();
    closers.push(() => furtherSockets.close());

    const forker = new Forker({
      cwd: options.cwd,
      args: options.args,
      runDirectory,
      sockets,
      onOutput: listeners.onOutput,
    });
    closers.push(() => forker.close());
    const firstPort = frontAddress?.port ?? sockets[0]?.port ?? options.port;
    // What is wrong with the env file is told by the first reload.
    const env = await generations.environment(firstPort).catch(() => undefined);
    if (env !== undefined) forker.forkEarly(env);

    const compiler = await createCompiler({
      project,
      onDiscovered: listeners.onDiscovered,
    });
    closers.push(() => compiler.close());

    const workers = sockets.map(
      (socket, index) =>
        new WorkerPlace({
          index,
          socket,
          runDirectory: front === undefined ? undefined : runDirectory,
          publicAddress: {
            address: options.host,
            port: frontAddress?.port ?? socket.port,
          },
          deadlines: options.deadlines,
          furtherSockets,
          onWarning: (worker, message) =>
            listeners.onWarning(`worker ${worker}: ${message}`),
        }),
    );
    const gate = new StandbyGate(() => front?.isAnswering() ?? false);
    const standbys = new StandbyPool({
      count: options.standbys,
      deadlines: options.deadlines,
      fork: (program) => forker.fork(program),
      begin: (process) => forker.begin(process, undefined, { kind: "warm" }),
      gate: () => gate.pass(),
      onEvent: listeners.onStandby,
    });
    const master = new Master({
      workers,
      forker,
      standbys,
      traffic: front === undefined ? noTraffic : frontTraffic(front),
      parallelBoots: Math.max(1, os.availableParallelism() - 1),
      onEvent: listeners.onProcess,
    });
    closers.push(async () => {
      await Promise.all([master.stop(), standbys.close()]);
    });
    const address: ServerAddress = {
      url: `http://${urlHost(options.host)}:${firstPort}`,
      port: firstPort,
      workers: sockets.map(({ port }, index) => ({ index, port })),
    };
    return {
      address,
      compiler,
      master,
      standbys,
      gate,
      front,
      async close() {
        // What the front has in hand is answered before any process goes; streams would keep it for ever.
        master.endStreams();
        await front?.close({ deadlineMs: options.deadlines.drainTimeoutMs });
        await closeAll();
      },
      async kill() {
        await Promise.all([master.kill(), standbys.close(), forker.close()]);
        await front?.close({ deadlineMs: 0 });
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function makeFront(
  options: ResolvedServerOptions,
  listeners: PartsListeners,
): Front {
  const { host, port, consistency, holdTimeoutMs, freshTimeoutMs } = options;
  return createFront({
    host,
    port,
    consistency,
    holdTimeoutMs,
    freshTimeoutMs,
    log: listeners.onWarning,
  });
}

function bindSockets(
  options: ResolvedServerOptions,
  frontPort: number | undefined,
  { onWarning }: PartsListeners,
): ListeningSocket[] {
  const { host, workers: count, workerPort } = options;
  // Without a front the workers' ports are what the user asked for with `port`.
  const asked =
    workerPort ?? (frontPort === undefined ? options.port : undefined);
  const fallback = options.port === 0 ? 0 : options.port + 1;
  return bindWorkerSockets({
    count,
    host,
    firstPort: asked ?? fallback,
    strict: asked !== undefined,
    onWarning,
  });
}
