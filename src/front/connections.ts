/** The clients' connections: what each has in hand, one request at a time, and how they end. */
import type { Socket } from "node:net";

import { SocketBytes } from "./numbers/socket-bytes.js";

/** So many pipelined requests may wait for their turn on one connection. Each takes some KiB, for the 20 bytes that it was sent in. */
const MAX_PIPELINED = 1_000;

/** What a connection is busy with. */
export interface ConnectionUse {
  /** @param onDone - to be called when the connection is free for what comes next */
  start(onDone: () => void): void;
  /** The connection is closed. May be called for what is done, or never began. */
  clientGone(): void;
  /**
   * What the client sends can't be read from here on.
   *
   * @returns `received`: what this use is about had arrived before, and it goes on; `dropped`: it hadn't, so it's
   * given up, and nothing was said; `cut`: given up in the middle of its answer
   */
  breakOff(): "received" | "dropped" | "cut";
  /** The connection takes more again. Only called once Node's server has let go of the connection, and says so no more. */
  drained(): void;
}

interface Connection {
  current: ConnectionUse | undefined;
  /** Pipelined requests. They go one after another: the next may depend on what this one does (RFC 9112 section 9.3.2). */
  readonly next: ConnectionUse[];
  /** Has it carried a request? */
  used: boolean;
  /** Whether nothing that still comes is looked at. */
  over: boolean;
  /** See {@link Connections.takeOver}. */
  takenOver: boolean;
}

/** All of a front's connections. */
export class Connections {
  readonly #all = new Map<Socket, Connection>();
  readonly bytes: SocketBytes = new SocketBytes();
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
      over: false,
      takenOver: false,
    };
    this.#all.set(socket, connection);
    this.bytes.add(socket);
    // Node's own listener is gone once a connection is upgraded.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#all.delete(socket);
      connection.current?.clientGone();
      for (const use of connection.next.splice(0)) use.clientGone();
      if (this.#all.size === 0) this.#onEmpty?.();
    });
  }

  /**
   * Starts, when what came before on the same connection is done.
   *
   * @param isLast - nothing that comes after it is looked at
   */
  use(socket: Socket, use: ConnectionUse, isLast = false): void {
    const connection = this.#all.get(socket);
    if (connection === undefined || connection.over) return;
    connection.used = true;
    connection.over = isLast;
    if (connection.current === undefined) this.#start(socket, connection, use);
    else if (connection.next.length < MAX_PIPELINED) connection.next.push(use);
    else {
      // No client that waits for answers does this. Node reads on, whatever waits, so there's no other way to stop it.
      connection.over = true;
      socket.destroy();
    }
  }

  /**
   * What the client sends can't be read from here on: what had arrived whole is done, what hadn't is given up, and then
   * comes `last`, unless the client is in the middle of an answer.
   *
   * @returns whether `last` has its turn
   */
  breakOff(socket: Socket, last: ConnectionUse): boolean {
    const connection = this.#all.get(socket);
    if (connection?.over === true) return false;
    const newest = connection?.next.at(-1) ?? connection?.current;
    const outcome = newest?.breakOff() ?? "received";
    if (connection === undefined || outcome === "cut") {
      socket.destroy();
      return false;
    }
    if (outcome === "dropped") {
      if (connection.next.pop() === undefined) connection.current = undefined;
    }
    this.use(socket, last, true);
    return true;
  }

  /**
   * Node's server has let go of a connection, for the sake of an upgrade or CONNECT: answers that it still has to carry hear from
   * here on from us that it has drained.
   */
  takeOver(socket: Socket): void {
    const connection = this.#all.get(socket);
    if (connection === undefined || connection.takenOver) return;
    connection.takenOver = true;
    socket.on("drain", () => connection.current?.drained());
  }

  /** Whether nothing that still comes on a connection is looked at. */
  isOver(socket: Socket): boolean {
    return this.#all.get(socket)?.over ?? true;
  }

  #start(socket: Socket, connection: Connection, use: ConnectionUse): void {
    connection.current = use;
    use.start(() => {
      if (connection.current !== use) return;
      connection.current = undefined;
      // The close event tells those that come next.
      if (socket.destroyed) return;
      // The answer said that it is the last: what was sent after it must have no effect (RFC 9112 section 9.6).
      if (socket.writableEnded) {
        connection.over = true;
        for (const dropped of connection.next.splice(0)) dropped.clientGone();
        return;
      }
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
