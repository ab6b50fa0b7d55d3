/** Lines that wait for an output: bounded, in pieces of whole lines. Pure; it knows nothing of streams. */

/** Lines are joined up to this many characters, so that many short lines don't cost many objects and writes. */
const CHUNK_LENGTH = 16 * 1024;

/** Whole lines, each with its line break. */
export interface Chunk {
  readonly text: string;
  readonly lines: number;
}

const nothing: Chunk = { text: "", lines: 0 };

export class LineQueue {
  readonly #maxBytes: number;
  #chunks: Chunk[] = [];
  /** The newest lines, not in `#chunks` yet. */
  #last: Chunk = nothing;
  #bytes = 0;

  /** @param maxBytes - the bound, in bytes of UTF-8 */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Takes a line, without its line break; false if there is no room. */
  push(line: string): boolean {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    const { text, lines } = this.#last;
    this.#last = { text: `${text}${line}\n`, lines: lines + 1 };
    if (this.#last.text.length >= CHUNK_LENGTH) {
      this.#chunks.push(this.#last);
      this.#last = nothing;
    }
    return true;
  }

  /** The oldest lines, some at a time. */
  shift(): Chunk | undefined {
    if (this.isEmpty) return undefined;
    let chunk = this.#chunks.shift();
    if (chunk === undefined) {
      chunk = this.#last;
      this.#last = nothing;
    }
    this.#bytes -= Buffer.byteLength(chunk.text);
    return chunk;
  }

  /** Forgets all, and says how many lines it was. */
  clear(): number {
    const all = [...this.#chunks, this.#last];
    this.#chunks = [];
    this.#last = nothing;
    this.#bytes = 0;
    return all.reduce((sum, { lines }) => sum + lines, 0);
  }
}
