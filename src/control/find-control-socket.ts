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
 *   absolute and real; `undefined`: any, if there's but one. A manifest with several projects without `#<name>`: any of these, if
 *   but one of them runs
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
      `Several servers run in ${root}:\n${linesOf(await introduce(wanted))}\nName one with --project <target>.`,
    );
  const introduced = await introduce(live);
  // A manifest with several projects, none of which was chosen.
  const ofManifest = introduced.filter(
    (each) =>
      target !== undefined && each.target?.startsWith(`${target}#`) === true,
  );
  const [one, another] = ofManifest;
  if (one !== undefined && another === undefined) return one.path;
  if (one !== undefined)
    throw new PreforkError(
      "ERR_PREFORK_USAGE",
      `Several servers run for ${target ?? root}:\n${linesOf(ofManifest)}\nName one with --project, as in "--project ${one.target ?? ""}"; ` +
        "beside the manifest the project's name is enough.",
    );
  const running =
    live.length === 0
      ? ""
      : `\nBesides, these run in ${root}; name one with --project <target>:\n${linesOf(introduced)}`;
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

/** A server, as it says itself. */
interface Introduced {
  /** Of its socket. */
  readonly path: string;
  /** `undefined`: it doesn't answer. */
  readonly target: string | undefined;
  readonly pid: number | undefined;
}

async function introduce(paths: readonly string[]): Promise<Introduced[]> {
  return await Promise.all(
    paths.map(async (path) => {
      const client = new ControlClient(path);
      const status = await client
        .status({ timeoutMs: INTRODUCTION_TIMEOUT_MS })
        .catch(() => undefined);
      const fields: Readonly<Record<string, unknown>> =
        typeof status === "object" && status !== null ? { ...status } : {};
      const { target, pid } = fields;
      return {
        path,
        target: typeof target === "string" ? target : undefined,
        pid: typeof pid === "number" ? pid : undefined,
      };
    }),
  );
}

/** A line for each. */
function linesOf(servers: readonly Introduced[]): string {
  const lines = servers.map(
    ({ path, target, pid }) =>
      `  ${target ?? path} (pid ${pid ?? "unknown: it doesn't answer"})`,
  );
  return lines.join("\n");
}
