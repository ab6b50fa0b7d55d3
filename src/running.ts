/** All that runs for a server once it was started, opened in the right order. Part of the composition root, made by `dev-server.ts`. */
import process from "node:process";
import type { ControlHandlers } from "./control/types.js";
import { Definition } from "./definition.js";
import { Generations } from "./generations.js";
import { LiveOptions } from "./live-options.js";
import type { ResolvedProject } from "./manifest/types.js";
import { Mechanisms } from "./mechanisms.js";
import { openParts } from "./parts.js";
import type { Parts, PartsListeners } from "./parts.js";
import { Reloader } from "./reloader.js";
import type { ReloaderOptions } from "./reloader.js";
import { ReloadNumbers } from "./reload-numbers.js";
import { layered } from "./option-layers.js";
import type { OptionLayers } from "./option-layers.js";
import { resolveServerOptions } from "./server-options.js";
import { withMixins } from "./commands/references.js";

/** What runs tells. */
export interface RunningListeners
  extends
    PartsListeners,
    Pick<ReloaderOptions, "onBuilt" | "onBegin" | "onOutcome"> {}

/** What runs. */
export interface Running {
  readonly parts: Parts;
  readonly reloader: Reloader;
  readonly generations: Generations;
  readonly mechanisms: Mechanisms;
  /** How reloads ended. */
  readonly reloads: ReloadNumbers;
}

/**
 * Opens everything.
 *
 * @param layers - what the caller says of the options; the manifest says the rest
 * @param handlers - what the control socket's requests mean, if there is one
 * @throws PreforkError as `DevServer.start`; nothing stays open then
 */
export async function openRunning(
  own: ResolvedProject,
  layers: OptionLayers,
  listeners: RunningListeners,
  handlers: (running: Running) => ControlHandlers,
): Promise<Running> {
  const options = await resolveServerOptions(layered(layers, own.server));
  const project = withMixins(own, options.mixins);
  const mechanisms = new Mechanisms(options, listeners.onWarning);
  let parts: Parts | undefined;
  try {
    await mechanisms.open();
    const generations = new Generations(options, process.env);
    parts = await openParts(project, options, generations, {
      ...listeners,
      onOutput: (line) => {
        mechanisms.write(line);
        listeners.onOutput(line);
      },
    });
    const { onWarning } = listeners;
    const atStart = project.server;
    const live = new LiveOptions({
      ...{ layers, options, atStart, parts, onWarning },
    });
    const { mixins } = options;
    const loaded = own;
    const definition = new Definition({ loaded, project, mixins, live });
    const reloads = new ReloadNumbers();
    const reloader = new Reloader({
      ...{ ...listeners, definition, parts, generations },
      onOutcome: (outcome) => {
        reloads.add(outcome);
        listeners.onOutcome(outcome);
      },
    });
    const running = { parts, reloader, generations, mechanisms, reloads };
    await mechanisms.control(project, handlers(running));
    mechanisms.entrust(parts.guard);
    return running;
  } catch (error) {
    await parts?.kill();
    await mechanisms.close();
    throw error;
  }
}
