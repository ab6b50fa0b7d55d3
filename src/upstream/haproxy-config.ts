/** The text of the configuration file that HAProxy reads when it starts. Pure. */
import { hostAndPort } from "./address.js";
import { serverName } from "./haproxy-state.js";
import type { UpstreamServer } from "./types.js";

/** What the text depends on besides the servers. */
export interface HaproxyConfigOptions {
  readonly backend: string;
  /** Lines of the section. */
  readonly settings: readonly string[];
  /** Parameters of each `server`. */
  readonly parameters: string;
}

/** A `backend` section with these servers; without any HAProxy answers 503. */
export function haproxyConfig(
  servers: readonly UpstreamServer[],
  { backend, settings, parameters }: HaproxyConfigOptions,
): string {
  const behind = parameters === "" ? "" : ` ${parameters}`;
  const entries = servers.map(
    (server) => `server ${serverName(server)} ${hostAndPort(server)}${behind}`,
  );
  return [
    "# Written by prefork-dev as its workers come and go: what you change here is lost.",
    `backend ${backend}`,
    ...[...settings, ...entries].map((line) => `    ${line}`),
    "",
  ].join("\n");
}
