/** The text of the file that nginx includes. Pure. */
import { hostAndPort } from "./address.js";
import type { UpstreamServer } from "./types.js";

/** What the text depends on besides the servers. */
export interface NginxConfigOptions {
  /** The name of the `upstream` block. */
  readonly upstream: string;
  /** Directives at the start of the block, whole, with their semicolons. */
  readonly settings: readonly string[];
  /** Parameters of each `server`. */
  readonly parameters: string;
}

/**
 * An `upstream` block with these servers. nginx refuses a block without any: with none there is one that is marked down, and nginx
 * answers 502.
 */
export function nginxConfig(
  servers: readonly UpstreamServer[],
  { upstream, settings, parameters }: NginxConfigOptions,
): string {
  const behind = parameters === "" ? "" : ` ${parameters}`;
  const entries = servers.map(
    (server) =>
      `server ${hostAndPort(server)}${behind}; # worker ${server.worker}`,
  );
  const none = ["server 127.0.0.1:1 down; # no worker serves"];
  const block = [...settings, ...(entries.length === 0 ? none : entries)];
  return [
    "# Written by prefork-dev as its workers come and go: what you change here is lost.",
    `upstream ${upstream} {`,
    ...block.map((line) => `    ${line}`),
    "}",
    "",
  ].join("\n");
}
