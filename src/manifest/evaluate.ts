/**
 * Evaluates a manifest, or a module of mixins: bundles it with the files it imports, imports the bundle (`import-once.ts`), and says which
 * files that were. Nothing is written near the user's files.
 */
import { readFile } from "node:fs/promises";
import type { SourceMapPayload } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { BuildFailure, Message } from "esbuild";
import { codeFrame } from "../diagnostic.js";
import { PreforkError, messageOf } from "../errors.js";
import type { ErrorCode } from "../errors.js";
import { manifestPlugin } from "./bundle-plugin.js";
import type { RunningCopy } from "./bundle-plugin.js";
import { withFiles } from "./files-of.js";
import { display } from "./find.js";
import { importOnce, removeStale } from "./import-once.js";
import type { Place } from "./import-once.js";

/** What an evaluation gave. */
export interface EvaluatedModule {
  /** Its default export. */
  readonly value: unknown;
  /** The module and the files it imports, absolute and real; the module first. */
  readonly definedBy: readonly string[];
}

/** What is evaluated, for errors. */
interface Kind {
  readonly code: ErrorCode;
  readonly remedy: string;
}

const MANIFEST: Kind = {
  code: "ERR_PREFORK_MANIFEST",
  remedy: "Mend the manifest, then try again.",
};

const MIXIN: Kind = {
  code: "ERR_PREFORK_MIXIN",
  remedy:
    "Mend the mixin, then start again. Only onRegister and onUnregister run in the master: what they don't need is best imported where it's used, with import().",
};

/** `import "prefork-dev"` in a manifest means the copy that is running, whether or not the project has it installed. */
const COPY: RunningCopy = {
  index: new URL("../index.js", import.meta.url),
  language: new URL("../manifest/define-project.js", import.meta.url),
  worker: new URL("../commands/worker.js", import.meta.url),
};

async function moduleError(
  file: string,
  cwd: string,
  { code, remedy }: Kind,
  problem: string,
  place: Place | undefined,
  cause: unknown,
): Promise<PreforkError> {
  let message = `${display(cwd, file)} can't be loaded: ${problem}\n${remedy}`;
  if (place !== undefined) {
    const text = await readFile(place.file, "utf8").catch(() => "");
    const frame = codeFrame(text, place.line, place.column);
    const at = `${display(cwd, place.file)}:${place.line}:${place.column}`;
    message =
      `${display(cwd, file)} can't be loaded: ${problem}\n  at ${at}\n` +
      (frame === undefined ? "" : `\n${frame}\n\n`) +
      remedy;
  }
  return new PreforkError(code, message, { cause });
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

/**
 * Evaluates a manifest.
 *
 * @param manifest - absolute and real
 * @param cwd - what paths in messages are relative to
 * @param copy - what `prefork-dev` means in it; for tests
 * @throws PreforkError ERR_PREFORK_MANIFEST - with file, line, column and a code frame; `filesLookedAt` has what was read
 */
export async function evaluateManifest(
  manifest: string,
  cwd: string,
  copy: RunningCopy = COPY,
): Promise<EvaluatedModule> {
  return await evaluate(manifest, cwd, MANIFEST, copy);
}

/**
 * Evaluates a module of mixins, for the hooks that run in the master.
 *
 * @param file - absolute and real
 * @param cwd - what paths in messages are relative to
 * @returns its default export
 * @throws PreforkError ERR_PREFORK_MIXIN - with file, line, column and a code frame
 */
export async function evaluateMixin(
  file: string,
  cwd: string,
): Promise<unknown> {
  return (await evaluate(file, cwd, MIXIN, COPY)).value;
}

async function evaluate(
  file: string,
  cwd: string,
  kind: Kind,
  copy: RunningCopy,
): Promise<EvaluatedModule> {
  const root = path.dirname(file);
  const looked = new Set([file]);
  const bundled = await build({
    entryPoints: [file],
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
      js: `import { createRequire as __preforkCreateRequire } from "node:module"; const require = __preforkCreateRequire(${JSON.stringify(pathToFileURL(file).href)});`,
    },
    plugins: [manifestPlugin(copy, looked)],
  }).catch(async (error: unknown) => {
    const first = isBuildFailure(error) ? error.errors[0] : undefined;
    const place = first === undefined ? undefined : placeOfMessage(root, first);
    const problem = first?.text ?? messageOf(error);
    throw withFiles(await moduleError(file, cwd, kind, problem, place, error), [
      ...looked,
    ]);
  });

  const inputs = Object.keys(bundled.metafile.inputs)
    .map((input) => path.resolve(root, input))
    .filter((input) => input !== file)
    .sort();
  const definedBy = [file, ...inputs];
  const code = bundled.outputFiles.find((each) => each.path.endsWith(".mjs"));
  const map = bundled.outputFiles.find((each) => each.path.endsWith(".map"));
  const mapOf = (): SourceMapPayload => {
    const payload = JSON.parse(map?.text ?? "{}") as SourceMapPayload;
    const sources = payload.sources.map((source) => path.resolve(root, source));
    return { ...payload, sources };
  };

  removeStale();
  const imported = await importOnce(code?.text ?? "", mapOf);
  if ("thrown" in imported) {
    const { thrown, place } = imported;
    const problem = `it threw ${thrown instanceof Error ? String(thrown) : `"${messageOf(thrown)}"`}`;
    throw withFiles(
      await moduleError(file, cwd, kind, problem, place, thrown),
      definedBy,
    );
  }
  return { value: imported.value, definedBy };
}
