/**
 * A listening socket that the master owns and never accepts from. Each process
 * of a worker gets a copy, so the port outlives every one of them.
 *
 * Relied on (Node 20 to 26): `net._createServerHandle(address, port, addressType, fd)`
 * binds and gives Node's internal `TCP` object, or a negative errno; it exists
 * for node:cluster, whose shared handles are made and sent the same way.
 */
import net from "node:net";
import { getSystemErrorName } from "node:util";
import { PreforkError } from "../errors.js";

/** Node's internal `TCP`, as far as it's used here. */
interface TcpHandle {
  close(): void;
  getsockname(out: { address?: string; port?: number }): number;
}

interface NetInternals {
  _createServerHandle(
    address: string,
    port: number,
    addressType: 4 | 6,
    fd: number,
  ): TcpHandle | number;
}

/** A bound socket. `handle` is what `child.send` takes. */
export interface ListeningSocket {
  readonly handle: unknown;
  readonly host: string;
  /** The port bound, also when 0 was asked for. */
  readonly port: number;
  close(): void;
}

/**
 * Binds a TCP socket.
 *
 * @param host - an IP address
 * @param port - 0 takes a free one
 * @throws PreforkError `ERR_PREFORK_PORT`; its `cause` has Node's `code`
 */
export function bindListeningSocket(
  host: string,
  port: number,
): ListeningSocket {
  const internals = net as unknown as NetInternals;
  const handle = internals._createServerHandle(
    host,
    port,
    net.isIPv6(host) ? 6 : 4,
    -1,
  );
  if (typeof handle === "number")
    throw portError(host, port, getSystemErrorName(handle));
  const name: { address?: string; port?: number } = {};
  handle.getsockname(name);
  // libuv puts off EADDRINUSE until listen(), which is never called here: the socket is simply not bound.
  if (port !== 0 && name.port !== port) {
    handle.close();
    throw portError(host, port, "EADDRINUSE");
  }
  return { handle, host, port: name.port ?? port, close: () => handle.close() };
}

function portError(host: string, port: number, code: string): PreforkError {
  const remedies: Record<string, string> = {
    EADDRINUSE:
      "another program listens there; choose other ports with --worker-port, or stop it",
    EACCES:
      "this user may not listen there; choose ports above 1023 with --worker-port",
    EADDRNOTAVAIL:
      "this machine has no such address; choose another with --host",
  };
  const cause = Object.assign(new Error(`bind ${code} ${host}:${port}`), {
    code,
  });
  return new PreforkError(
    "ERR_PREFORK_PORT",
    `can't bind worker port ${port} on ${host} (${code}): ${remedies[code] ?? "choose another with --worker-port"}`,
    { cause },
  );
}
