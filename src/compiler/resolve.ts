import { isBuiltin } from "node:module";
import {
  basename,
  dirname,
  extname,
  isAbsolute,
  resolve,
  sep,
} from "node:path";
import { fileURLToPath } from "node:url";
import { ResolverFactory } from "oxc-resolver";
import type { NapiResolveOptions } from "oxc-resolver";
import { isDeclarations, isInstalled, loaderOfImported } from "./kinds.js";
import type { ImportRequest } from "./record.js";
import type { TsconfigFinder } from "./tsconfig.js";

/** What a specifier means. */
export type Resolution =
  | { readonly kind: "source"; readonly path: string; readonly suffix: string }
  /** A file of an installed package (or WebAssembly), loaded as it is. */
  | { readonly kind: "package"; readonly path: string; readonly suffix: string }
  /** A file of the project that is no code. */
  | { readonly kind: "asset"; readonly path: string }
  /** A built-in module, `data:` and the like: Node's business. */
  | { readonly kind: "node" }
  | {
      readonly kind: "missing";
      /** What the resolver said. */
      readonly reason: string;
      /** Where a file that appears could be it. */
      readonly directories: readonly string[];
    };

type Kind = ImportRequest["kind"];

const SOURCE_EXTENSIONS = [
  ...[".ts", ".tsx", ".mts", ".cts"],
  ...[".js", ".jsx", ".mjs", ".cjs", ".json"],
];
const EXTENSION_ALIAS = {
  ".js": [".ts", ".tsx", ".js"],
  ".jsx": [".tsx", ".jsx"],
  ".mjs": [".mts", ".mjs"],
  ".cjs": [".cts", ".cjs"],
};

/**
 * Resolves specifiers as Node and TypeScript do, and caches what it found until {@link clear}.
 *
 * What the project imports of itself (relative, `paths`, `#imports`) may leave out extensions and say `.js` for
 * `.ts`; installed packages resolve as in Node alone, also when they carry TypeScript beside their JavaScript.
 */
export class Resolver {
  readonly #root: string;
  readonly #cacheDirectory: string;
  readonly #tsconfigs: TsconfigFinder;
  readonly #known = new Map<string, Resolution>();
  /** One string for each path, whoever imports it: graphs of thousands of paths compare them by address then. */
  readonly #paths = new Map<string, string>();
  readonly #node: Record<Kind, ResolverFactory>;
  readonly #project: Record<Kind, ResolverFactory>;

