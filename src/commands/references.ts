/** Mixins as a caller of the library names them, and the files that are meant. */
import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { PreforkError } from "../errors.js";
import type { ResolvedProject } from "../manifest/types.js";
import type { MixinModule } from "./worker.js";

/** A module of mixins whose commands the compiler knows. Made by {@link mixin}. */
export interface MixinReference<Module = unknown> {
  /** Path, or `file:` URL. */
  readonly file: string | URL;
  /** Only a type: nothing is ever there. */
  readonly module?: Module;
}

/** A module of mixins: typed, or just its path or `file:` URL. */
export type MixinSource = string | URL | MixinReference;

/**
 * Names a module of mixins together with its type, so that the names, arguments and results of its commands are checked.
 *
 * @param file - path (relative ones to the working directory) or `file:` URL of the TypeScript or JavaScript file
 *
 * @example
 * ```ts
 * const heap = mixin<typeof import("./heap.js")>(new URL("./heap.ts", import.meta.url));
 * const server = createServer(project, { mixins: [heap] });
 * const [first] = await server.send("heap");
 * ```
 */
export function mixin<Module extends MixinModule>(
  file: string | URL,
): MixinReference<Module> {
  return { file };
}

const CODE = /\.(?:[cm]?[jt]s|[jt]sx)$/;

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/**
 * The files that are meant: absolute, real, in the order given, each once.
 *
 * @throws PreforkError `ERR_PREFORK_MIXIN` when one doesn't exist, or is no TypeScript or JavaScript file
 */
export function mixinFiles(sources: readonly MixinSource[]): string[] {
  const files = sources.map((source) => {
    const given =
      typeof source === "string" || source instanceof URL
        ? source
        : source.file;
    const file = fileOf(given);
    if (!isFile(file) || !CODE.test(file))
      throw new PreforkError(
        "ERR_PREFORK_MIXIN",
        `the mixin ${JSON.stringify(String(given))} is no TypeScript or JavaScript file (looked at ${file}). Give its path or file: URL.`,
      );
    return realpathSync(file);
  });
  return [...new Set(files)];
}

function fileOf(given: string | URL): string {
  const text = String(given);
  if (!text.startsWith("file:")) return path.resolve(text);
  try {
    return fileURLToPath(text);
  } catch (cause) {
    throw new PreforkError(
      "ERR_PREFORK_MIXIN",
      `the mixin ${JSON.stringify(text)} is no URL of a file on this machine. Give its path or file: URL.`,
      { cause },
    );
  }
}

/** A project with further mixins behind its own. */
export function withMixins(
  project: ResolvedProject,
  files: readonly string[],
): ResolvedProject {
  return { ...project, mixins: [...new Set([...project.mixins, ...files])] };
}
