/**
 * The caller's own sources in the server's event loop: a fifo that commands come through, a socket, a server of its own. A handler is
 * told when there is something to read; it reads what it likes, when it likes. Streams do the waiting, so nothing spins.
 */
import { messageOf } from "../errors.js";
import { IoCalls, type IoHandler } from "./io-calls.js";
import { attach, type IoSource } from "./io-sources.js";

export class IoHandlers {
  readonly #onWarning: (message: string) => void;
  readonly #removers = new Set<() => void>();

  /** @param options - `onWarning` is told of handlers that throw or reject */
  constructor(options: { readonly onWarning: (message: string) => void }) {
    this.#onWarning = options.onWarning;
  }

  /**
   * Calls a handler when a source has something to read or a connection, has failed or ended; never within this call, and never
   * while its last call is under way: what arrives meanwhile makes one call more. What a handler leaves unread doesn't make calls; new data does, and, once,
   * the end behind what is unread. `end`, or the `error` that ended the source, is the last call. A handler that throws or rejects stays.
   *
   * @param source - of a stream, this must be the only reader (no `data` listener, no `pipe`). A descriptor is handed over for good: it
   * is closed when it ends, or when the handler is removed
   * @param handler - reads with `event.source.read()`; it needn't read all
   * @returns removes the handler: it isn't called any more. The source stays open, unless it was a descriptor
   * @throws PreforkError `ERR_PREFORK_OPTION` for a source that can't be waited for
   */
  add(source: IoSource, handler: IoHandler): () => void {
    const calls = new IoCalls(handler, (error, event) => {
      this.#onWarning(
        `An io handler failed at "${event.kind}": ${messageOf(error)}. It stays registered.`,
      );
      if (event.kind === "connection") attached.abandon(event.socket);
    });
    const attached = attach(source, (event, isLast) => {
      if (isLast) this.#removers.delete(remove);
      calls.push(event);
    });
    const remove = (): void => {
      this.#removers.delete(remove);
      attached.detach();
      for (const event of calls.stop()) {
        if (event.kind === "connection") attached.abandon(event.socket);
      }
    };
    this.#removers.add(remove);
    return remove;
  }

  /** Removes all handlers, as the functions that {@link IoHandlers.add} returned do. */
  closeAll(): void {
    for (const remove of this.#removers) remove();
  }
}
