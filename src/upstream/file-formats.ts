/** What the file that `file.ts` writes holds: JSON of our own, or what Envoy reads. Pure. */
import { connectHost } from "./address.js";
import type { UpstreamServer } from "./types.js";

/** `{ "servers": [{ "worker": 0, "host": "127.0.0.1", "port": 3001 }] }` */
export function jsonServers(servers: readonly UpstreamServer[]): string {
  const plain = servers.map(({ worker, host, port }) => ({
    worker,
    host: connectHost(host),
    port,
  }));
  return pretty({ servers: plain });
}

/**
 * A discovery response with the cluster's endpoints, for `path_config_source` of Envoy's `eds_config`. Relied on: Envoy reads the
 * file again when another is renamed to its place,
 * https://www.envoyproxy.io/docs/envoy/latest/start/quick-start/configuration-dynamic-filesystem.
 */
export function envoyEndpoints(
  cluster: string,
  servers: readonly UpstreamServer[],
): string {
  const endpoints = servers.map(({ host, port }) => ({
    endpoint: {
      address: {
        socket_address: { address: connectHost(host), port_value: port },
      },
    },
  }));
  return pretty({
    resources: [
      {
        "@type":
          "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        cluster_name: cluster,
        endpoints: [{ lb_endpoints: endpoints }],
      },
    ],
  });
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
