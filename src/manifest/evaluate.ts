/**
 * Evaluates a manifest: bundles it with the files it imports, imports the bundle, and says which files that were.
 * The bundle lives in a temporary directory for the moment of its import; nothing is written near the user's files.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import type { SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { BuildFailure, Message } from "esbuild";
import { codeFrame } from "../diagnostic.js";
import { PreforkError, messageOf } from "../errors.js";
import { manifestPlugin } from "./bundle-plugin.js";
import { display } from "./find.js";

/** What a manifest's evaluation gave. */
export interface EvaluatedManifest {
  /** Its default export. */
  readonly value: unknown;
  /** The manifest and the files it imports, absolute and real; the manifest first. */
  readonly definedBy: readonly string[];
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `import "prefork-dev"` in a manifest means the copy that is running, whether or not the project has it installed. */
const SELF = new URL("../index.js", import.meta.url);

async function manifestError(
  manifest: string,
  cwd: string,
  problem: string,
  place: Place | undefined,
  cause: unknown,
): Promise<PreforkError> {
  const remedy = "Mend the manifest, then try again.";
  let message = `${display(cwd, manifest)} can't be loaded: ${problem}\n${remedy}`;
  if (place !== undefined) {
    const text = await readFile(place.file, "utf8").catch(() => "");
    const frame = codeFrame(text, place.line, place.column);
    const at = `${display(cwd, place.file)}:${place.line}:${place.column}`;
    message =
      `${display(cwd, manifest)} can't be loaded: ${problem}\n  at ${at}\n` +
      (frame === undefined ? "" : `\n${frame}\n\n`) +
      remedy;
  }
  return new PreforkError("ERR_PREFORK_MANIFEST", message, { cause });
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && "warnings" in error;
}

function placeOfMessage(root: string, message: Message): Place | undefined {
  const { location } = message;
  if (location === null) return undefined;
  return {
    file: path.resolve(root, location.file),
    line: location.line,
    column: location.column + 1,
  };
}

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

/** Imports code from a file that exists only meanwhile. */
async function importOnce(
  code: string,
  map: SourceMapPayload,
): Promise<{ value: unknown } | { thrown: unknown; place: Place | undefined }> {
  const directory = await mkdtemp(path.join(tmpdir(), "prefork-dev-manifest-"));
  const bundle = path.join(directory, "manifest.mjs");
  try {
    await writeFile(bundle, code);
    const exported: unknown = await import(pathToFileURL(bundle).href);
    const hasDefault =
      typeof exported === "object" &&
      exported !== null &&
      "default" in exported;
    return { value: hasDefault ? exported.default : undefined };
  } catch (thrown) {
    return { thrown, place: placeOfThrow(thrown, bundle, map) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Evaluates a manifest.
 *
 * @param manifest - absolute and real
 * @param cwd - what paths in messages are relative to
 * @param self - what `prefork-dev` means in it; for tests
 * @throws PreforkError ERR_PREFORK_MANIFEST - with file, line, column and a code frame
 */
export async function evaluateManifest(
  manifest: string,
  cwd: string,
  self: URL = SELF,
): Promise<EvaluatedManifest> {
  const root = path.dirname(manifest);
  const bundled = await build({
    entryPoints: [manifest],
    // Only names the bundle; nothing is written.
    outfile: path.join(root, "prefork.config.bundled.mjs"),
    write: false,
    bundle: true,
    format: "esm",
    platform: "node",
    target: `node${process.versions.node}`,
    // Without it, esbuild would take the files that packages keep for bundlers.
    conditions: [],
    sourcemap: "external",
    sourcesContent: false,
    metafile: true,
    absWorkingDir: root,
    logLevel: "silent",
    banner: {
      js: `import { createRequire as __preforkCreateRequire } from "node:module"; const require = __preforkCreateRequire(${JSON.stringify(pathToFileURL(manifest).href)});`,
    },
    plugins: [manifestPlugin(self)],
  }).catch(async (error: unknown) => {
    const first = isBuildFailure(error) ? error.errors[0] : undefined;
    const place = first === undefined ? undefined : placeOfMessage(root, first);
    throw await manifestError(
      manifest,
      cwd,
      first?.text ?? messageOf(error),
      place,
      error,
    );
  });

  const inputs = Object.keys(bundled.metafile.inputs)
    .map((input) => path.resolve(root, input))
    .filter((input) => input !== manifest)
    .sort();
  const code = bundled.outputFiles.find((file) => file.path.endsWith(".mjs"));
  const map = bundled.outputFiles.find((file) => file.path.endsWith(".map"));
  const payload = JSON.parse(map?.text ?? "{}") as SourceMapPayload;
  payload.sources = payload.sources.map((source) => path.resolve(root, source));

  const imported = await importOnce(code?.text ?? "", payload);
  if ("thrown" in imported) {
    const { thrown, place } = imported;
    throw await manifestError(
      manifest,
      cwd,
      `it threw ${thrown instanceof Error ? String(thrown) : `"${messageOf(thrown)}"`}`,
      place,
      thrown,
    );
  }
  return { value: imported.value, definedBy: [manifest, ...inputs] };
}
