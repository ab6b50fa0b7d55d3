/** Runs at most so many asynchronous tasks at a time, in the order given. */
export class Limit {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(concurrent: number) {
    this.#free = concurrent;
  }

  /** Runs a task when its turn comes. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      // The place goes straight to the next in line, or back.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
