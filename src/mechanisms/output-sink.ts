/**
 * Passes the workers' lines on to a file, a pipe, a stream that the user chose. However slow that is, no worker is held up,
 * and memory stays bounded: lines wait up to a bound, then the newest are dropped, counted, and the count is written in
 * their place. Whatever happens to the output, the server goes on.
 *
 * It doesn't read processes' output (`pool/`), nor does it tag lines: its caller does.
 */
import type { Writable } from "node:stream";
import { messageOf, PreforkError } from "../errors.js";
import { LineQueue, type Chunk } from "./line-queue.js";
import {
  end,
  isOpenedHere,
  openTarget,
  untilOpen,
  type OutputTarget,
} from "./output-target.js";
import { within } from "../within.js";

const DEFAULT_MAX_BUFFERED_BYTES = 1024 * 1024;
const DEFAULT_CLOSE_TIMEOUT_MS = 2_000;
const DEFAULT_RETRY_AFTER_MS = 5_000;

/** Options of {@link OutputSink}. */
export interface OutputSinkOptions {
  /** A stream, the path of a file that is appended to, or a function that opens a stream. */
  readonly target: OutputTarget;
  /** How many bytes of lines wait at most for an output that is slower than the workers; then the newest are dropped. Default 1,048,576. */
  readonly maxBufferedBytes?: number;
  /** How long {@link OutputSink.close} and {@link OutputSink.reopen} wait at most for an output to take what it was given, or to open, in milliseconds. Default 2,000. */
  readonly closeTimeoutMs?: number;
  /** After an error, a path or a function is opened anew at the first line after this many milliseconds. Default 5,000. */
  readonly retryAfterMs?: number;
  /** Is told once when the output fails, and again only if it worked in between. */
  readonly onWarning: (message: string) => void;
}

