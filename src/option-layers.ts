/** Who says what of the server's options: the caller first, else the manifest, else what the caller falls back on. Pure. */
import type { ServerConfig } from "./manifest/server-config.js";
import type { ServerOptions } from "./server-options.js";

/** What the caller says, above and below the manifest. */
export interface OptionLayers {
  /** Wins over the manifest: what was asked for in so many words. */
  readonly given: ServerOptions;
  /** What the manifest wins over: of the command, what it takes from the environment. */
  readonly fallback: ServerOptions;
}

/** The options in force. Variables for the workers are merged one by one. */
export function layered(
  { given, fallback }: OptionLayers,
  manifest: ServerConfig,
): ServerOptions {
  return {
    ...fallback,
    ...withoutGaps(manifest),
    ...withoutGaps(given),
    env: { ...fallback.env, ...manifest.env, ...given.env },
  };
}

/** Options that say something: one that is there, but `undefined`, says nothing. */
export function withoutGaps<Options extends object>(
  options: Options,
): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  const said = Object.entries(options).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(said) as {
    [Name in keyof Options]?: Exclude<Options[Name], undefined>;
  };
}
