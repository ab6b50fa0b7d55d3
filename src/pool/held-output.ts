/** A process's output: held while it belongs to no worker, passed on line by line from then on. */
import type { ChildProcess } from "node:child_process";
import { readLines } from "./output-lines.js";
import type { OutputLine } from "./types.js";

/** The last lines of stderr, kept to explain an end that the process itself couldn't explain. */
const LAST_WORDS = 12;

/** More than this isn't held; a banner is shorter. */
const MOST_HELD = 1_000;

type HeldLine = Omit<OutputLine, "worker">;

export class HeldOutput {
  /** The last lines of stderr. */
  readonly lastWords: string[] = [];
  readonly #onOutput: (line: OutputLine) => void;
  #held: HeldLine[] = [];
  #worker: number | undefined;

  constructor(
    child: ChildProcess,
    pid: number,
    onOutput: (line: OutputLine) => void,
  ) {
    this.#onOutput = onOutput;
    for (const stream of ["stdout", "stderr"] as const) {
      const readable = child[stream];
      if (readable === null) continue;
      readLines(readable, (line) => this.#line({ pid, stream, line }));
    }
  }

  /** Passes on what was held, and everything from now on. */
  release(worker: number): void {
    this.#worker = worker;
    for (const line of this.#held) this.#onOutput({ worker, ...line });
    this.#held = [];
  }

  #line(line: HeldLine): void {
    if (line.stream === "stderr") {
      this.lastWords.push(line.line);
      if (this.lastWords.length > LAST_WORDS) this.lastWords.shift();
    }
    if (this.#worker !== undefined)
      this.#onOutput({ worker: this.#worker, ...line });
    else if (this.#held.length < MOST_HELD) this.#held.push(line);
  }
}