export class OutputSink {
  readonly #options: Required<OutputSinkOptions>;
  readonly #queue: LineQueue;
  #stream: Writable;
  /** Opening is done one at a time. */
  #opening: Promise<void> = Promise.resolve();
  /** The stream before this one still has lines to take. */
  #isHeld = false;
  #isRetrying = false;
  #retryAt = 0;
  /** Lines that nobody will see, and whose count wasn't written yet. */
  readonly #dropped = { slow: 0, failed: 0 };
  /** The queue was full: all lines are dropped until it's empty, so that the note of it stands where they would. */
  #isFull = false;
  /** Since an error, until a write succeeds. */
  #isFailing = false;
  /** Lines that the stream was given, and didn't call back about yet. */
  #linesInHand = 0;
  #writesInHand = 0;
  #onIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Opens the target; a file that can't be opened is an error that comes later, to `onWarning`.
   *
   * @throws PreforkError `ERR_PREFORK_OPTION`; `ERR_PREFORK_OUTPUT` if the target is a function that throws
   */
  constructor(options: OutputSinkOptions) {
    this.#options = {
      maxBufferedBytes: DEFAULT_MAX_BUFFERED_BYTES,
      closeTimeoutMs: DEFAULT_CLOSE_TIMEOUT_MS,
      retryAfterMs: DEFAULT_RETRY_AFTER_MS,
      ...options,
    };
    const { target, maxBufferedBytes } = this.#options;
    if (target === "") {
      throw new PreforkError(
        "ERR_PREFORK_OPTION",
        "The output's path is empty. Give the path of a file, a stream, or a function that opens one.",
      );
    }
    this.#queue = new LineQueue(maxBufferedBytes);
    this.#stream = openTarget(target);
    this.#listen();
  }

  /**
   * Passes a line on, or keeps it, or drops it; returns at once.
   *
   * @param line - without its line break
   */
  write(line: string): void {
    if (this.#closed !== undefined) return;
    if (!this.#stream.writable) this.#gone();
    if (!this.#isFull && this.#queue.isEmpty && this.#hasRoom()) {
      this.#put({ text: `${line}\n`, lines: 1 });
    } else if (this.#isFull || !this.#queue.push(line)) {
      this.#isFull = true;
      this.#dropped[this.#isFailing ? "failed" : "slow"]++;
    }
  }

  /**
   * Opens the target anew, goes over to it between two lines, and ends what was open before, once that has taken what it was given: for files
   * that were renamed to rotate them. Does nothing for a stream that was given.
   *
   * @throws PreforkError `ERR_PREFORK_OUTPUT`: it can't be opened; what was open before is still in use
   */
  reopen(): Promise<void> {
    const reopened = this.#opening.then(() => this.#reopen());
    this.#opening = reopened.catch(() => undefined);
    return reopened;
  }

  /** Lets the output take what waits, and ends it if it was opened here; waits for `closeTimeoutMs`. Later lines are dropped. Never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #reopen(): Promise<void> {
    if (this.#closed !== undefined) return;
    const { target, closeTimeoutMs } = this.#options;
    if (typeof target === "object") return;
    const next = openTarget(target);
    const old = this.#stream;
    if (next === old) return;
    await untilOpen(next, closeTimeoutMs);
    old.off("drain", this.#flush).off("error", this.#failed);
    this.#stream = next;
    this.#listen();
    // Lines stay in order, also if it's the same file.
    this.#isHeld = true;
    await this.#end(old);
    this.#isHeld = false;
    this.#writeNote("failed");
    this.#flush();
  }

  async #close(): Promise<void> {
    await this.#opening;
    const { closeTimeoutMs } = this.#options;
    const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.#flush();
    await within(closeTimeoutMs, idle);
    const lines = this.#linesInHand + this.#queue.clear();
    if (lines > 0) {
      this.#options.onWarning(
        `The workers' output was closed before it had taken the last ${count(lines)}.`,
      );
    }
    await this.#end(this.#stream);
    if (this.#writesInHand === 0) this.#stream.off("error", this.#failed);
    this.#stream.off("drain", this.#flush);
  }

  async #end(stream: Writable): Promise<void> {
    const { target, closeTimeoutMs } = this.#options;
    if (isOpenedHere(target, stream)) await end(stream, closeTimeoutMs);
  }

  #listen(): void {
    this.#stream.on("drain", this.#flush).on("error", this.#failed);
  }

  #hasRoom(): boolean {
    const { writable, writableNeedDrain } = this.#stream;
    return writable && !writableNeedDrain && !this.#isHeld;
  }

  /** Writes what waits, as far as there is room, and then what is to be said about what isn't there. */
  readonly #flush = (): void => {
    while (this.#hasRoom()) {
      const chunk = this.#queue.shift();
      if (chunk === undefined) break;
      this.#put(chunk);
    }
    if (this.#queue.isEmpty && this.#hasRoom()) {
      this.#isFull = false;
      this.#writeNote("slow");
      if (!this.#isFailing) this.#writeNote("failed");
    }
    const isDone = this.#queue.isEmpty && this.#writesInHand === 0;
    if (isDone || !this.#stream.writable) this.#onIdle?.();
  };

  #writeNote(reason: "slow" | "failed"): void {
    const lines = this.#dropped[reason];
    if (lines === 0) return;
    const what = reason === "slow" ? "was too slow" : "failed";
    this.#dropped[reason] = 0;
    // If the note is lost, so is what it stands for.
    this.#put({
      text: `[prefork-dev] ${count(lines)} dropped: the output ${what}\n`,
      lines,
    });
  }

  #put({ text, lines }: Chunk): void {
    const stream = this.#stream;
    let isDone = false;
    const done = (error?: unknown): void => {
      if (isDone) return;
      isDone = true;
      this.#linesInHand -= lines;
      this.#writesInHand--;
      if (error !== undefined && error !== null) {
        this.#dropped.failed += lines;
        if (stream === this.#stream) this.#failed(error);
      } else if (stream === this.#stream) this.#isFailing = false;
      if (this.#writesInHand === 0) this.#flush();
    };
    this.#linesInHand += lines;
    this.#writesInHand++;
    try {
      stream.write(text, done);
    } catch (error) {
      done(error);
    }
  }

  readonly #failed = (error: unknown): void => {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const { retryAfterMs, onWarning } = this.#options;
    this.#retryAt = performance.now() + retryAfterMs;
    onWarning(
      `The workers' output can't be written: ${messageOf(error)}. Its lines are dropped as long as that is so; the server goes on.`,
    );
  };

  /** The stream will never take a line again. */
  #gone(): void {
    this.#failed(new Error("it was closed"));
    if (typeof this.#options.target === "object") {
      this.#dropped.failed += this.#queue.clear();
      this.#isFull = true;
    } else if (!this.#isRetrying && performance.now() >= this.#retryAt) {
      this.#retryAt = performance.now() + this.#options.retryAfterMs;
      this.#isRetrying = true;
      const retried = (): void => void (this.#isRetrying = false);
      this.reopen().then(retried, retried);
    }
  }
}

function count(lines: number): string {
  return lines === 1 ? "1 line" : `${lines} lines`;
}
