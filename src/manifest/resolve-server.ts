/** A manifest's server options with the paths in them made absolute. Pure. */
import path from "node:path";
import { isServerField, serverFields } from "./server-fields.js";
import type { ServerConfig } from "./server-config.js";

/** @param root - the manifest's directory */
export function resolveServer(
  config: ServerConfig,
  root: string,
): ServerConfig {
  const resolved = Object.entries(config).map(
    ([name, value]: [string, unknown]) => {
      const isPath =
        isServerField(name) &&
        serverFields[name].kind === "path" &&
        typeof value === "string";
      return [name, isPath ? path.resolve(root, value) : value];
    },
  );
  return Object.fromEntries(resolved) as ServerConfig;
}
