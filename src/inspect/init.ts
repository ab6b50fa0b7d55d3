/** `prefork-dev init`: writes a first manifest from what an entry imports. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PreforkError, systemErrorCode } from "../errors.js";
import { importCycles } from "../graph/index.js";
import {
  display,
  findTarget,
  likelyEntry,
  MANIFESTS,
  packageDirectory,
  packageFields,
} from "../manifest/find.js";
import { relativeTo } from "../manifest/messages.js";
import { scanned } from "./open-model.js";
import { projectOfEntry } from "./read-project.js";
import { fileReferences } from "./references.js";
import { starterText } from "./starter.js";
import type { Suggestion } from "./starter.js";
import type { ProjectModel } from "./types.js";

/** The manifest that was written. */
export interface WrittenManifest {
  /** Absolute path. */
  readonly path: string;
  readonly sources: number;
  readonly suggestions: number;
}

const NAME = "prefork.config.ts";
const PROGRAM =
  /(?:^|[\s"'=])((?:\.\/)?[\w@./-]+\.(?:[cm]?[jt]s|[jt]sx))(?=$|[\s"';&|])/g;
const SCRIPTS = ["dev", "start:dev", "serve", "watch", "start"];

/**
 * Writes a manifest beside the `package.json` that is nearest to the entry, else beside the entry.
 *
 * @param entry - relative to `cwd`; default: what `package.json` or custom says
 * @throws PreforkError ERR_PREFORK_TARGET - there is no such entry, or none was found
 * @throws PreforkError ERR_PREFORK_MANIFEST_EXISTS - there is a manifest; it's left as it is
 * @throws PreforkError ERR_PREFORK_COMPILE - the sources can't be compiled, so what they import isn't known
 */
export async function initProject(
  entry: string | undefined,
  cwd: string,
): Promise<WrittenManifest> {
  const found = entry === undefined ? usualEntry(cwd) : entryAt(entry, cwd);
  const project = projectOfEntry(found, cwd);
  const { root } = project;
  const there = MANIFESTS.find((name) => existsSync(path.join(root, name)));
  if (there !== undefined) throw manifestExists(path.join(root, there), cwd);
  const model = await scanned(project);
  if (model.problems.length > 0) throw notCompiled(model, cwd);
  const relative = (file: string): string => relativeTo(root, file);
  const sources = [...model.edges.keys()];
  const order = new Map(sources.map((source, rank) => [source, rank]));
  const rankOf = (source: string): number => order.get(source) ?? 0;
  const cycles = importCycles(model.graph).map((members) =>
    members.sort((a, b) => rankOf(a) - rankOf(b)).map(relative),
  );
  const suggestions = suggestionsOf(model);
  const text = starterText({
    ...{ entry: relative(model.entry), sources: sources.map(relative) },
    ...{ cycles, suggestions },
  });
  const file = path.join(root, NAME);
  try {
    // Not over one that appeared meanwhile.
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    throw manifestExists(file, cwd);
  }
  const [all, suggested] = [sources.length, suggestions.length];
  return { path: file, sources: all, suggestions: suggested };
}

function entryAt(entry: string, cwd: string): string {
  const found = findTarget(entry, cwd);
  if (found.kind === "manifest") throw manifestExists(found.path, cwd);
  return entry;
}

/** The entry of the package that `cwd` is in. */
function usualEntry(cwd: string): string {
  const directory = packageDirectory(cwd) ?? cwd;
  const name = entryOfScripts(directory) ?? likelyEntry(directory);
  if (name !== undefined) return path.join(directory, name);
  throw new PreforkError(
    "ERR_PREFORK_TARGET",
    `No program found in ${display(cwd, directory) === "." ? "this directory" : display(cwd, directory)}: looked at "scripts" (${SCRIPTS.join(", ")}) and "main" of package.json, ` +
      'and for src/server.ts, src/index.ts, src/main.ts, src/app.ts and the like. Name it, as in "prefork-dev init src/api.ts".',
  );
}

/** The first program that a script names, as `tsx watch src/server.ts` does, and that is no built one. */
function entryOfScripts(directory: string): string | undefined {
  const { scripts } = packageFields(directory);
  if (typeof scripts !== "object" || scripts === null) return undefined;
  for (const name of SCRIPTS) {
    const script: unknown = Reflect.get(scripts, name);
    if (typeof script !== "string") continue;
    for (const [, program = ""] of script.matchAll(PROGRAM)) {
      const isBuilt = /^(?:\.\/)?(?:dist|build|out|lib|node_modules)\//.test(
        program,
      );
      const isConfig = /\.config\.\w+$/.test(program);
      if (!isBuilt && !isConfig && isFile(path.join(directory, program)))
        return path.normalize(program);
    }
  }
  return undefined;
}

function suggestionsOf({ edges, root }: ProjectModel): Suggestion[] {
  return [...edges.keys()].flatMap((source) => {
    if (!/\.(?:[cm]?[jt]s|[jt]sx)$/.test(source)) return [];
    return fileReferences(readFileSync(source, "utf8")).flatMap(
      ({ text, from, line }): Suggestion[] => {
        const base = from === "root" ? root : path.dirname(source);
        const file = path.resolve(base, text);
        // What is code and imported is a source already.
        if (edges.has(file) || !isFile(file)) return [];
        const shown = relativeTo(root, file);
        return [{ source: relativeTo(root, source), line, file: shown }];
      },
    );
  });
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function manifestExists(file: string, cwd: string): PreforkError {
  return new PreforkError(
    "ERR_PREFORK_MANIFEST_EXISTS",
    `${display(cwd, file)} is there already, and is left as it is. ` +
      '"prefork-dev check" compares it with the imports; to begin anew, move it away first.',
  );
}

function notCompiled({ problems }: ProjectModel, cwd: string): PreforkError {
  const [first] = problems;
  const { file, line, message, frame } = first ?? { message: "" };
  const place =
    file === undefined
      ? ""
      : ` ${display(cwd, file)}${line === undefined ? "" : `:${line}`}:`;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return new PreforkError(
    "ERR_PREFORK_COMPILE",
    `No manifest was written, since the sources' imports aren't known:${place} ${message}${more}` +
      (frame === undefined ? "" : `\n\n${frame}\n`) +
      "\nMend that, then try again.",
  );
}
