/** Keeps a process from running for a while. Without effect on Windows, which has nothing like SIGSTOP. */
import process from "node:process";
import { within } from "../within.js";

export class Suspension {
  readonly #signal: (signal: NodeJS.Signals) => void;
  #isOn = false;
  #count = 0;

  constructor(signal: (signal: NodeJS.Signals) => void) {
    this.#signal = signal;
  }

  /** The process takes no time from others, until {@link end}. */
  begin(): void {
    if (this.#isOn || process.platform === "win32") return;
    this.#isOn = true;
    this.#count++;
    this.#signal("SIGSTOP");
  }

  end(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#signal("SIGCONT");
  }

  /** As {@link within}, but time in which the process couldn't run begins it anew. */
  async within<Value>(
    timeoutMs: number,
    promise: Promise<Value>,
  ): Promise<Value | "timeout"> {
    for (;;) {
      const count = this.#count;
      const outcome = await within(timeoutMs, promise);
      const couldRun = !this.#isOn && this.#count === count;
      if (outcome !== "timeout" || couldRun) return outcome;
    }
  }
}
