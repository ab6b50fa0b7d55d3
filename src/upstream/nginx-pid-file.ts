/** Where nginx's master has written its process id, and what is in there. */
import fs from "node:fs/promises";
import nodePath from "node:path";
import { PreforkError, messageOf } from "../errors.js";

/** The `pid` directive of a configuration that `nginx -T` has printed; `undefined` when it has none. */
export function pidDirective(configuration: string): string | undefined {
  const found = /^[ \t]*pid[ \t]+("[^"\n]+"|'[^'\n]+'|[^\s;]+)[ \t]*;/m.exec(
    configuration,
  );
  return found?.[1]?.replace(/^(["'])(.*)\1$/, "$2");
}

/** A path that nginx was compiled with, from what `nginx -V` prints. */
export function compiledPath(
  version: string,
  name: "pid-path" | "prefix",
): string | undefined {
  return new RegExp(`--${name}=(\\S+)`).exec(version)?.[1];
}

/** An absolute path, from one that may be relative to nginx's prefix. */
export function inPrefix(path: string, prefix: string | undefined): string {
  return nodePath.resolve(prefix ?? "/", path);
}

/**
 * Reads a process id.
 *
 * @throws PreforkError `ERR_PREFORK_UPSTREAM`
 */
export async function readPid(path: string): Promise<number> {
  const remedy =
    "give `pidFile`, as in nginx's `pid` directive, or `pidFile: false` if its processes can't be seen from here";
  let text: string;
  try {
    text = await fs.readFile(path, "utf8");
  } catch (cause) {
    throw new PreforkError(
      "ERR_PREFORK_UPSTREAM",
      `it can't be seen when nginx has reloaded, as ${path} can't be read (${messageOf(cause)}): is nginx running? If so, ${remedy}`,
      { cause },
    );
  }
  if (text.trim() === "") {
    // Made by `nginx -t`, or not filled yet.
    throw new PreforkError(
      "ERR_PREFORK_UPSTREAM",
      `it can't be seen when nginx has reloaded, as ${path} is empty: is nginx running? If so, ${remedy}`,
    );
  }
  const pid = Number(text.trim());
  if (Number.isInteger(pid) && pid > 0) return pid;
  throw new PreforkError(
    "ERR_PREFORK_UPSTREAM",
    `${path} should hold nginx's process id, and holds ${JSON.stringify(text.slice(0, 40))}: ${remedy}`,
  );
}
