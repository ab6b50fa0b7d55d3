/**
 * The end of a server that a signal asks for: gracefully, at once, or first the one and then the other; and the exit
 * code that comes of it. It doesn't know which signal means what (`signals.ts`), and doesn't end the process.
 */
import os from "node:os";
import process from "node:process";

/** By convention of shells: 128 + n says that signal n ended a process. */
const EXIT_SIGNAL_BASE = 128;
const EXIT_FAILED = 1;

interface EndingTarget {
  stop(): Promise<void>;
  kill(): Promise<void>;
}

interface EndingOptions {
  readonly onError: (error: unknown, signal: NodeJS.Signals) => void;
  /** It has begun. */
  readonly onStopping: (signal: NodeJS.Signals) => void;
  /** It's over, and the exit code is set. */
  readonly onStopped: () => void;
}

export class ServerEnding {
  readonly #server: EndingTarget;
  readonly #options: EndingOptions;
  #state: "running" | "stopping" | "killing" | "over" = "running";

  constructor(server: EndingTarget, options: EndingOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Is it being stopped or ended, or over? */
  get hasBegun(): boolean {
    return this.#state !== "running";
  }

  /** Stops the server, once; never rejects. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#state !== "running") return;
    this.#state = "stopping";
    this.#options.onStopping(signal);
    await this.#attempt(() => this.#server.stop(), signal);
    // Killed meanwhile: the end is when everything is ended.
    if (this.#is("stopping")) this.#over();
  }

  /** Ends the server, once, also while it is being stopped; never rejects. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#state === "killing" || this.#state === "over") return;
    const isFirst = this.#state === "running";
    this.#state = "killing";
    if (isFirst) this.#options.onStopping(signal);
    process.exitCode = EXIT_SIGNAL_BASE + os.constants.signals[signal];
    await this.#attempt(() => this.#server.kill(), signal);
    this.#over();
  }

  async #attempt(
    end: () => Promise<void>,
    signal: NodeJS.Signals,
  ): Promise<void> {
    try {
      await end();
    } catch (error) {
      // A number that says more is kept: that of the signal, or a program's own.
      process.exitCode ||= EXIT_FAILED;
      this.#options.onError(error, signal);
    }
  }

  #over(): void {
    this.#state = "over";
    process.exitCode ??= 0;
    this.#options.onStopped();
  }

  /** Asked again after a wait, which the compiler doesn't see. */
  #is(state: "stopping"): boolean {
    return this.#state === state;
  }
}
