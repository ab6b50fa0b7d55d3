/** What is known of a process's event loop: one question is under way at a time, whoever asks (`master/heartbeat.ts`, the front). */
import type { ProcessMessage } from "../ipc/messages.js";

type PongMessage = Extract<ProcessMessage, { type: "pong" }>;

export class HeartbeatState {
  /** When the question that has no answer yet was asked, on the clock of `performance.now()`. */
  askedAt: number | undefined;
  /** Was it told that the process hangs? */
  isMissed = false;
  /** How long the last answer took, in milliseconds. */
  tookMs: number | undefined;
  /** Resident memory, in bytes. */
  rssBytes: number | undefined;
  #answer: Promise<number> | undefined;
  #answered: ((tookMs: number) => void) | undefined;

  /** The answer to the question under way, if there is one: see {@link HeartbeatState.asked}. */
  get pending(): Promise<number> | undefined {
    return this.askedAt === undefined ? undefined : this.#answer;
  }

  /** A question is sent. Fulfils with the time that the answer took; never if the process ends before. */
  asked(): Promise<number> {
    this.askedAt = performance.now();
    this.#answer = new Promise((resolve) => (this.#answered = resolve));
    return this.#answer;
  }

  answer({ rssBytes }: PongMessage): void {
    if (this.askedAt === undefined) return;
    this.tookMs = performance.now() - this.askedAt;
    this.rssBytes = rssBytes;
    this.askedAt = undefined;
    this.#answered?.(this.tookMs);
  }
}
