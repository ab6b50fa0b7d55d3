/** Binding the public port, with errors that say what to do. */
import type { Server } from "node:net";

import { PreforkError, messageOf, systemErrorCode } from "../errors.js";
import type { FrontAddress } from "./types.js";

/**
 * Listens.
 *
 * @throws PreforkError `ERR_PREFORK_PORT`
 */
export async function listen(
  server: Server,
  host: string,
  port: number,
  scheme: "http" | "https",
): Promise<FrontAddress> {
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
  const bound =
    typeof address === "object" && address !== null ? address.port : port;
  return {
    host,
    port: bound,
    url: `${scheme}://${urlHost(host)}:${bound}`,
  };
}

/** The host part of a URL that reaches what listens on this address. */
export function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
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
