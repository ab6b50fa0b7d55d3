/**
 * The master's view of one forked process: its orders, its messages, its end.
 * It is not a worker (a place in the pool, `worker-place.ts`), and decides nothing.
 *
 *     forked ─hello─> standing ─order─> … ─activate─> booting ─ready─> serving ─drain─> draining ─stop─> exited
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { Module } from "node:module";
import process from "node:process";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Diagnostic } from "../diagnostic.js";
import { onProcessMessage, sendToProcess } from "../ipc/channel.js";
import { SYNC_FD } from "../ipc/messages.js";
import type {
  MasterMessage,
  Order,
  ProcessMessage,
  StandingRequest,
  TroubleNotice,
} from "../ipc/messages.js";
import {
  BootFailure,
  endedBeforeReady,
  notReadyInTime,
} from "./boot-failure.js";
import { HeartbeatState } from "./heartbeat-state.js";
import { HeldOutput } from "./held-output.js";
import { PendingAnswers } from "./pending-answers.js";
import { exitOf } from "./process-exit.js";
import { SyncAnswers } from "./sync-answers.js";
import { Suspension } from "./suspension.js";
import { within } from "../within.js";
import type {
  OutputLine,
  ProcessExit,
  Program,
  ReadyProcess,
} from "./types.js";

const RUNTIME = fileURLToPath(new URL("../worker/main.js", import.meta.url));

/** What `worker/package-loads.ts` needs of a Node that has no hooks for it. */
const FLAGS: readonly string[] =
  "registerHooks" in Module ? [] : ["--expose-internals"];

export interface WorkerProcessOptions {
  /** The environment, whole. */
  readonly env: Program["env"];
  readonly cwd: string;
  readonly onOutput: (line: OutputLine) => void;
}

type ReadyMessage = Extract<ProcessMessage, { type: "ready" }>;
type UnfitMessage = Extract<ProcessMessage, { type: "unfit" }>;

/** Whose a process is, from its activation on. */
interface Assignment {
  readonly worker: number;
  readonly program: Program;
  /** Messages other than those that {@link WorkerProcess} answers itself. */
  readonly onMessage: (message: ProcessMessage) => void;
}

export class WorkerProcess {
  readonly startedAt: number = performance.now();
  /** Fulfils when a process that was taken as a standby really stands by. */
  parked: Promise<void> = Promise.resolve();
  /** Settles when the process has exited and its output was read. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly heartbeat: HeartbeatState = new HeartbeatState();
  readonly suspension: Suspension = new Suspension((signal) =>
    this.#signal(signal),
  );
  /** Commands for the worker's mixins. */
  readonly commands: PendingAnswers;
  readonly #child: ChildProcess;
  readonly #hello: Promise<void>;
  readonly #output: HeldOutput;
  readonly #sync: SyncAnswers;
  readonly #waiting = new Map<ProcessMessage["type"], () => void>();
  #program: Program | undefined;
  #assignment: Assignment | undefined;
  #standing: ((request: StandingRequest) => void) | undefined;
  #ready: ((message: ReadyMessage) => void) | undefined;
  #diagnostic: Diagnostic | undefined;
  #trouble: TroubleNotice | undefined;
  #unfit: UnfitMessage | undefined;
  #gone = false;

