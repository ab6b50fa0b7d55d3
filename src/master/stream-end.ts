/** The end of a draining process's event streams and upgraded sockets, for the sake of others. Its requests in hand go on. */
import type { WorkerProcess } from "../pool/worker-process.js";

export class StreamEnd {
  /** Fulfils when they're told to end. */
  readonly ended: Promise<void>;
  readonly #process: WorkerProcess;
  #isEnded = false;
  #onEnded: () => void = () => undefined;

  constructor(process: WorkerProcess) {
    this.#process = process;
    this.ended = new Promise((resolve) => (this.#onEnded = resolve));
  }

  /** Were they told to end? */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Idempotent. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#process.send({ type: "finish" });
    this.#onEnded();
  }
}
