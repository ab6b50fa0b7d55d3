/** The requests in hand, and how they end when the socket closes: what is ready gets out, nothing is waited for that may never be. */
import type { ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";

/** How long an answer that is written may take to get out when the socket closes. */
const FLUSH_TIMEOUT_MS = 1_000;

/** One request. */
export interface Exchange {
  readonly response: ServerResponse;
  /** Is a handler at work? It goes on, whatever the client does, and its answer still gets out. */
  isWorking: boolean;
}

export class Exchanges {
  readonly #open = new Set<Exchange>();

  begin(response: ServerResponse): Exchange {
    const exchange: Exchange = { response, isWorking: false };
    this.#open.add(exchange);
    response.once("close", () => this.#open.delete(exchange));
    return exchange;
  }

  /**
   * Resolves when everything that was answered is out, and the rest is hung up on, but for those whose handler is still at
   * work: one of them may be waiting for the very call that closes the socket.
   */
  async end(): Promise<void> {
    // A handler that has just settled answers within these turns.
    await turn();
    await turn();
    const flushed: Promise<void>[] = [];
    for (const { response, isWorking } of this.#open) {
      if (isWorking) continue;
      // Event streams have sent their headers; what has sent nothing is still being asked.
      if (response.headersSent) {
        flushed.push(closed(response));
        if (!response.writableEnded) response.end();
      } else response.destroy();
    }
    await Promise.all(flushed);
  }
}

/** Hangs up on a reader that doesn't read. */
async function closed(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const deadline = setTimeout(() => response.destroy(), FLUSH_TIMEOUT_MS);
    response.once("close", () => {
      clearTimeout(deadline);
      resolve();
    });
  });
}
