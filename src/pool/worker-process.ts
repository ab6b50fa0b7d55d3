/**
 * The master's view of one forked process: its boot, its messages, its end.
 * It is not a worker (a place in the pool, `worker-place.ts`), and decides nothing.
 *
 *     forked ─hello─> booting ─ready─> serving ─drain─> draining ─stop─> exited
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import process from "node:process";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Diagnostic } from "../diagnostic.js";
import { messageOf } from "../errors.js";
import { onProcessMessage, sendToProcess } from "../ipc/channel.js";
import { SYNC_FD } from "../ipc/messages.js";
import type {
  MasterMessage,
  ProcessMessage,
  ResolveAnswer,
  ResolveRequest,
} from "../ipc/messages.js";
import {
  BootFailure,
  endedBeforeReady,
  notReadyInTime,
} from "./boot-failure.js";
import { readLines } from "./output-lines.js";
import type {
  OutputLine,
  ProcessExit,
  Program,
  ReadyProcess,
} from "./types.js";

const RUNTIME = fileURLToPath(new URL("../worker/main.js", import.meta.url));

/** How long the exit of a process waits for the rest of its output. */
const OUTPUT_GRACE_MS = 100;

/** The last lines of stderr, kept to explain an end that the process itself couldn't explain. */
const LAST_WORDS = 12;

export interface WorkerProcessOptions {
  readonly worker: number;
  readonly program: Program;
  readonly cwd: string;
  readonly onOutput: (line: OutputLine) => void;
  /** Messages other than those that this class answers itself. */
  readonly onMessage: (message: ProcessMessage) => void;
}

export class WorkerProcess {
  readonly worker: number;
  readonly program: Program;
  readonly startedAt: number = performance.now();
  /** Settles when the process has exited and its output was read. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #options: WorkerProcessOptions;
  readonly #hello: Promise<void>;
  readonly #lastWords: string[] = [];
  readonly #waiting = new Map<ProcessMessage["type"], () => void>();
  #ready: ((protocol: ReadyProcess["protocol"]) => void) | undefined;
  #diagnostic: Diagnostic | undefined;
  #gone = false;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    this.worker = options.worker;
    this.program = options.program;
    const child = spawn(process.execPath, [RUNTIME], {
      cwd: options.cwd,
      env: options.program.env,
      // stdin is /dev/null: several processes can't share a terminal's.
      stdio: ["ignore", "pipe", "pipe", "ipc", "pipe"],
      // Its own process group: Ctrl-C in the terminal is for the master, which drains first.
      detached: true,
    });
    this.#child = child;
    this.#hello = new Promise((resolve) => this.#waiting.set("hello", resolve));
    this.exited = new Promise((resolve) => {
      const finish = (
        code: number | null,
        signal: NodeJS.Signals | null,
      ): void => {
        this.#gone = true;
        resolve({ code, signal, diagnostic: this.#diagnostic });
      };
      // `close` comes when the output was read to its end; a grandchild that inherited the pipes can
      // keep them open for ever, and mustn't keep a dead worker from being replaced.
      child.once("exit", (code, signal) => {
        const timer = setTimeout(finish, OUTPUT_GRACE_MS, code, signal);
        child.once("close", () => {
          clearTimeout(timer);
          finish(code, signal);
        });
      });
      child.once("error", (error) => {
        this.#diagnostic = {
          message: `can't start a process: ${error.message}`,
        };
        if (child.pid === undefined) finish(null, null);
      });
    });
    onProcessMessage(child, (message) => this.#received(message));
    this.#readOutput("stdout");
    this.#readOutput("stderr");
    this.#answerResolutions();
  }

  /** The process id; 0 if it couldn't be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Has the process exited? */
  get gone(): boolean {
    return this.#gone;
  }

  /** Resolves when the runtime in the process listens for messages; never if it dies before. */
  get hello(): Promise<void> {
    return this.#hello;
  }

  send(message: MasterMessage, handle?: unknown): void {
    sendToProcess(this.#child, message, handle);
  }

  /**
   * Waits until the app listens.
   *
   * @throws BootFailure when it exits or throws before, or isn't ready in time
   */
  async whenReady(bootTimeoutMs: number): Promise<ReadyProcess> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new BootFailure(notReadyInTime(bootTimeoutMs)));
      }, bootTimeoutMs);
    });
    const ready = new Promise<ReadyProcess>((resolve) => {
      this.#ready = (protocol) =>
        resolve({ protocol, bootMs: performance.now() - this.startedAt });
    });
    const exited = this.exited.then((exit): never => {
      throw new BootFailure(
        exit.diagnostic ?? endedBeforeReady(exit, this.#lastWords),
      );
    });
    try {
      return await Promise.race([ready, exited, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a message and waits for its answer, the process's end or the deadline, whichever is first. */
  async ask(
    message: MasterMessage,
    answer: "drained" | "finished",
    deadlineMs: number,
  ): Promise<"answered" | "exited" | "timeout"> {
    if (this.#gone) return "exited";
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<"answered">((resolve) => {
      this.#waiting.set(answer, () => resolve("answered"));
    });
    const timeout = new Promise<"timeout">((resolve) => {
      timer = setTimeout(() => resolve("timeout"), deadlineMs);
    });
    this.send(message);
    const outcome = await Promise.race([
      answered,
      timeout,
      this.exited.then(() => "exited" as const),
    ]);
    clearTimeout(timer);
    this.#waiting.delete(answer);
    return outcome;
  }

  /** SIGTERM, and SIGKILL when that did nothing within the deadline. */
  async stop(stopTimeoutMs: number): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), stopTimeoutMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** SIGKILL at once. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.exited;
  }

  #signal(signal: NodeJS.Signals): void {
    // ChildProcess.kill does nothing once the exit was seen: no reused pid is hit.
    this.#child.kill(signal);
  }

  #received(message: ProcessMessage): void {
    switch (message.type) {
      case "ready":
        this.#ready?.(message.protocol);
        return;
      case "failed":
      case "fault":
        this.#diagnostic = message.diagnostic;
        return;
      case "hello":
      case "drained":
      case "finished":
        this.#waiting.get(message.type)?.();
        this.#waiting.delete(message.type);
        return;
      case "warning":
      case "bind":
        this.#options.onMessage(message);
    }
  }

  #readOutput(stream: "stdout" | "stderr"): void {
    const readable = this.#child[stream];
    if (readable === null) return;
    readLines(readable, (line) => {
      if (stream === "stderr") {
        this.#lastWords.push(line);
        if (this.#lastWords.length > LAST_WORDS) this.#lastWords.shift();
      }
      this.#options.onOutput({
        worker: this.worker,
        pid: this.pid,
        stream,
        line,
      });
    });
  }

  #answerResolutions(): void {
    const channel = this.#child.stdio[SYNC_FD] as Duplex;
    channel.on("error", () => undefined); // the process is gone: `exited` tells
    readLines(channel, (line) => {
      const request = JSON.parse(line) as ResolveRequest;
      this.program.resolve(request).then(
        (answer) => channel.write(`${JSON.stringify(answer)}\n`),
        (error: unknown) => {
          const answer: ResolveAnswer = {
            kind: "failed",
            message: messageOf(error),
          };
          channel.write(`${JSON.stringify(answer)}\n`);
        },
      );
    });
  }
}
