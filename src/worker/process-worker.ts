/**
 * The worker's instance in its process: made of the mixins once the program was evaluated, it runs `onStart`, then commands, `stop`
 * as the last. Loaded by `main.ts` only when there are mixins, or when a command comes.
 */
import process from "node:process";
import { pathToFileURL } from "node:url";
import { runCommand, UnknownCommand } from "../commands/dispatch.js";
import { applyMixins, defaultExportOf } from "../commands/mixins.js";
import type { LoadedMixin } from "../commands/mixins.js";
import { decode, encode } from "../commands/values.js";
import type { Worker } from "../commands/worker.js";
import type { Diagnostic } from "../diagnostic.js";
import { messageOf, PreforkError } from "../errors.js";
import { sendToMaster } from "../ipc/channel.js";
import type {
  AnswerError,
  AnswerMessage,
  CommandMessage,
  WorkerMixins,
  WorkerProgram,
} from "../ipc/messages.js";
import { diagnosticOf } from "../runtime/diagnostic-of.js";
import { exitAfter } from "./faults.js";

const NO_MIXINS: WorkerMixins = { modules: [], hookTimeoutMs: 0 };

export class ProcessWorker {
  readonly #program: WorkerProgram;
  readonly #mixins: WorkerMixins;
  #begun: Promise<Worker> | undefined;
  #stopped: Promise<unknown> | undefined;

  constructor(program: WorkerProgram) {
    this.#program = program;
    this.#mixins = program.mixins ?? NO_MIXINS;
  }

  /** Loads the mixins and runs `onStart`, once. What goes wrong is a failed boot: it's reported, and the process exits. */
  async begin(): Promise<void> {
    await this.#worker();
  }

  /** Runs a command, and says what it came to. Never rejects. */
  async answer(message: CommandMessage): Promise<void> {
    const { id, name } = message;
    const outcome = await this.#outcomeOf(message);
    const sent = (): void => {
      // Now the app may end by itself, as it would on a SIGTERM.
      if (name === "stop") process.channel?.unref();
    };
    sendToMaster({ type: "answer", id, ...outcome }, sent);
  }

  /** The app is being drained, and may have nothing left that keeps its process alive: it's to live until `stop` was run. */
  keepUntilStopped(): void {
    process.channel?.ref();
  }

  #worker(): Promise<Worker> {
    return (this.#begun ??= this.#begin());
  }

  async #begin(): Promise<Worker> {
    const { hookTimeoutMs, modules } = this.#mixins;
    const inTime = async <Value>(
      what: string,
      run: () => Value,
    ): Promise<Awaited<Value>> =>
      modules.length === 0
        ? await run()
        : await before(hookTimeoutMs, what, run);
    let worker: Worker;
    try {
      worker = await inTime("Loading the mixins", () => this.#make());
    } catch (error) {
      return fail(this.#loadDiagnostic(error));
    }
    try {
      await inTime("onStart", () => worker.onStart());
      return worker;
    } catch (error) {
      if (error instanceof TooLate) return fail({ message: error.message });
      const diagnostic = diagnosticOf(error);
      const message = `onStart failed: ${diagnostic.message}`;
      return fail({ ...diagnostic, message });
    }
  }

  /** What is being loaded, for errors that don't say it. */
  #loading = "";

  async #make(): Promise<Worker> {
    const { worker: index, workerPort: port } = this.#program;
    const { modules, state } = this.#mixins;
    const loaded: LoadedMixin[] = [];
    // One after the other: in their order.
    for (const { source, output } of modules) {
      this.#loading = output;
      const namespace = (await import(pathToFileURL(output).href)) as object;
      loaded.push({ file: source, exported: defaultExportOf(namespace) });
    }
    const Mixed = applyMixins(loaded);
    return new Mixed({
      index,
      port,
      state: state === undefined ? undefined : decode(state),
    });
  }

  #loadDiagnostic(error: unknown): Diagnostic {
    if (error instanceof TooLate) {
      const hint =
        "Does one of them import the program's entry, which awaits something itself?";
      return { message: `${error.message} ${hint}` };
    }
    return error instanceof PreforkError
      ? { message: error.message }
      : diagnosticOf(error, this.#loading);
  }

  async #outcomeOf({
    name,
    args,
  }: CommandMessage): Promise<Pick<AnswerMessage, "value" | "error">> {
    let value: unknown;
    try {
      value = await this.#run(name, decode(args) as readonly unknown[]);
    } catch (error) {
      const isUnknown = error instanceof UnknownCommand;
      return { error: answerError(isUnknown ? "unknown" : "threw", error) };
    }
    try {
      return { value: encode(value) };
    } catch (error) {
      return { error: answerError("value", error) };
    }
  }

  async #run(name: string, args: readonly unknown[]): Promise<unknown> {
    const worker = await this.#worker();
    if (name !== "stop") return await runCommand(worker, name, args);
    // Once per process, whoever asks.
    return await (this.#stopped ??= runCommand(worker, name, args));
  }
}

/** A step of the start took too long. */
class TooLate extends Error {}

async function before<Value>(
  timeoutMs: number,
  what: string,
  run: () => Value,
): Promise<Awaited<Value>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // Not unreferenced: before the app listens, it may be all that keeps the process alive.
    timer = setTimeout(() => {
      const message = `${what} took longer than ${timeoutMs} ms: that's a failed boot. Raise hookTimeoutMs if it needs more.`;
      reject(new TooLate(message));
    }, timeoutMs);
  });
  try {
    return await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function fail(diagnostic: Diagnostic): Promise<never> {
  exitAfter({ type: "failed", diagnostic }, 1);
  return new Promise(() => undefined);
}

/** An error's properties, which may be anything. */
type Thrown = Readonly<Record<keyof Error | "code", unknown>>;

/** Whatever was thrown, with as much as can be read from it. */
function answerError(
  reason: AnswerError["reason"],
  error: unknown,
): AnswerError {
  try {
    if (!(error instanceof Error))
      return { reason, name: "Thrown", message: messageOf(error) };
    const { name, message, stack, code } = error as unknown as Thrown;
    return {
      reason,
      name: String(name),
      message: String(message),
      ...(typeof stack === "string" ? { stack } : {}),
      ...(typeof code === "string" ? { code } : {}),
    };
  } catch {
    return {
      reason,
      name: "Thrown",
      message: "a value that can't be shown as text",
    };
  }
}
