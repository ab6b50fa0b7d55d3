/** Where workers get their port and place from, and give them back to. Part of the composition root, made by `parts.ts`. */
import type { Registrar } from "./master/scaling.js";
import type { ListeningSocket } from "./pool/listening-socket.js";
import { bindWorkerSocket } from "./pool/register.js";
import { WorkerPlace } from "./pool/worker-place.js";
import type { FurtherSockets } from "./pool/worker-place.js";
import type { ResolvedServerOptions } from "./server-options.js";
import type { WorkerHooks } from "./worker-hooks.js";

export interface WorkerRegistrarOptions {
  readonly server: ResolvedServerOptions;
  /** The front's port; `undefined` without a front. */
  readonly frontPort: number | undefined;
  readonly runDirectory: string;
  readonly furtherSockets: FurtherSockets;
  readonly hooks: WorkerHooks;
  readonly onWarning: (message: string) => void;
}

export class WorkerRegistrar implements Registrar {
  readonly #options: WorkerRegistrarOptions;
  readonly #sockets = new Map<number, ListeningSocket>();

  constructor(options: WorkerRegistrarOptions) {
    this.#options = options;
  }

  /** The registered workers' listening sockets. */
  get sockets(): ReadonlyMap<number, ListeningSocket> {
    return this.#sockets;
  }

  async register(index: number): Promise<WorkerPlace> {
    const { server, frontPort, runDirectory, furtherSockets, hooks } =
      this.#options;
    const { onWarning } = this.#options;
    const { host, port, workerPort, deadlines } = server;
    // Without a front the workers' ports are what the user asked for with `port`.
    const asked = workerPort ?? (frontPort === undefined ? port : undefined);
    const socket = bindWorkerSocket(index, {
      host,
      firstPort: asked ?? (port === 0 ? 0 : port + 1),
      strict: asked !== undefined,
      onWarning,
    });
    this.#sockets.set(index, socket);
    const state = await hooks.register(index, socket.port);
    return new WorkerPlace({
      index,
      socket,
      runDirectory: frontPort === undefined ? undefined : runDirectory,
      publicAddress: { address: host, port: frontPort ?? socket.port },
      deadlines,
      furtherSockets,
      hooks: {
        state,
        hookTimeoutMs: deadlines.hookTimeoutMs,
        beforeStop: (process) => hooks.beforeStop(process),
      },
      onWarning: (worker, message) => onWarning(`worker ${worker}: ${message}`),
    });
  }

  async unregister(worker: WorkerPlace): Promise<void> {
    // Standbys that are forked from now on need no copy.
    this.#sockets.delete(worker.index);
    await this.#options.hooks.unregister(worker.index);
    worker.unregister();
  }

  /** Gives every port back at once. */
  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }
}