  constructor(options: WorkerProcessOptions) {
    const { env, onOutput } = options;
    const child = spawn(process.execPath, [...FLAGS, RUNTIME], {
      cwd: options.cwd,
      env,
      // stdin is /dev/null: several processes can't share a terminal's.
      stdio: ["ignore", "pipe", "pipe", "ipc", "pipe"],
      // Its own process group: Ctrl-C in the terminal is for the master, which drains first.
      detached: true,
    });
    this.#child = child;
    this.#hello = new Promise((resolve) => this.#waiting.set("hello", resolve));
    this.exited = exitOf(child, (error) => {
      this.#diagnostic = { message: `can't start a process: ${error.message}` };
    }).then((exit) => {
      this.#gone = true;
      const diagnostic = this.#diagnostic;
      return { ...exit, diagnostic, lastWords: this.#output.lastWords };
    });
    this.commands = new PendingAnswers(
      (message) => this.send(message),
      this.exited,
    );
    onProcessMessage(child, (message) => this.#received(message));
    this.#output = new HeldOutput(child, this.pid, onOutput);
    this.#sync = new SyncAnswers(child.stdio[SYNC_FD] as Duplex, {
      resolve: (request) => this.program.resolve(request),
      onStanding: (request) => {
        this.#standing?.(request);
        this.#standing = undefined;
      },
      onTrouble: (notice) => (this.#trouble = notice),
    });
  }

  /** The process id; 0 if it couldn't be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it runs; for a standby: what it was forked for. */
  get program(): Program {
    if (this.#program === undefined)
      throw new Error("a process was used before it had a program");
    return this.#program;
  }

  /** A process is forked for an environment; what it runs is said before its first order. */
  set program(program: Program) {
    this.#program = program;
  }

  /** What it said before it ended itself while it stood by. */
  get trouble(): TroubleNotice | undefined {
    return this.#trouble;
  }

  /** Why it couldn't become a worker's process after what it had evaluated ahead. */
  get unfit(): UnfitMessage | undefined {
    return this.#unfit;
  }

  /** Did the process itself say what was wrong? */
  get explained(): boolean {
    return this.#diagnostic !== undefined;
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

  /** Asks whether the event loop turns, unless that was asked and not answered yet; fulfils with the milliseconds that the answer took. */
  ping(): Promise<number> {
    const { pending } = this.heartbeat;
    if (pending !== undefined) return pending;
    const answered = this.heartbeat.asked();
    this.send({ type: "ping" });
    return answered;
  }

  /** The next time that the process stands by for an order; never if it ends before. */
  standing(): Promise<StandingRequest> {
    return new Promise((resolve) => (this.#standing = resolve));
  }

  /** Gives an order to a process that stands by. */
  order(order: Order): void {
    this.#sync.order(order);
  }

  /** Makes the process a worker's. What it wrote so far is that worker's output. */
  assign(assignment: Assignment): void {
    this.#assignment = assignment;
    this.#program = assignment.program;
    this.#output.release(assignment.worker);
  }

  /**
   * Waits until the app listens.
   *
   * @throws BootFailure when it exits or throws before, or isn't ready in time
   */
  async whenReady(bootTimeoutMs: number): Promise<ReadyProcess> {
    const askedAt = performance.now();
    const ready = new Promise<ReadyProcess>((resolve) => {
      this.#ready = ({ protocol, activatedAt, loadedAt }) => {
        const now = performance.now();
        const readyAt = performance.timeOrigin + now;
        resolve({
          protocol,
          bootMs: now - askedAt,
          activateMs: activatedAt - performance.timeOrigin - askedAt,
          loadMs: loadedAt - activatedAt,
          listenMs: readyAt - loadedAt,
        });
      };
    });
    const exited = this.exited.then((exit): never => {
      throw new BootFailure(
        exit.diagnostic ?? endedBeforeReady(exit, this.#output.lastWords),
      );
    });
    const outcome = await within(bootTimeoutMs, Promise.race([ready, exited]));
    if (outcome === "timeout")
      throw new BootFailure(notReadyInTime(bootTimeoutMs));
    return outcome;
  }

  /** Waits for the answer to a message, the process's end or the deadline, whichever is first. */
  async answer(
    answer: "closed" | "drained" | "finished",
    deadlineMs: number,
  ): Promise<"answered" | "exited" | "timeout"> {
    if (this.#gone) return "exited";
    const answered = new Promise<"answered">((resolve) => {
      this.#waiting.set(answer, () => resolve("answered"));
    });
    const outcome = await within(
      deadlineMs,
      Promise.race([answered, this.exited.then(() => "exited" as const)]),
    );
    this.#waiting.delete(answer);
    return outcome;
  }

  /** SIGTERM, and SIGKILL when that did nothing within the deadline. */
  async stop(stopTimeoutMs: number): Promise<void> {
    this.#signal("SIGTERM");
    const outcome = await within(stopTimeoutMs, this.exited);
    if (outcome === "timeout") await this.kill();
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
        this.#ready?.(message);
        return;
      case "failed":
      case "fault":
        this.#diagnostic = message.diagnostic;
        return;
      case "unfit":
        this.#unfit = message;
        return;
      case "answer":
        this.commands.received(message);
        return;
      case "pong":
        this.heartbeat.answer(message);
        return;
      case "hello":
      case "closed":
      case "drained":
      case "finished":
        this.#waiting.get(message.type)?.();
        this.#waiting.delete(message.type);
        return;
      case "warning":
      case "bind":
        this.#assignment?.onMessage(message);
    }
  }
}
