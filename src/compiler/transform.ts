import { dirname, extname } from "node:path";
import { pathToFileURL } from "node:url";
import { init, parse } from "es-module-lexer";
import type { TransformOptions, TransformResult } from "esbuild";
import {
  esbuildDiagnostics,
  jsonDiagnostic,
  SourceFault,
} from "./diagnostics.js";
import { isTransformFailure, transformWithEsbuild } from "./esbuild.js";
import { compileJson } from "./json.js";
import type { Loader } from "./kinds.js";
import type { LinkableCode, Mappings, ModuleFormat } from "./record.js";
import { scan } from "./scan.js";

/** One source to compile. */
export interface TransformInput {
  /** Absolute path of the original. */
  readonly path: string;
  readonly text: string;
  readonly loader: Loader;
  /** `type` of the nearest `package.json`. */
  readonly packageType: "module" | "commonjs" | undefined;
  /** `compilerOptions` as JSON, in a tsconfig. */
  readonly tsconfigRaw: string;
}

/** A compiled source, before linking. */
export interface Transformed {
  readonly linkable: LinkableCode;
  readonly map: Mappings;
}

/**
 * Compiles one source.
 *
 * @throws SourceFault when the code is wrong
 */
export async function transform(input: TransformInput): Promise<Transformed> {
  if (input.loader === "json") {
    try {
      const linkable = compileJson(input.text);
      return { linkable, map: { mappings: "", names: [] } };
    } catch (error) {
      throw new SourceFault([jsonDiagnostic(error, input.path, input.text)]);
    }
  }
  await init();
  try {
    const { result, format } = await compile(input);
    const linkable = scan(result.code, format, input.path);
    return { linkable, map: parseMap(result.map) };
  } catch (error) {
    if (!isTransformFailure(error)) throw error;
    throw new SourceFault(
      esbuildDiagnostics(error.errors, input.path, input.text),
    );
  }
}

interface Compiled {
  readonly result: TransformResult;
  readonly format: ModuleFormat;
}

async function compile(input: TransformInput): Promise<Compiled> {
  const declared = declaredFormat(input);
  if (declared !== undefined) return await compileAs(input, declared, true);
  if (await looksLikeModule(input)) return await compileAs(input, "esm", true);
  try {
    const compiled = await compileAs(input, "cjs", false);
    const usesMeta = compiled.result.warnings.some(
      ({ id }) => id === "empty-import-meta",
    );
    return usesMeta ? await compileAs(input, "esm", true) : compiled;
  } catch (error) {
    if (!isTransformFailure(error)) throw error;
    // Top-level await makes it a module; what else may be wrong will be told by that attempt.
    if (!error.errors.some(({ text }) => text.startsWith("Top-level await"))) {
      throw error;
    }
    return await compileAs(input, "esm", true);
  }
}

function declaredFormat(input: TransformInput): ModuleFormat | undefined {
  const extension = extname(input.path);
  if (extension === ".mts" || extension === ".mjs") return "esm";
  if (extension === ".cts" || extension === ".cjs") return "cjs";
  if (input.packageType === undefined) return undefined;
  return input.packageType === "module" ? "esm" : "cjs";
}

/** For JavaScript without a declared format: whether its syntax is that of a module, as Node looks at it. */
async function looksLikeModule(input: TransformInput): Promise<boolean> {
  if (input.loader !== "js" && input.loader !== "jsx") return false;
  // The lexer can't read JSX.
  const code =
    input.loader === "js"
      ? input.text
      : (await transformWithEsbuild(input.text, { loader: "jsx" })).code;
  try {
    return parse(code)[3];
  } catch {
    // A syntax error, which esbuild reports better.
    return false;
  }
}

async function compileAs(
  input: TransformInput,
  format: ModuleFormat,
  defineMeta: boolean,
): Promise<Compiled> {
  const { path, text, loader, tsconfigRaw } = input;
  const options: TransformOptions = {
    loader,
    format,
    tsconfigRaw,
    // `platform: node` keeps the line that tells Node a CommonJS module's export names.
    platform: "node",
    target: `node${process.versions.node}`,
    charset: "utf8",
    sourcemap: "external",
    sourcesContent: false,
    sourcefile: path,
    logLevel: "silent",
  };
  // Not always: with definitions of its own, a transform takes esbuild twice as long.
  if (defineMeta && text.includes("import.meta")) {
    options.define = metaDefinitions(path);
  }
  return { result: await transformWithEsbuild(text, options), format };
}

function metaDefinitions(path: string): Record<string, string> {
  return {
    "import.meta.url": JSON.stringify(pathToFileURL(path).href),
    "import.meta.dirname": JSON.stringify(dirname(path)),
    "import.meta.filename": JSON.stringify(path),
  };
}

function parseMap(map: string): Mappings {
  const value: unknown = JSON.parse(map);
  if (
    typeof value === "object" &&
    value !== null &&
    "mappings" in value &&
    typeof value.mappings === "string" &&
    "names" in value &&
    Array.isArray(value.names)
  ) {
    return { mappings: value.mappings, names: value.names.map(String) };
  }
  return { mappings: "", names: [] };
}
