/**
 * What went over connections, in bytes, whoever reads and writes them. The sockets count themselves: nothing is done for a
 * request, only when a connection is opened and closed, and when somebody asks.
 */
import type { Socket } from "node:net";

/** All connections of one kind, those that are closed too. */
export class SocketBytes {
  readonly #open = new Set<Socket>();
  #read = 0;
  #written = 0;

  /** Counts from its first byte on. A second call for the same connection does nothing more. */
  add(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => {
      if (!this.#open.delete(socket)) return;
      this.#read += socket.bytesRead;
      this.#written += socket.bytesWritten;
    });
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Received by us. */
  get read(): number {
    let sum = this.#read;
    for (const { bytesRead } of this.#open) sum += bytesRead;
    return sum;
  }

  /** Sent by us. */
  get written(): number {
    let sum = this.#written;
    for (const { bytesWritten } of this.#open) sum += bytesWritten;
    return sum;
  }
}