  constructor(root: string, cacheDirectory: string, tsconfigs: TsconfigFinder) {
    this.#root = root;
    this.#cacheDirectory = cacheDirectory;
    this.#tsconfigs = tsconfigs;
    this.#node = {
      import: new ResolverFactory(nodeOptions("import")),
      require: new ResolverFactory(nodeOptions("require")),
    };
    const project = {
      extensions: SOURCE_EXTENSIONS,
      extensionAlias: EXTENSION_ALIAS,
    };
    this.#project = {
      import: new ResolverFactory({ ...nodeOptions("import"), ...project }),
      require: new ResolverFactory({ ...nodeOptions("require"), ...project }),
    };
  }

  /** What `specifier` means in the module at `from` (an absolute path). */
  resolve(from: string, specifier: string, kind: Kind): Resolution {
    const directory = dirname(from);
    const name = `${kind}\0${directory}\0${specifier}`;
    let resolution = this.#known.get(name);
    if (resolution === undefined) {
      resolution = this.#resolve(directory, specifier, kind);
      this.#known.set(name, resolution);
    }
    return resolution;
  }

  /** Forgets everything: files appeared or disappeared, or configuration changed. */
  clear(): void {
    this.#known.clear();
    for (const factories of [this.#node, this.#project]) {
      factories.import.clearCache();
      factories.require.clearCache();
    }
  }

  #resolve(directory: string, specifier: string, kind: Kind): Resolution {
    if (isBuiltin(specifier)) return { kind: "node" };
    if (specifier.startsWith("file:")) return this.#url(specifier, kind);
    if (/^[a-z][a-z0-9+.-]+:/i.test(specifier)) return { kind: "node" };
    if (/^\.{0,2}\//.test(specifier) || /^\.{1,2}$/.test(specifier)) {
      const { path, suffix } = splitSuffix(specifier, kind);
      return this.#file(resolve(directory, path), path, suffix, kind);
    }
    if (isAbsolute(specifier)) {
      return this.#file(specifier, specifier, "", kind);
    }
    return this.#named(directory, specifier, kind);
  }

  #url(specifier: string, kind: Kind): Resolution {
    const { bare, suffix } = split(specifier);
    try {
      const path = fileURLToPath(bare);
      return this.#file(path, path, suffix, kind);
    } catch (error) {
      return { kind: "missing", reason: String(error), directories: [] };
    }
  }

  /** A path, as written and made absolute. The trailing slash or dots of `written` allow directories only. */
  #file(path: string, written: string, suffix: string, kind: Kind): Resolution {
    const isDirectory = /(?:^|\/)\.{0,2}$/.test(written);
    const [directory, request] = isDirectory
      ? [path, "./"]
      : [dirname(path), `./${basename(path)}`];
    const found = this.#project[kind].sync(directory, request);
    if (found.path !== undefined) return this.#classify(found.path, suffix);
    return {
      kind: "missing",
      reason: found.error ?? "",
      directories: [dirname(path), path],
    };
  }

  /** A package, `#import`, or what the tsconfig's `paths` make of it. */
  #named(directory: string, specifier: string, kind: Kind): Resolution {
    const candidates = this.#tsconfigs.of(directory).candidates(specifier);
    for (const candidate of candidates) {
      const found = this.#file(candidate, candidate, "", kind);
      // `paths` may also point at types alone.
      const isTypes = found.kind === "source" && isDeclarations(found.path);
      if (found.kind !== "missing" && !isTypes) return found;
    }
    const isOwn = specifier.startsWith("#");
    const { bare, suffix } =
      kind === "import" && !isOwn
        ? split(specifier)
        : { bare: specifier, suffix: "" };
    const first = (isOwn ? this.#project : this.#node)[kind];
    const found = first.sync(directory, bare);
    if (found.builtin !== undefined) return { kind: "node" };
    if (found.path !== undefined) return this.#classify(found.path, suffix);
    // A workspace package may name its sources without their extensions.
    const again = this.#project[kind].sync(directory, bare);
    if (again.path !== undefined) {
      const resolution = this.#classify(again.path, suffix);
      if (resolution.kind === "source") return resolution;
    }
    return {
      kind: "missing",
      reason: found.error ?? "",
      directories: candidates.map((path) => dirname(path)),
    };
  }

  #classify(found: string, suffix: string): Resolution {
    const path = this.#paths.get(found) ?? found;
    this.#paths.set(path, path);
    if (
      isInstalled(path, this.#root) ||
      path.startsWith(this.#cacheDirectory + sep)
    ) {
      return { kind: "package", path, suffix };
    }
    if (loaderOfImported(path) !== undefined) {
      return { kind: "source", path, suffix };
    }
    return extname(path) === ".wasm"
      ? { kind: "package", path, suffix }
      : { kind: "asset", path };
  }
}

function nodeOptions(kind: Kind): NapiResolveOptions {
  const conditions = ["node", kind];
  // Node resolves this condition where it can `require()` an ES module.
  if (process.features.require_module) {
    conditions.push("module-sync");
  }
  return {
    conditionNames: conditions,
    extensions: [".js", ".json", ".node"],
    builtinModules: true,
    nodePath: kind === "require",
    symlinks: true,
  };
}

/** An `import` is by URL: it may have a query or fragment, and its path may be percent-encoded. */
function splitSuffix(
  specifier: string,
  kind: Kind,
): { path: string; suffix: string } {
  if (kind === "require") return { path: specifier, suffix: "" };
  const { bare, suffix } = split(specifier);
  try {
    return { path: decodeURIComponent(bare), suffix };
  } catch {
    return { path: bare, suffix };
  }
}

function split(specifier: string): { bare: string; suffix: string } {
  const at = specifier.search(/[?#]/);
  if (at === -1) return { bare: specifier, suffix: "" };
  return { bare: specifier.slice(0, at), suffix: specifier.slice(at) };
}
