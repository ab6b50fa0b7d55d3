/**
 * The run-time side of compiled code: what `import(expression)`, `require` and
 * `import.meta.resolve` mean in a source of the project. The compiler emits
 * calls of these three; docs/architecture.md has the table.
 *
 * Literal specifiers were resolved by the compiler. For computed ones the
 * master is asked over the synchronous channel, since `require` must answer at once.
 */
import { createRequire, isBuiltin } from "node:module";
import { isAbsolute } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { BeginMessage, ResolveAnswer } from "../ipc/messages.js";
import { askForFile, giveUp } from "./sync-channel.js";

const isPath = (specifier: string): boolean =>
  /^\.{0,2}\//.test(specifier) ||
  specifier === "." ||
  specifier === ".." ||
  isAbsolute(specifier);

const isPackagePath = (path: string): boolean =>
  /[\\/]node_modules[\\/]/.test(path);

/** What to pass to `import()` for a computed specifier. */
function importTarget(specifier: unknown, from: string): unknown {
  const text = String(specifier);
  if (isBuiltin(text) || /^(?:node|data|https?):/.test(text)) return text;
  const answer = askForFile({ from, specifier: text, kind: "import" });
  if (answer.kind === "output") return pathToFileURL(answer.path).href;
  if (text.startsWith("file:")) return text;
  if (isPath(text)) return new URL(text, pathToFileURL(from)).href;
  try {
    return pathToFileURL(createRequire(from).resolve(text)).href;
  } catch {
    return text; // Node's own error names the specifier
  }
}

/** `import.meta.resolve` of a source: URLs of originals, as under plain Node. */
function metaResolve(from: string): (specifier: string) => string {
  return (specifier) => {
    if (isBuiltin(specifier))
      return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
    if (/^[a-z][a-z+.-]+:/i.test(specifier)) return new URL(specifier).href;
    if (isPath(specifier)) return new URL(specifier, pathToFileURL(from)).href;
    const answer = askForFile({ from, specifier, kind: "import" });
    const path =
      answer.kind === "output"
        ? answer.source
        : createRequire(from).resolve(specifier);
    return pathToFileURL(path).href;
  };
}

type Literals = Readonly<Record<string, string>>;

function requireOf(
  native: NodeJS.Require,
  module: NodeJS.Module,
  from: string,
  literals: Literals,
  { entry, isModule }: BeginMessage,
): NodeJS.Require {
  const original = createRequire(from);
  if (from === entry) mainModule = module;

  const locate = (specifier: string): ResolveAnswer => {
    if (isBuiltin(specifier)) return { kind: "node" };
    if (!isPath(specifier) && !specifier.startsWith("#")) {
      try {
        if (isPackagePath(original.resolve(specifier))) return { kind: "node" };
      } catch {
        // Not a package from here: perhaps a tsconfig path.
      }
    }
    return askForFile({ from, specifier, kind: "require" });
  };
  const ours = (specifier: string): unknown => {
    const literal = Object.hasOwn(literals, specifier)
      ? literals[specifier]
      : undefined;
    if (literal !== undefined) return native(literal);
    const answer = locate(specifier);
    return answer.kind === "output" ? native(answer.path) : original(specifier);
  };
  const resolve = (
    specifier: string,
    options?: { paths?: string[] },
  ): string => {
    if (options?.paths === undefined) {
      const answer = locate(specifier);
      if (answer.kind === "output") return answer.source;
    }
    return original.resolve(specifier, options);
  };
  resolve.paths = (request: string): string[] | null =>
    original.resolve.paths(request);
  const whole = Object.assign(ours, {
    resolve,
    main: mainModule,
    cache: native.cache,
    // Deprecated, but part of what `require` is; old packages read it.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    extensions: native.extensions,
  }) as NodeJS.Require;
  // Evaluated ahead: in a cold boot, a CommonJS entry would be there already.
  if (mainModule === undefined && !isModule) {
    Object.defineProperty(whole, "main", {
      configurable: true,
      enumerable: true,
      get: () => mainModule ?? giveUp("reads require.main", from),
    });
  }
  return whole;
}

let mainModule: NodeJS.Module | undefined;

/** Puts the three functions where compiled code finds them. */
export function installResolution(begin: BeginMessage): void {
  const define = (name: string, value: unknown): void => {
    Object.defineProperty(globalThis, Symbol.for(`prefork-dev.${name}`), {
      value,
    });
  };
  define("import", importTarget);
  define("resolve", metaResolve);
  define(
    "require",
    (
      native: NodeJS.Require,
      module: NodeJS.Module,
      from: string,
      literals: Literals,
    ) => requireOf(native, module, from, literals, begin),
  );
  process.argv = [process.execPath, begin.entry, ...begin.args];
}
