/** Reads the answer to HAProxy's `show servers state`, and says what has to be done. Pure. */
import { hostAndPort } from "./address.js";
import type { UpstreamServer } from "./types.js";

/** A server as HAProxy has it. */
export interface RuntimeServer {
  readonly name: string;
  /** Does it get no new requests at all? */
  readonly isInMaintenance: boolean;
  /** Does it get only requests that are bound to it (a cookie)? */
  readonly isDraining: boolean;
}

// https://docs.haproxy.org/2.6/management.html, "show servers state", srv_admin_state: set by a command, inherited, set in the
// configuration, for want of an address, for want of a name.
const MAINTENANCE = 0x01 | 0x02 | 0x04 | 0x20 | 0x40;
const DRAIN = 0x08 | 0x10;
const COLUMNS = ["srv_name", "srv_admin_state"] as const;

/** Parses format 1 of `show servers state`; `undefined` when it is something else, such as an error. */
export function serversState(
  answer: string,
): readonly RuntimeServer[] | undefined {
  const [version, header = "", ...rows] = answer.split("\n");
  if (version !== "1" || !header.startsWith("# ")) return undefined;
  const titles = header.slice(2).trim().split(" ");
  const [nameAt = -1, stateAt = -1] = COLUMNS.map((title) =>
    titles.indexOf(title),
  );
  if (nameAt === -1 || stateAt === -1) return undefined;
  const servers: RuntimeServer[] = [];
  for (const row of rows) {
    if (row.trim() === "") continue;
    const cells = row.trim().split(" ");
    const name = cells[nameAt];
    const state = cells[stateAt] ?? "";
    if (name === undefined || !/^\d+$/.test(state)) return undefined;
    servers.push({
      name,
      isInMaintenance: (Number(state) & MAINTENANCE) !== 0,
      isDraining: (Number(state) & DRAIN) !== 0,
    });
  }
  return servers;
}

/**
 * What a worker is called in HAProxy. The address is part of it, so that a worker that comes back with another port isn't taken
 * for the one that still has connections.
 */
export function serverName(server: UpstreamServer): string {
  const address = hostAndPort(server).replaceAll(/[[\]]/g, "");
  return `worker-${server.worker}_${address}`;
}

/** Is a server one of ours? All others in the backend are left alone. */
function isOurs({ name }: RuntimeServer): boolean {
  return /^worker-\d+_/.test(name);
}

/** What has to be done, in this order. */
export interface HaproxyPlan {
  readonly add: readonly UpstreamServer[];
  /** By name. Those that are added become ready, too. */
  readonly ready: readonly string[];
  readonly maintain: readonly string[];
  /** In maintenance, and not wanted: may have connections. */
  readonly delete: readonly string[];
}

/** From what HAProxy has to what it should have. */
export function planHaproxy(
  current: readonly RuntimeServer[],
  wanted: readonly UpstreamServer[],
): HaproxyPlan {
  const names = new Set(wanted.map(serverName));
  const there = new Map(current.map((server) => [server.name, server]));
  const unwanted = current.filter(
    (server) => isOurs(server) && !names.has(server.name),
  );
  return {
    add: wanted.filter((server) => !there.has(serverName(server))),
    ready: [...names].filter((name) => {
      const server = there.get(name);
      return (
        server === undefined || server.isInMaintenance || server.isDraining
      );
    }),
    maintain: unwanted
      .filter((server) => !server.isInMaintenance)
      .map(({ name }) => name),
    delete: unwanted.map(({ name }) => name),
  };
}
