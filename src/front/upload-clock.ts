/** Times the pauses in which a client sends nothing of the body that it announced. */
import type { IncomingMessage } from "node:http";

/** What is to be timed. */
export interface UploadClockOptions {
  readonly request: IncomingMessage;
  /** Whether the client may wait for `100 Continue`: it isn't slow then. */
  readonly mayWait: boolean;
  /** The longest pause, in milliseconds; 0: any. */
  readonly timeoutMs: number;
  /** Called once. */
  readonly onSlow: () => void;
}

/** The clock of one request's body. Pauses in which nobody reads it don't count: they are the process's. */
export class UploadClock {
  readonly #options: UploadClockOptions;
  #runs = false;

  constructor(options: UploadClockOptions) {
    this.#options = options;
  }

  /** The body is being read. */
  begin(): void {
    const { request, mayWait } = this.#options;
    if (!mayWait) this.run();
    else request.once("data", () => this.run());
  }

  /** The client knows that it is to send. Later calls do nothing. */
  run(): void {
    const { request, timeoutMs, onSlow } = this.#options;
    if (this.#runs || timeoutMs === 0) return;
    if (request.complete || request.destroyed) return;
    this.#runs = true;
    const { socket } = request;
    const timer = setTimeout(() => {
      const before = socket.bytesRead;
      // A loop that was busy, or a machine that was asleep, has yet to read what has come meanwhile.
      setImmediate(() => {
        if (request.complete || request.destroyed) return;
        if (request.isPaused() || socket.bytesRead > before) timer.refresh();
        else onSlow();
      });
    }, timeoutMs);
    const again = (): void => {
      if (!request.complete) timer.refresh();
    };
    const stop = (): void => clearTimeout(timer);
    request.on("data", again).on("resume", again);
    request.once("end", stop).once("close", stop);
  }
}
