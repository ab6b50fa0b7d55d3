/** From a project to the control socket of the master that runs for it. For clients: it makes nothing, and deletes nothing. */
import fs from "node:fs/promises";
import { basename, join } from "node:path";
import { PreforkError } from "../errors.js";
import { ControlClient } from "./control-client.js";
import {
  isSocketOf,
  ownSurroundings,
  searchedDirectories,
  socketName,
} from "./control-path.js";
import type { Surroundings } from "./control-path.js";
import { isOwnDirectory } from "./own-directory.js";
import { probe } from "./probe.js";

/** How long a master may take to say who it is, for the list of those that run. */
const INTRODUCTION_TIMEOUT_MS = 2_000;

/**
 * Finds the control socket of the master that runs for a project.
 *
 * @param root - the project's root, absolute and real
 * @param target - its manifest (with `#<name>` behind it where that has several projects), or its entry if it has none,
 *   absolute and real; `undefined`: any, if there's but one
 * @returns the path of a socket that somebody listens on
 * @throws PreforkError `ERR_PREFORK_NO_MASTER` - there is none
 * @throws PreforkError `ERR_PREFORK_USAGE` - there are several, which the message lists
 */
export async function findControlSocket(
  root: string,
  target: string | undefined,
  place: Surroundings = ownSurroundings(),
): Promise<string> {
  const live = await liveSockets(root, place);
  const wanted =
    target === undefined
      ? live
      : live.filter((path) => basename(path) === socketName(root, target));
  const [only, ...others] = wanted;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined)
    throw new PreforkError(
      "ERR_PREFORK_USAGE",
      `Several servers run in ${root}:\n${await introduce(wanted)}\nName one with --project <target>.`,
    );
  const running =
    live.length === 0
      ? ""
      : `\nBesides, these run in ${root}; name one with --project <target>:\n${await introduce(live)}`;
  throw new PreforkError(
    "ERR_PREFORK_NO_MASTER",
    `No server runs for ${target ?? root}. Start one with "prefork-dev [target]".${running}`,
  );
}

async function liveSockets(
  root: string,
  place: Surroundings,
): Promise<string[]> {
  const found: string[] = [];
  for (const directory of searchedDirectories(place)) {
    // In somebody else's, anyone could pose as the server.
    if (!(await isOwnDirectory(directory))) continue;
    const names = await fs.readdir(directory).catch((): string[] => []);
    for (const name of names.sort()) {
      const path = join(directory, name);
      if (isSocketOf(root, name) && (await probe(path)) === "live")
        found.push(path);
    }
  }
  return found;
}

/** A line for each: its target and pid, as it says them. */
async function introduce(paths: readonly string[]): Promise<string> {
  const lines = paths.map(async (path) => {
    const client = new ControlClient(path);
    const status = await client
      .status({ timeoutMs: INTRODUCTION_TIMEOUT_MS })
      .catch(() => undefined);
    const fields: Readonly<Record<string, unknown>> =
      typeof status === "object" && status !== null ? { ...status } : {};
    const { target, pid } = fields;
    const who = typeof target === "string" ? target : path;
    return `  ${who} (pid ${typeof pid === "number" ? pid : "unknown: it doesn't answer"})`;
  });
  return (await Promise.all(lines)).join("\n");
}
