/** Commands that were sent to a process, until it has answered, is gone, or is too slow. What they mean is no business of the pool's. */
import type { AnswerMessage, CommandMessage } from "../ipc/messages.js";
import { within } from "../within.js";

export class PendingAnswers {
  readonly #send: (message: CommandMessage) => void;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Map<number, (answer: AnswerMessage) => void>();
  #lastId = 0;

  /** @param exited - settles when the process is gone */
  constructor(
    send: (message: CommandMessage) => void,
    exited: Promise<unknown>,
  ) {
    this.#send = send;
    this.#exited = exited;
  }

  /**
   * Sends a command and waits for its answer, the process's end or the deadline, whichever is first.
   *
   * @param args - encoded
   * @param timeoutMs - in milliseconds
   */
  async ask(
    name: string,
    args: string,
    timeoutMs: number,
  ): Promise<AnswerMessage | "exited" | "timeout"> {
    const id = ++this.#lastId;
    const answered = new Promise<AnswerMessage>((resolve) => {
      this.#waiting.set(id, resolve);
    });
    this.#send({ type: "command", id, name, args });
    const exited = this.#exited.then(() => "exited" as const);
    try {
      return await within(timeoutMs, Promise.race([answered, exited]));
    } finally {
      // An answer that comes later finds nobody.
      this.#waiting.delete(id);
    }
  }

  received(answer: AnswerMessage): void {
    this.#waiting.get(answer.id)?.(answer);
  }
}
