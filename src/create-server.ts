/** Makes a {@link DevServer} whose commands are typed by its mixins. */
import type { CommandsOf } from "./commands/commands-of.js";
import type { MixinSource } from "./commands/references.js";
import { DevServer } from "./dev-server.js";
import type { ResolvedProject } from "./manifest/types.js";
import type { ServerOptions } from "./server-options.js";

/**
 * Makes a server for a project. Nothing happens before `start()`.
 *
 * @param project - from `loadProject`
 * @param options - see {@link ServerOptions} for each default. They win over those that the manifest gives as `server`
 */
export function createServer<
  const Mixins extends readonly MixinSource[] = readonly string[],
>(
  project: ResolvedProject,
  options: ServerOptions<Mixins> = {},
): DevServer<CommandsOf<Mixins>> {
  return new DevServer<CommandsOf<Mixins>>(project, options);
}
