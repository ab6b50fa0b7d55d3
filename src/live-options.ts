/**
 * The server's options that the manifest gives, while the server runs: saved with other ones, some take effect at once, and for
 * the rest it's said that they need a restart. What the caller gave stays. Part of the composition root.
 */
import { isDeepStrictEqual } from "node:util";
import { messageOf } from "./errors.js";
import type { ServerConfig } from "./manifest/server-config.js";
import { layered } from "./option-layers.js";
import type { OptionLayers } from "./option-layers.js";
import type { Parts } from "./parts.js";
import { resolveServerOptions } from "./server-options.js";
import type { ResolvedServerOptions } from "./server-options.js";

/** The options that take effect while the server runs. docs/manifest.md lists them; a test compares the two. */
export const liveOptions: readonly (keyof ServerConfig)[] = [
  ...(["workers", "standbys", "env"] as const),
  ...([
    "bootTimeoutMs",
    "drainTimeoutMs",
    "stopTimeoutMs",
    "lingerMs",
  ] as const),
  ...(["slowStartMs", "commandTimeoutMs"] as const),
  ...(["concurrency", "maxHeld", "endStreams", "maxDraining"] as const),
  "allowedHosts",
];

/** What an option may have to be told to. */
interface LiveParts {
  readonly master: Pick<Parts["master"], "scale">;
  readonly standbys: Pick<Parts["standbys"], "clear" | "refill">;
  readonly front: Pick<NonNullable<Parts["front"]>, "wake"> | undefined;
}

export interface LiveOptionsOptions {
  readonly layers: OptionLayers;
  /** The options in force; those that are live are changed in place. */
  readonly options: ResolvedServerOptions;
  /** What the manifest said at the start: what isn't live is still so. */
  readonly atStart: ServerConfig;
  readonly parts: LiveParts;
  readonly onWarning: (message: string) => void;
}

/** See this file's header. */
export class LiveOptions {
  readonly #options: LiveOptionsOptions;

  constructor(options: LiveOptionsOptions) {
    this.#options = options;
  }

  /**
   * The manifest was read again.
   *
   * @returns whether processes that run must be replaced for it
   * @throws PreforkError `ERR_PREFORK_OPTION`; nothing has changed then
   */
  async follow(before: ServerConfig, after: ServerConfig): Promise<boolean> {
    const { layers } = this.#options;
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    const changed = [...names].filter((each): each is keyof ServerConfig => {
      const name = each as keyof ServerConfig;
      const isGiven = name !== "env" && layers.given[name] !== undefined;
      return !isGiven && !isDeepStrictEqual(before[name], after[name]);
    });
    if (changed.length === 0) return false;
    const next = await resolveServerOptions(layered(layers, after));
    this.#warnOf(changed, after);
    this.#apply(next);
    if (changed.includes("workers")) this.#scale(next.workers);
    return changed.includes("env");
  }

  #apply(next: ResolvedServerOptions): void {
    const { options, parts } = this.#options;
    const { bootTimeoutMs, drainTimeoutMs, stopTimeoutMs, lingerMs } =
      next.deadlines;
    Object.assign(options.deadlines, {
      ...{ bootTimeoutMs, drainTimeoutMs, stopTimeoutMs, lingerMs },
    });
    options.env = next.env;
    options.allowedHosts = next.allowedHosts;
    options.slowStartMs = next.slowStartMs;
    options.commandTimeoutMs = next.commandTimeoutMs;
    const { concurrency, maxHeld, endStreams, maxDraining } = next;
    Object.assign(options, { concurrency, maxHeld, endStreams, maxDraining });
    // There may be room for what waits.
    parts.front?.wake();
    if (options.standbys === next.standbys) return;
    options.standbys = next.standbys;
    // Which of them are too many is for nobody to say.
    parts.standbys.clear("the manifest has another number of standbys");
    parts.standbys.refill();
  }

  /** The reload doesn't wait for it: a worker more may take long, and is told of by its own events. */
  #scale(workers: number): void {
    const { parts, onWarning } = this.#options;
    parts.master.scale(workers).catch((error: unknown) => {
      onWarning(`server.workers of the manifest: ${messageOf(error)}`);
    });
  }

  #warnOf(changed: readonly (keyof ServerConfig)[], after: ServerConfig): void {
    const { atStart, onWarning } = this.#options;
    const waiting = changed.filter(
      (name) =>
        !liveOptions.includes(name) &&
        !isDeepStrictEqual(atStart[name], after[name]),
    );
    if (waiting.length === 0) return;
    const fields = waiting.map((name) => `server.${name}`).join(", ");
    onWarning(
      `The manifest has changed ${fields}: stop the server and start it again for that to take effect.`,
    );
  }
}
