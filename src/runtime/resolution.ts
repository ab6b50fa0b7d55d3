/**
 * The run-time side of compiled code: what `import(expression)`, `require` and
 * `import.meta.resolve` mean in a source of the project. The compiler emits
 * calls of these three; docs/architecture.md has the table.
 *
 * Literal specifiers were resolved by the compiler. What computed ones mean is asked of whoever knows the build: a worker's
 * process asks its master, `loader/` the compiler in the same process. This file doesn't know who it is.
 */
import { createRequire, isBuiltin } from "node:module";
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import type { ResolveAnswer, ResolveRequest } from "../ipc/messages.js";

/** Who knows what a computed specifier means. */
export interface RuntimeResolver {
  /**
   * Answers at once, since `require` can't wait.
   *
   * @throws Error when the source that is meant can't be loaded
   */
  readonly ask: (request: ResolveRequest) => ResolveAnswer;
  /**
   * `require.main` for a CommonJS module that is about to be evaluated.
   *
   * @param from - the module's original path
   */
  readonly mainOf: (
    native: NodeJS.Require,
    module: NodeJS.Module,
    from: string,
  ) => PropertyDescriptor;
}

type Ask = RuntimeResolver["ask"];

const isPath = (specifier: string): boolean =>
  /^\.{0,2}\//.test(specifier) ||
  specifier === "." ||
  specifier === ".." ||
  isAbsolute(specifier);

const isPackagePath = (path: string): boolean =>
  /[\\/]node_modules[\\/]/.test(path);

/** What to pass to `import()` for a computed specifier. */
function importTarget(ask: Ask, specifier: unknown, from: string): unknown {
  const text = String(specifier);
  if (isBuiltin(text) || /^(?:node|data|https?):/.test(text)) return text;
  const answer = ask({ from, specifier: text, kind: "import" });
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
function metaResolve(ask: Ask, from: string): (specifier: string) => string {
  return (specifier) => {
    if (isBuiltin(specifier))
      return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
    if (/^[a-z][a-z+.-]+:/i.test(specifier)) return new URL(specifier).href;
    if (isPath(specifier)) return new URL(specifier, pathToFileURL(from)).href;
    const answer = ask({ from, specifier, kind: "import" });
    const path =
      answer.kind === "output"
        ? answer.source
        : createRequire(from).resolve(specifier);
    return pathToFileURL(path).href;
  };
}

type Literals = Readonly<Record<string, string>>;

function requireOf(
  { ask, mainOf }: RuntimeResolver,
  native: NodeJS.Require,
  module: NodeJS.Module,
  from: string,
  literals: Literals,
): NodeJS.Require {
  const original = createRequire(from);
  const main = mainOf(native, module, from);

  const locate = (specifier: string): ResolveAnswer => {
    if (isBuiltin(specifier)) return { kind: "node" };
    if (!isPath(specifier) && !specifier.startsWith("#")) {
      try {
        if (isPackagePath(original.resolve(specifier))) return { kind: "node" };
      } catch {
        // Not a package from here: perhaps a tsconfig path.
      }
    }
    return ask({ from, specifier, kind: "require" });
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
    main: undefined,
    cache: native.cache,
    // Deprecated, but part of what `require` is; old packages read it.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    extensions: native.extensions,
  }) as NodeJS.Require;
  Object.defineProperty(whole, "main", main);
  return whole;
}

/** Puts the three functions where compiled code finds them: once in a process, for good. */
export function defineResolution(resolver: RuntimeResolver): void {
  const { ask } = resolver;
  const define = (name: string, value: unknown): void => {
    Object.defineProperty(globalThis, symbolOf(name), { value });
  };
  define("import", (specifier: unknown, from: string) =>
    importTarget(ask, specifier, from),
  );
  define("resolve", (from: string) => metaResolve(ask, from));
  define(
    "require",
    (
      native: NodeJS.Require,
      module: NodeJS.Module,
      from: string,
      literals: Literals,
    ) => requireOf(resolver, native, module, from, literals),
  );
}

/** Whether {@link defineResolution} was called in this process, by this copy of the package or another. */
export function isResolutionDefined(): boolean {
  return symbolOf("require") in globalThis;
}

function symbolOf(name: string): symbol {
  return Symbol.for(`prefork-dev.${name}`);
}
