/**
 * Tells a service manager, such as systemd, how the server is doing: sd_notify(3)'s protocol. It says only what it's told to say, and
 * decides nothing. Without a service manager there is none: `serviceManager` gives `undefined`.
 *
 * Node can't send datagrams over Unix sockets, so the program `systemd-notify` does it. To systemd, a message may then come from that
 * process, which is why a unit needs `NotifyAccess=all`; docs/running-as-a-service.md has one.
 */
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { messageOf, systemErrorCode } from "../errors.js";

/**
 * A service manager that listens. Messages are sent one after the other, in the order of the calls; each call fulfils when its own was
 * taken or has failed, and never rejects.
 */
export interface ServiceManager {
  /** The service is up; after {@link ServiceManager.reloading}: it's up again, with the new code or with the old. */
  ready(status?: string): Promise<void>;
  /** A reload has begun. Each ends with {@link ServiceManager.ready}, whatever came of it. */
  reloading(): Promise<void>;
  /** The service is being stopped. */
  stopping(): Promise<void>;
  /** A line for people: `systemctl status` shows it. Of those that wait to be sent, only the newest is. */
  status(text: string): Promise<void>;
}

/** Options of {@link serviceManager}. */
export interface ServiceManagerOptions {
  /** Gets what went wrong, each state once: the service manager wasn't told. */
  readonly onWarning: (message: string) => void;
  /** The longest that one message may take, in milliseconds. Default 10,000: `systemd-notify` itself waits up to 5 s until it was read. */
  readonly timeoutMs?: number;
}

const PROGRAM = "systemd-notify";
const TIMEOUT_MS = 10_000;
const LONGEST_STATUS = 500;
const NANOSECONDS_PER_MICROSECOND = 1_000n;

const run = promisify(execFile);

/**
 * The service manager that started this process.
 *
 * @param env - where `NOTIFY_SOCKET` may be; `systemd-notify` is found by its `PATH`
 * @returns `undefined` when nobody listens
 */
export function serviceManager(
  env: Readonly<NodeJS.ProcessEnv>,
  options: ServiceManagerOptions,
): ServiceManager | undefined {
  const socket = env["NOTIFY_SOCKET"];
  if (socket === undefined || socket === "") return undefined;
  return new NotifySocket(socket, { ...env }, options);
}

class NotifySocket implements ServiceManager {
  readonly #socket: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #options: ServiceManagerOptions;
  #last: Promise<void> = Promise.resolve();
  /** The status at the end of the queue, as long as it waits there. */
  #waitingStatus: { text: string } | undefined;
  /** Is what's wrong told? Until a message gets through. */
  #told = false;
  #isMissing = false;

  constructor(
    socket: string,
    env: NodeJS.ProcessEnv,
    options: ServiceManagerOptions,
  ) {
    this.#socket = socket;
    this.#env = env;
    this.#options = options;
  }

  ready(status?: string): Promise<void> {
    return this.#send(
      status === undefined ? ["READY=1"] : ["READY=1", statusOf(status)],
    );
  }

  reloading(): Promise<void> {
    // Of now, not of when its turn comes: systemd ignores a time before its signal. hrtime is CLOCK_MONOTONIC.
    const now = process.hrtime.bigint() / NANOSECONDS_PER_MICROSECOND;
    return this.#send(["RELOADING=1", `MONOTONIC_USEC=${now.toString()}`]);
  }

  stopping(): Promise<void> {
    return this.#send(["STOPPING=1"]);
  }

  status(text: string): Promise<void> {
    if (this.#waitingStatus !== undefined) {
      this.#waitingStatus.text = text;
      return this.#last;
    }
    const waiting = { text };
    this.#waitingStatus = waiting;
    return this.#enqueue(() => {
      if (this.#waitingStatus === waiting) this.#waitingStatus = undefined;
      return [statusOf(waiting.text)];
    });
  }

  #send(variables: readonly string[]): Promise<void> {
    // A status that waits stays before it, a later one comes behind it.
    this.#waitingStatus = undefined;
    return this.#enqueue(() => variables);
  }

  /** @param variables - called when their turn has come */
  #enqueue(variables: () => readonly string[]): Promise<void> {
    this.#last = this.#last.then(() => this.#notify(variables()));
    return this.#last;
  }

  /** All of one message. Never rejects. */
  async #notify(variables: readonly string[]): Promise<void> {
    if (this.#isMissing) return;
    try {
      await run(PROGRAM, variables, {
        env: this.#env,
        timeout: this.#options.timeoutMs ?? TIMEOUT_MS,
        killSignal: "SIGKILL",
      });
      this.#told = false;
    } catch (error) {
      this.#isMissing = systemErrorCode(error) === "ENOENT";
      if (this.#told) return;
      this.#told = true;
      this.#options.onWarning(
        this.#isMissing
          ? `NOTIFY_SOCKET is set, but ${PROGRAM} isn't in PATH, so the service manager isn't told how this service is doing: install it (package systemd), or use Type=exec in the unit`
          : `${PROGRAM} ${variables.join(" ")} failed (${reasonOf(error)}), so the service manager wasn't told: see whether it still listens on NOTIFY_SOCKET=${this.#socket}`,
      );
    }
  }
}

/** One line, since a line's end would begin another variable. */
function statusOf(text: string): string {
  const line = text.replaceAll(/\p{Cc}+/gu, " ").trim();
  return `STATUS=${line.slice(0, LONGEST_STATUS)}`;
}

/** What the program printed says more than that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("killed" in error && error.killed === true) return "it took too long";
  const stderr = "stderr" in error ? String(error.stderr).trim() : "";
  return stderr === "" ? messageOf(error) : stderr;
}
