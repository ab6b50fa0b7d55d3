/** The environment of a generation's processes. */
import fs from "node:fs/promises";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { PreforkError, messageOf, systemErrorCode } from "./errors.js";

/** A set of variables. */
export type Environment = Record<string, string | undefined>;

/** Where the env file is looked for. `undefined`: there's none to look for. */
export function envFilePath(
  envFile: string | false | undefined,
  cwd: string,
): string | undefined {
  return envFile === false ? undefined : resolve(cwd, envFile ?? ".env");
}

/**
 * Reads an env file in the format of `node --env-file`.
 *
 * @param path - the default `.env` need not exist
 * @param required - was the file asked for?
 * @throws PreforkError `ERR_PREFORK_ENV_FILE`
 */
export async function readEnvFile(
  path: string,
  required: boolean,
): Promise<Environment> {
  let text: string;
  try {
    text = await fs.readFile(path, "utf8");
  } catch (cause) {
    if (!required && systemErrorCode(cause) === "ENOENT") return {};
    throw new PreforkError(
      "ERR_PREFORK_ENV_FILE",
      `can't read the env file ${path} (${messageOf(cause)}): create it, or give another with --env-file`,
      { cause },
    );
  }
  return parseEnv(text);
}

/**
 * What a process gets: the env file under the environment (as with `node --env-file`), both under what
 * the caller sets. `NODE_ENV` defaults to `development`; `PORT` is the public port, so that URLs the app prints are right.
 */
export function processEnvironment(
  parent: Environment,
  envFile: Environment,
  own: Environment,
  port: number,
): Environment {
  const environment: Environment = {
    NODE_ENV: "development",
    ...envFile,
    ...parent,
    PORT: String(port),
    ...own,
  };
  // The service manager is told by the master; a worker that did so as well would be taken for it (sd_notify(3)).
  delete environment["NOTIFY_SOCKET"];
  delete environment["WATCHDOG_USEC"];
  delete environment["WATCHDOG_PID"];
  return environment;
}
