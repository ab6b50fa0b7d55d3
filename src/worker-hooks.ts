/**
 * The hooks of mixins, from the master's side: `onRegister` and `onUnregister` run here, `onStop` is asked of processes. What goes wrong
 * is a warning, and stops nothing. Part of the composition root, made by `parts.ts`.
 */
import { applyMixins } from "./commands/mixins.js";
import { encode } from "./commands/values.js";
import { Worker } from "./commands/worker.js";
import type { WorkerConstructor } from "./commands/worker.js";
import type { Answer } from "./commands/sender.js";
import { messageOf, PreforkError } from "./errors.js";
import { evaluateMixin } from "./manifest/evaluate.js";
import { within } from "./within.js";
import type { WorkerProcess } from "./pool/worker-process.js";

export interface WorkerHooksOptions {
  /** Modules of mixins: absolute and real. */
  readonly files: readonly string[];
  /** What paths in messages are relative to. */
  readonly cwd: string;
  /** The deadline of each hook, in milliseconds. */
  readonly hookTimeoutMs: number;
  readonly onWarning: (message: string) => void;
}

const NO_ARGUMENTS = encode([]);

/**
 * Loads the mixins into the master.
 *
 * @throws PreforkError `ERR_PREFORK_MIXIN`
 */
export async function openWorkerHooks(
  options: WorkerHooksOptions,
): Promise<WorkerHooks> {
  const { files, cwd } = options;
  const loaded = await Promise.all(
    files.map(async (file) => ({
      file,
      exported: await evaluateMixin(file, cwd),
    })),
  );
  return new WorkerHooks(applyMixins(loaded), options);
}

export class WorkerHooks {
  readonly #Worker: WorkerConstructor;
  readonly #options: WorkerHooksOptions;
  readonly #workers = new Map<number, Worker>();
  readonly #stops = new WeakMap<WorkerProcess, Answer>();
  #end: () => void = () => undefined;
  readonly #ended = new Promise<"ended">((resolve) => {
    this.#end = () => resolve("ended");
  });
  #isEnded = false;

  /** Prefer {@link openWorkerHooks}. */
  constructor(made: WorkerConstructor, options: WorkerHooksOptions) {
    this.#Worker = made;
    this.#options = options;
  }

  /**
   * A worker has its port.
   *
   * @returns what `onRegister` came to, encoded; `undefined`: nothing, or it failed
   */
  async register(index: number, port: number): Promise<string | undefined> {
    // Nobody has a hook.
    if (this.#Worker === Worker) return undefined;
    const worker = await this.#run(
      index,
      "the constructor",
      () => new this.#Worker({ index, port }),
    );
    if (worker === undefined) return undefined;
    this.#workers.set(index, worker);
    const state = await this.#run(index, "onRegister", () =>
      worker.onRegister(),
    );
    Object.assign(worker, { state });
    if (state === undefined) return undefined;
    try {
      return encode(state);
    } catch (error) {
      this.#warn(
        index,
        `onRegister returned something that can't be serialised (${messageOf(error)}): its processes get no state. Return data: no functions, symbols or promises`,
      );
      return undefined;
    }
  }

  /** A worker's last process is gone; its port isn't given back yet. */
  async unregister(index: number): Promise<void> {
    const worker = this.#workers.get(index);
    if (worker === undefined) return;
    this.#workers.delete(index);
    await this.#run(index, "onUnregister", () => worker.onUnregister());
  }

  /** A process has drained: runs its `onStop` and `childStop`. */
  async beforeStop(process: WorkerProcess): Promise<void> {
    if (process.program.mixins.length === 0) return;
    const { hookTimeoutMs } = this.#options;
    const answer = await process.commands.ask(
      "stop",
      NO_ARGUMENTS,
      hookTimeoutMs,
    );
    this.#stops.set(process, answer);
    const what = `onStop of process ${process.pid}`;
    if (answer === "timeout")
      this.#warn(undefined, `${what} took longer than ${hookTimeoutMs} ms`);
    else if (answer !== "exited" && answer.error?.reason === "threw") {
      const { name, message, stack } = answer.error;
      this.#warn(
        undefined,
        `${what} failed: ${stack ?? `${name}: ${message}`}`,
      );
    }
  }

  /** What {@link WorkerHooks.beforeStop} came to for a process. */
  stopped(process: WorkerProcess): Answer | undefined {
    return this.#stops.get(process);
  }

  /** The server is killed: no hook is waited for any more, and none runs. */
  end(): void {
    this.#isEnded = true;
    this.#end();
  }

  async #run<Value>(
    index: number,
    hook: string,
    run: () => Value,
  ): Promise<Awaited<Value> | undefined> {
    if (this.#isEnded) return undefined;
    const { hookTimeoutMs } = this.#options;
    const done = (async () => ({ value: await run() }))();
    try {
      const outcome = await within(
        hookTimeoutMs,
        Promise.race([done, this.#ended]),
      );
      if (typeof outcome !== "string") return outcome.value;
      if (outcome === "timeout")
        this.#warn(index, `${hook} took longer than ${hookTimeoutMs} ms`);
    } catch (error) {
      const text = error instanceof Error ? String(error) : messageOf(error);
      this.#warn(index, `${hook} threw ${text}`);
    }
    return undefined;
  }

  #warn(index: number | undefined, problem: string): void {
    const where = index === undefined ? "" : `worker ${index}: `;
    const { message, code } = new PreforkError(
      "ERR_PREFORK_HOOK",
      `${where}${problem}`,
    );
    this.#options.onWarning(`${message} (${code})`);
  }
}
