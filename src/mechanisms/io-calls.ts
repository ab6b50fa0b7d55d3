/** Calls of one io handler: one at a time, and none that would have nothing to do. */
import type net from "node:net";
import type { Readable } from "node:stream";

/**
 * What happened to a source. `readable`: data arrived; read from `source` with `read()`. `connection`: a server accepted
 * one. `end`: nothing will come any more. `error`: what Node says.
 */
export type IoEvent =
  | { readonly kind: "readable"; readonly source: Readable }
  | { readonly kind: "connection"; readonly socket: net.Socket }
  | { readonly kind: "end" }
  | { readonly kind: "error"; readonly error: Error };

/** Is called with each event of a source, never while a call of it is under way: its promise is waited for. */
export type IoHandler = (event: IoEvent) => void | Promise<void>;

export class IoCalls {
  readonly #handler: IoHandler;
  readonly #onFailure: (error: unknown, event: IoEvent) => void;
  #waiting: IoEvent[] = [];
  #isCalling = false;
  #isStopped = false;

  constructor(
    handler: IoHandler,
    onFailure: (error: unknown, event: IoEvent) => void,
  ) {
    this.#handler = handler;
    this.#onFailure = onFailure;
  }

  /** Calls the handler, now or when the call under way is over. Readable events that wait become one. */
  push(event: IoEvent): void {
    if (this.#isStopped) return;
    const isKnown =
      event.kind === "readable" &&
      this.#waiting.some(({ kind }) => kind === "readable");
    if (!isKnown) this.#waiting.push(event);
    if (!this.#isCalling) void this.#callAll();
  }

  /** Calls no more, and gives back the events that nobody will be told of. */
  stop(): readonly IoEvent[] {
    this.#isStopped = true;
    return this.#waiting.splice(0);
  }

  async #callAll(): Promise<void> {
    this.#isCalling = true;
    for (;;) {
      const event = this.#waiting.shift();
      if (event === undefined) break;
      // The call before may have read it all.
      if (event.kind === "readable" && nudgeIfEmpty(event.source)) continue;
      try {
        await this.#handler(event);
      } catch (error) {
        this.#onFailure(error, event);
      }
      if (event.kind === "readable") nudgeIfEmpty(event.source);
    }
    this.#isCalling = false;
  }
}

/**
 * A stream whose data was read to the last byte says that it has ended only when it's asked once more. With data left, that must not be
 * done: it would say at once that there is something to read, again and again.
 */
function nudgeIfEmpty(source: Readable): boolean {
  if (source.readableLength > 0) return false;
  source.read(0);
  return true;
}
