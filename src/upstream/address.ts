/** How a front writes down where a worker is. Pure. */
import net from "node:net";
import type { UpstreamServer } from "./types.js";

/** The address to connect to: a wildcard is no destination, its loopback address is. */
export function connectHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "::1";
  return host;
}

/** `127.0.0.1:3001`, `[::1]:3001`. */
export function hostAndPort({ host, port }: UpstreamServer): string {
  const address = connectHost(host);
  return net.isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Two servers with the same key are the same to a front. */
export function serverKey(server: UpstreamServer): string {
  return `${server.worker} ${hostAndPort(server)}`;
}

/** `workers 1, 2 and 3`, for messages. */
export function namesOf(servers: readonly UpstreamServer[]): string {
  const workers = servers.map(({ worker }) => worker);
  const last = workers.pop();
  if (last === undefined) return "no worker";
  return workers.length === 0
    ? `worker ${last}`
    : `workers ${workers.join(", ")} and ${last}`;
}
