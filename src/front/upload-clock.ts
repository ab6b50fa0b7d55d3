/** Times the pauses in which a client sends nothing of the body that it announced. */
import type { ClientRequest } from "./client.js";
import type { RequestHead } from "./headers.js";

/** What a pause may be, and what comes of a longer one. */
export interface UploadRule {
  /** The longest pause, in milliseconds; 0: any. */
  readonly timeoutMs: number;
  /** Called once. */
  readonly onSlow: () => void;
}

/** The clock of a request's body, if it has one. */
export function uploadClock(
  request: ClientRequest,
  head: RequestHead,
  rule: UploadRule,
): UploadClock | undefined {
  if (!head.hasBody || rule.timeoutMs === 0) return undefined;
  return new UploadClock(request, head.expectsContinue, rule);
}

/** The clock of one request's body. Pauses in which nobody reads it don't count: they are the process's. */
export class UploadClock {
  readonly #request: ClientRequest;
  readonly #mayWait: boolean;
  readonly #rule: UploadRule;
  #runs = false;

  /** @param mayWait - whether the client may wait for `100 Continue`: it isn't slow then */
  constructor(request: ClientRequest, mayWait: boolean, rule: UploadRule) {
    this.#request = request;
    this.#mayWait = mayWait;
    this.#rule = rule;
  }

  /** The body is being read. */
  begin(): void {
    if (!this.#mayWait) this.run();
    else this.#request.once("data", () => this.run());
  }

  /** The client knows that it is to send. Later calls do nothing. */
  run(): void {
    const request = this.#request;
    const { timeoutMs, onSlow } = this.#rule;
    if (this.#runs) return;
    if (request.complete || request.destroyed) return;
    this.#runs = true;
    const arrived = (): number => request.bodyBytes ?? request.socket.bytesRead;
    const timer = setTimeout(() => {
      const before = arrived();
      // A loop that was busy, or a machine that was asleep, has yet to read what has come meanwhile.
      setImmediate(() => {
        if (request.complete || request.destroyed) return;
        if (request.isPaused() || arrived() > before) timer.refresh();
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
