/** What is known of a process's event loop: one question is under way at a time. When to ask is decided in `master/heartbeat.ts`. */
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
  #answered: ((tookMs: number) => void) | undefined;

  /** Fulfils with the time that the answer took; never if the process ends before. */
  asked(): Promise<number> {
    this.askedAt = performance.now();
    return new Promise((resolve) => (this.#answered = resolve));
  }

  answer({ rssBytes }: PongMessage): void {
    if (this.askedAt === undefined) return;
    this.tookMs = performance.now() - this.askedAt;
    this.rssBytes = rssBytes;
    this.askedAt = undefined;
    this.#answered?.(this.tookMs);
  }
}
