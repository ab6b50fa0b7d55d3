/**
 * Imports code that is no file of anybody's: from a temporary directory, which the code removes itself before anything else in it
 * runs. So nothing stays when a signal ends the process meanwhile, however long the evaluation takes.
 *
 * While Node still reads what the code imports, a signal leaves the directory; it has the process's pid in its name, and a later run
 * removes it.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import type { SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isAlive } from "../is-alive.js";

const NAME = "prefork-dev-manifest-";
const OF_PROCESS = new RegExp(`^${NAME}(\\d+)-`);

/** A place in a file of the user's. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What importing gave: a default export, or an error and where it was thrown. */
type Imported =
  { value: unknown } | { thrown: unknown; place: Place | undefined };

/** Where in the user's files an error was thrown: the first frame of its stack that is in the bundle. */
function placeOfThrow(
  error: unknown,
  bundle: string,
  map: SourceMapPayload,
): Place | undefined {
  if (!(error instanceof Error)) return undefined;
  const url = pathToFileURL(bundle).href;
  for (const line of (error.stack ?? "").split("\n")) {
    const start = [url, bundle].find((name) => line.includes(`${name}:`));
    if (start === undefined) continue;
    const rest = line.slice(line.indexOf(`${start}:`) + start.length);
    const [, row, column] = /^:(\d+):(\d+)/.exec(rest) ?? [];
    const entry = new SourceMap(map).findEntry(
      Number(row) - 1,
      Number(column) - 1,
    );
    if (!("originalSource" in entry)) continue;
    const source = entry.originalSource;
    return {
      file: source.startsWith("file:") ? fileURLToPath(source) : source,
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    };
  }
  return undefined;
}

/**
 * Imports code from a file that exists only until it runs.
 *
 * @param code - an ES module without a hashbang; its first line may become longer
 * @param mapOf - its source map, asked for when it throws
 */
export async function importOnce(
  code: string,
  mapOf: () => SourceMapPayload,
): Promise<Imported> {
  const directory = mkdtempSync(path.join(tmpdir(), `${NAME}${process.pid}-`));
  const bundle = path.join(directory, "manifest.mjs");
  try {
    writeFileSync(bundle, removing(directory) + code);
    const exported: unknown = await import(pathToFileURL(bundle).href);
    const hasDefault =
      typeof exported === "object" &&
      exported !== null &&
      "default" in exported;
    return { value: hasDefault ? exported.default : undefined };
  } catch (thrown) {
    return { thrown, place: placeOfThrow(thrown, bundle, mapOf()) };
  } finally {
    // It never came to run.
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The import that is evaluated first; once anything is evaluated, Node has read all there is. */
function removing(directory: string): string {
  const text = `import { rmSync } from "node:fs"; rmSync(${JSON.stringify(directory)}, { recursive: true, force: true });`;
  return `import ${JSON.stringify(`data:text/javascript,${encodeURIComponent(text)}`)};`;
}

let isDone = false;

/** Removes the directories that processes left which are gone. Does it once in a process. */
export function removeStale(): void {
  if (isDone) return;
  isDone = true;
  try {
    for (const name of readdirSync(tmpdir())) {
      const [, pid] = OF_PROCESS.exec(name) ?? [];
      if (pid === undefined || isAlive(Number(pid))) continue;
      rmSync(path.join(tmpdir(), name), { recursive: true, force: true });
    }
  } catch {
    // Somebody else's, or being removed by another run: it does no harm.
  }
}
