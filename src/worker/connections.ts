/**
 * The connections of the adopted server: who is in the middle of something,
 * and how each is let go. Direct connections came through the worker's own
 * port, injected ones from the front, which counts its leases itself.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";

/** An unmasked, final close frame with status 1001, "going away" (RFC 6455, 5.5.1 and 7.4.1). */
const WEBSOCKET_GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/** How long clients have to close what was ended. Those that are alive take some milliseconds. */
const CLOSING_MS = 800;

/**
 * Is this a stream of server-sent events? `getHeader()` knows nothing of
 * headers that were given to `writeHead()` alone, so the head as it was sent is
 * looked at (`_header`, Node 0.1 to 26).
 */
function isEventStream(response: ServerResponse): boolean {
  const { _header: head } = response as { _header?: unknown };
  return (
    typeof head === "string" &&
    /^content-type: *text\/event-stream/im.test(head)
  );
}

interface Direct {
  /** Requests whose response isn't finished, and upgrades. */
  active: number;
  linger: NodeJS.Timeout | undefined;
}

export class Connections {
  readonly #injected = new WeakSet<Socket>();
  readonly #direct = new Map<Socket, Direct>();
  readonly #responses = new Set<ServerResponse>();
  readonly #webSockets = new Set<Socket>();
  readonly #upgraded = new Set<Socket>();
  #draining: { lingerMs: number; done: () => void } | undefined;

  /**
   * Observes a server's events. `emit` is wrapped and no listener added:
   * a listener for `upgrade` or `checkContinue` would change what Node does.
   */
  observe(server: Server): void {
    const emit = server.emit.bind(server) as (
      event: string,
      ...args: unknown[]
    ) => boolean;
    server.emit = (event: string, ...args: unknown[]): boolean => {
      this.#observed(event, args);
      return emit(event, ...args);
    };
  }

  /** Gives a connection of the front to the server as if it had accepted it. */
  inject(server: Server, socket: Socket, localPort: number): void {
    this.#injected.add(socket);
    // A Unix socket has no addresses; apps log and rate-limit by them.
    Object.defineProperties(socket, {
      remoteAddress: { value: "127.0.0.1", configurable: true },
      remoteFamily: { value: "IPv4", configurable: true },
      remotePort: { value: 0, configurable: true },
      localAddress: { value: "127.0.0.1", configurable: true },
      localPort: { value: localPort, configurable: true },
    });
    server.emit("connection", socket);
  }

  #observed(event: string, args: unknown[]): void {
    switch (event) {
      case "connection":
      case "secureConnection":
        this.#connected(args[0] as Socket);
        return;
      case "request":
      case "checkContinue":
      case "checkExpectation": {
        const [request, response] = args as [IncomingMessage, ServerResponse];
        this.#requested(request.socket, response);
        return;
      }
      case "upgrade":
      case "connect": {
        const [request, socket] = args as [IncomingMessage, Socket];
        this.#switched(request, socket);
      }
    }
  }

  #connected(socket: Socket): void {
    // A TLS socket over an injected one has no remote address of its own.
    if (this.#injected.has(socket) || socket.remoteAddress === undefined)
      return;
    const direct: Direct = { active: 0, linger: undefined };
    this.#direct.set(socket, direct);
    socket.once("close", () => {
      clearTimeout(direct.linger);
      this.#direct.delete(socket);
      this.#settle();
    });
    if (this.#draining !== undefined) this.#linger(socket, direct);
  }

  #requested(socket: Socket, response: ServerResponse): void {
    if (this.#responses.has(response)) return;
    this.#responses.add(response);
    const direct = this.#direct.get(socket);
    if (direct !== undefined) {
      direct.active++;
      clearTimeout(direct.linger);
      if (this.#draining !== undefined) response.shouldKeepAlive = false;
    }
    response.once("close", () => {
      this.#responses.delete(response);
      if (direct === undefined) return;
      direct.active--;
      if (this.#draining !== undefined && direct.active === 0)
        this.#linger(socket, direct);
    });
  }

  #switched(request: IncomingMessage, socket: Socket): void {
    this.#upgraded.add(socket);
    if (request.headers.upgrade?.toLowerCase() === "websocket")
      this.#webSockets.add(socket);
    const direct = this.#direct.get(socket);
    if (direct !== undefined) {
      direct.active++;
      clearTimeout(direct.linger);
    }
    socket.once("close", () => {
      this.#upgraded.delete(socket);
      this.#webSockets.delete(socket);
    });
  }

  /**
   * Lets go of direct connections without losing a request: answers carry
   * `Connection: close` from now on; a connection on which nothing comes for
   * `lingerMs` is ended (ending it at once would race with a client that is just sending).
   *
   * @param done - called once, when no direct connection is left
   */
  drain(lingerMs: number, done: () => void): void {
    this.#draining = { lingerMs, done };
    for (const response of this.#responses) {
      if (!response.headersSent && this.#direct.has(response.req.socket)) {
        response.shouldKeepAlive = false;
      }
    }
    for (const [socket, direct] of this.#direct) {
      if (direct.active === 0) this.#linger(socket, direct);
    }
    this.#settle();
  }

  #linger(socket: Socket, direct: Direct): void {
    clearTimeout(direct.linger);
    direct.linger = setTimeout(
      () => socket.end(),
      this.#draining?.lingerMs ?? 0,
    );
  }

  #settle(): void {
    if (this.#draining === undefined || this.#direct.size > 0) return;
    this.#draining.done();
    this.#draining = undefined;
  }

  /**
   * The drain deadline has passed: ends event streams, tells WebSockets to go away, ends other upgraded sockets.
   *
   * @param done - called once, when all of them are closed, or {@link CLOSING_MS} have passed
   */
  finish(done: () => void): void {
    const ending: (ServerResponse | Socket)[] = [];
    for (const response of this.#responses) {
      if (!isEventStream(response)) continue;
      response.end();
      ending.push(response);
    }
    for (const socket of this.#upgraded) {
      ending.push(socket);
      // It may have been told before, or end by itself.
      if (!socket.writable) continue;
      if (this.#webSockets.has(socket)) sayGoingAway(socket);
      else socket.end();
    }
    // What was written above leaves with this turn of the loop; what the client has yet to say should find someone who listens:
    // a process that exits resets the connection, and the client may never read why.
    setImmediate(whenClosed, ending, done);
  }
}

function whenClosed(
  ending: readonly (ServerResponse | Socket)[],
  done: () => void,
): void {
  const open = new Set(ending.filter(({ closed }) => !closed));
  const timer = setTimeout(done, CLOSING_MS);
  const settle = (): void => {
    if (open.size > 0) return;
    clearTimeout(timer);
    done();
  };
  for (const each of open) {
    each.once("close", () => {
      open.delete(each);
      settle();
    });
  }
  settle();
}

/** The last that is said on a WebSocket. An app that goes on talking would get an error for it, and end the connection with a reset. */
function sayGoingAway(socket: Socket): void {
  socket.write(WEBSOCKET_GOING_AWAY);
  socket.end();
  socket.write = (_chunk: unknown, ...rest: unknown[]): boolean => {
    const callback = rest.at(-1);
    if (typeof callback === "function") process.nextTick(callback);
    return true;
  };
}
