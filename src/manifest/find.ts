/** What a target means: an entry file, a manifest, or a directory that holds one. */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { PreforkError } from "../errors.js";
import { fileListing } from "./listing.js";
import { relativeTo } from "./messages.js";
import { didYouMean, nearest } from "./nearest.js";

/** What a directory is searched for, in this order. */
export const MANIFESTS: readonly string[] = [
  "prefork.config.ts",
  "prefork.config.mts",
  "prefork.config.js",
  "prefork.config.mjs",
  "prefork.config.json",
];
/** Also `api.prefork.config.ts` and `prefork.config.staging.ts`, when named. */
const MANIFEST_NAME =
  /(?:^|\.)prefork\.config(?:\.[\w-]+)*\.(?:[cm]?[jt]s|json)$/;
/** How the names of programs end. */
export const PROGRAM_NAME: RegExp = /\.(?:[cm]?[jt]s|[jt]sx)$/;
const BUILT = /^(?:\.\/)?(?:dist|build|out|lib)\//;

/** Where programs usually start. */
const USUAL_ENTRIES = ["src/", ""].flatMap((directory) =>
  ["server", "index", "main", "app"].flatMap((name) =>
    ["ts", "mts", "js", "mjs"].map((ext) => `${directory}${name}.${ext}`),
  ),
);

/** A target that was found: real absolute path. */
export interface Target {
  readonly kind: "entry" | "manifest";
  readonly path: string;
}

/** A path as messages show it: as the user would write it from where they stand. */
export function display(cwd: string, file: string): string {
  const relative = relativeTo(cwd, file);
  return relative.startsWith("../../..") ? file : relative;
}

/** The fields of a directory's `package.json`; none when it can't be read. */
export function packageFields(
  directory: string,
): Readonly<Record<string, unknown>> {
  try {
    const text = readFileSync(path.join(directory, "package.json"), "utf8");
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    // No package, or a broken one: neither is ours to report.
  }
  return {};
}

/** The nearest directory with a `package.json`, from this one upwards. */
export function packageDirectory(directory: string): string | undefined {
  for (let at = directory; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, "package.json"))) return at;
    if (at === path.dirname(at)) return undefined;
  }
}

/** The program of a directory, as `package.json` or custom has it; relative to it. */
export function likelyEntry(directory: string): string | undefined {
  const isFile = (name: string): boolean =>
    fileListing.fileAt(path.join(directory, name)) !== undefined;
  const main = packageFields(directory)["main"];
  // What is built isn't what is edited.
  if (
    typeof main === "string" &&
    !BUILT.test(main) &&
    PROGRAM_NAME.test(main) &&
    isFile(main)
  )
    return path.normalize(main);
  return USUAL_ENTRIES.find(isFile);
}

function targetError(message: string): PreforkError {
  return new PreforkError("ERR_PREFORK_TARGET", message);
}

/** The manifest that stands in a directory: its real path. */
export function manifestIn(directory: string): string | undefined {
  for (const name of MANIFESTS) {
    const file = fileListing.fileAt(path.join(directory, name));
    if (file !== undefined) return file;
  }
  return undefined;
}

function findInDirectory(directory: string, cwd: string): Target {
  const manifest = manifestIn(directory);
  if (manifest !== undefined) return { kind: "manifest", path: manifest };
  const entry = likelyEntry(directory);
  const example = entry ?? "src/server.ts";
  const command = `prefork-dev ${display(cwd, path.join(directory, example))}`;
  throw targetError(
    `No manifest in ${display(cwd, directory) === "." ? "this directory" : display(cwd, directory)}: ` +
      `looked for ${MANIFESTS.join(", ")}. Name the program to run, ` +
      (entry === undefined ? `as in "${command}"` : `"${command}"`) +
      `, or write a ${MANIFESTS[0] ?? ""}.`,
  );
}

/** The path of what there is in the place of one that doesn't exist, if its name is near. */
export function nearestTarget(target: string, cwd: string): string | undefined {
  const absolute = path.resolve(cwd, target);
  const directory = path.dirname(absolute);
  const name = nearest(path.basename(absolute), fileListing.namesIn(directory));
  return name === undefined
    ? undefined
    : display(cwd, path.join(directory, name));
}

/**
 * Finds what a target means.
 *
 * @param target - as written; relative to `cwd`
 * @throws PreforkError ERR_PREFORK_TARGET - it is none of the three
 */
export function findTarget(target: string, cwd: string): Target {
  const absolute = path.resolve(cwd, target);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw targetError(
      `The target "${target}" doesn't exist.${didYouMean(nearestTarget(target, cwd))} ` +
        "Give it an entry file, a manifest, or a directory that holds one.",
    );
  }
  const real = realpathSync(absolute);
  if (stats.isDirectory()) return findInDirectory(real, cwd);
  if (MANIFEST_NAME.test(path.basename(absolute)))
    return { kind: "manifest", path: real };
  if (stats.isFile() && PROGRAM_NAME.test(real))
    return { kind: "entry", path: real };
  throw targetError(
    `The target "${target}" is no program: its name doesn't end in .ts, .mts, .cts, .tsx, .js, .mjs, .cjs or .jsx. ` +
      "Give it an entry file, a manifest, or a directory that holds one.",
  );
}
