/** Binding the public port, on one address or on two of the same machine, with errors that say which and what to do. */
import net from "node:net";
import type { Server, Socket } from "node:net";

import { PreforkError, messageOf, systemErrorCode } from "../errors.js";
import type { FrontAddress } from "./types.js";

/** How often the system is asked for a port that is free on both addresses. */
const MOST_TRIES = 20;

/** How connections are accepted: as Node's own servers of HTTP have it. */
export const ACCEPTED = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
} as const;

/** Where to listen. */
export interface Place {
  readonly host: string;
  /** 0: any free one, the same on both addresses. */
  readonly port: number;
  /** What its URL begins with. Default `http`. */
  readonly scheme?: "http" | "https";
  /** An address to listen on as well, if this machine has it. */
  readonly twinHost?: string | undefined;
}

/** What listens. */
export interface Listening {
  readonly address: FrontAddress;
  /** Accepts no more. Fulfils when its connections are closed. */
  close(): Promise<void>;
}

/**
 * Listens.
 *
 * @param server - gets the connections of both addresses
 * @throws PreforkError `ERR_PREFORK_PORT`: one of the two can't be had; on neither is listened then
 */
export async function listen(server: Server, place: Place): Promise<Listening> {
  const { host, port, scheme = "http", twinHost } = place;
  for (let tries = 1; ; tries++) {
    const bound = await bind(server, host, port);
    const listening = (twin: Server | undefined): Listening => ({
      address: {
        host,
        port: bound,
        hosts:
          twin === undefined || twinHost === undefined
            ? [host]
            : [host, twinHost],
        url: `${scheme}://${urlHost(host)}:${bound}`,
      },
      close: async () => {
        await Promise.all([close(server), twin && close(twin)]);
      },
    });
    if (twinHost === undefined) return listening(undefined);
    const twin = twinOf(server);
    try {
      await bind(twin, twinHost, bound);
      return listening(twin);
    } catch (error) {
      const code = systemErrorCode(causeOf(error));
      if (code !== "EADDRINUSE") return listening(undefined);
      // A port that somebody asked for must be ours on both: else half of the clients would get another program.
      await close(server);
      if (port !== 0 || tries >= MOST_TRIES) throw error;
    }
  }
}

/** A listener for another address. Node's servers have but one; they take connections from others (`connection`, documented). */
function twinOf(server: Server): Server {
  return net.createServer(ACCEPTED, (socket: Socket) => {
    server.emit("connection", socket);
  });
}

/** @returns the port */
async function bind(
  server: Server,
  host: string,
  port: number,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error): void => {
      reject(portError(error, host, port));
    };
    server.once("error", onError);
    server.listen({ host, port }, () => {
      server.off("error", onError);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    // The error says that it wasn't listening, which is as well.
    server.close(() => resolve());
  });
}

/** The host part of a URL that reaches what listens on this address. */
export function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function portError(error: Error, host: string, port: number): PreforkError {
  return new PreforkError(
    "ERR_PREFORK_PORT",
    `The front can't listen on port ${port} of ${host}: ${remedy(error)}`,
    { cause: error },
  );
}

function remedy(error: Error): string {
  switch (systemErrorCode(error)) {
    case "EADDRINUSE":
      return "another program listens there. Stop it, or choose another port with --port (0 picks a free one).";
    case "EACCES":
      return "it takes more rights than you have. Choose a port above 1023 with --port.";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this machine has no such address. Give one of its own with --host, such as 127.0.0.1.";
    case undefined:
    default:
      return `${messageOf(error)}. Choose another --port or --host.`;
  }
}
