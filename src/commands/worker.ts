/**
 * The base class of a worker, which mixins extend: its hooks and its commands. It does nothing by itself.
 *
 * One class, both sides: the master makes an instance per worker (`onRegister`, `onUnregister`), each of the worker's
 * processes makes its own (everything else). Entry point `prefork-dev/worker`, so that a mixin loads nothing else of this package.
 */
import process from "node:process";

/** What the constructor of {@link Worker} is given. */
export interface WorkerIdentity {
  readonly index: number;
  readonly port: number;
  readonly state?: unknown;
}

/**
 * A worker as its mixins see it. A command `foo` is a method `childFoo`, and optionally `onFoo`, which runs before it.
 *
 * @example
 * ```ts
 * // mixins/heap.ts
 * import type { WorkerConstructor } from "prefork-dev/worker";
 *
 * export default <Base extends WorkerConstructor>(base: Base) =>
 *   class extends base {
 *     childHeap() {
 *       return process.memoryUsage();
 *     }
 *   };
 * ```
 */
export class Worker {
  /** Its number, from 0. */
  readonly index: number;
  /** Its own port. */
  readonly port: number;
  /** The process that this instance lives in: in `onRegister` and `onUnregister` the master. */
  readonly pid: number = process.pid;
  /** In a process: what `onRegister` came to in the master. Give it a type with `declare readonly state: …`. */
  readonly state: unknown;

  /** Mixins pass on what they are given. */
  constructor({ index, port, state }: WorkerIdentity) {
    this.index = index;
    this.port = port;
    this.state = state;
  }

  /**
   * In the master, once the worker has its port, before its first process.
   *
   * @returns what its processes find in {@link Worker.state}: anything that can be structured-cloned, or a promise of it
   */
  onRegister(): unknown {
    return undefined;
  }

  /** In the master, when the worker's last process is gone, before its port is given back. May return a promise. */
  onUnregister(): unknown {
    return undefined;
  }

  /** In each process, when the program was loaded, before it serves. May return a promise. What it throws is a failed boot. */
  onStart(): unknown {
    return undefined;
  }

  /** In each process that isn't killed, when it has finished its requests, before it's asked to end. May return a promise. */
  onStop(): unknown {
    return undefined;
  }

  /** The command `stop`, right after {@link Worker.onStop}. May return a promise. */
  childStop(): unknown {
    return undefined;
  }

  /** The command `reload`: afterwards the process is replaced by a new one of the same code. May return a promise. */
  childReload(...args: unknown[]): unknown;
  childReload(): unknown {
    return undefined;
  }
}

/** A class that is, or extends, {@link Worker}: what a mixin gets and returns. */
export type WorkerConstructor<Instance extends Worker = Worker> = new (
  // Exactly this is what TypeScript asks of a class that a mixin extends (TS2545).
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  ...args: any[]
) => Instance;

/** A function from a worker class to one that extends it. */
export type Mixin = (base: never) => WorkerConstructor;

/** A module of mixins: one, or a list that is applied in order. */
export interface MixinModule {
  readonly default: Mixin | readonly Mixin[];
}
