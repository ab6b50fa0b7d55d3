/** The clients' connections: what each has in hand, one request at a time, and how they end. */
import type { Socket } from "node:net";

/** What a connection is busy with. */
export interface ConnectionUse {
  /** @param onDone - to be called when the connection is free for what comes next */
  start(onDone: () => void): void;
  /** The connection is closed. May be called for what is done, or never began. */
  clientGone(): void;
}

interface Connection {
  current: ConnectionUse | undefined;
  /** Pipelined requests. They go one after another: the next may depend on what this one does (RFC 9112 section 9.3.2). */
  readonly next: ConnectionUse[];
  /** Has it carried a request? */
  used: boolean;
}

/** All of a front's connections. */
export class Connections {
  readonly #all = new Map<Socket, Connection>();
  #closing = false;
  #onEmpty: (() => void) | undefined;

  /** Is there none? */
  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** Known from here on, until it is closed. A second call for the same socket does nothing. */
  add(socket: Socket): void {
    if (this.#all.has(socket)) return;
    const connection: Connection = {
      current: undefined,
      next: [],
      used: false,
    };
    this.#all.set(socket, connection);
    // Node's own listener is gone once a connection is upgraded.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#all.delete(socket);
      connection.current?.clientGone();
      for (const use of connection.next.splice(0)) use.clientGone();
      if (this.#all.size === 0) this.#onEmpty?.();
    });
  }

  /** Starts, when what came before on the same connection is done. */
  use(socket: Socket, use: ConnectionUse): void {
    const connection = this.#all.get(socket);
    if (connection === undefined) return;
    connection.used = true;
    if (connection.current === undefined) this.#start(socket, connection, use);
    else connection.next.push(use);
  }

  #start(socket: Socket, connection: Connection, use: ConnectionUse): void {
    connection.current = use;
    use.start(() => {
      if (connection.current !== use) return;
      connection.current = undefined;
      // The close event tells those that come next.
      if (socket.destroyed) return;
      const next = connection.next.shift();
      if (next !== undefined) this.#start(socket, connection, next);
      else if (this.#closing) socket.destroySoon();
    });
  }

  /**
   * From now on a connection is closed as soon as it has nothing in hand. One that is so
   * new that its request hasn't come yet is given `graceMs` for it.
   *
   * @returns resolved when all are closed
   */
  async drain(graceMs: number): Promise<void> {
    this.#closing = true;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    if (this.#all.size === 0) return;
    // What has arrived, but was not read yet, is still served: one turn of the loop reads it.
    await new Promise<void>((resolve) => {
      setImmediate(() => setImmediate(resolve));
    });
    this.#closeIdle(({ used }) => used);
    const timer = setTimeout(() => this.#closeIdle(() => true), graceMs);
    await empty;
    clearTimeout(timer);
  }

  #closeIdle(among: (connection: Connection) => boolean): void {
    for (const [socket, connection] of this.#all) {
      if (connection.current === undefined && among(connection))
        socket.destroySoon();
    }
  }

  /** Closes every connection at once. */
  destroy(): void {
    for (const socket of this.#all.keys()) socket.destroy();
  }
}
