/**
 * Packages that load the program's files by their paths: autoloaders, ORMs with their entities, whoever reads a directory and
 * imports what is in it. They get the compiled files, as the program itself does, and the master learns of these sources.
 *
 * The program's own code doesn't come here: what it loads was resolved by the compiler, or is asked for by `runtime/resolution.ts`. So
 * only what code below `node_modules` asks for is looked at, and of that only what isn't below `node_modules` itself.
 *
 * Relied on: `Module._load(request, parent, isMain)`, which every `require` calls (Node 20.19 to 26). `import()` goes through
 * `module.registerHooks()` (22.15, 23.5). Before these there is no way in the same thread but Node's own loader, which
 * `--expose-internals` gives (20.19 to 22.14); the thread of `module.register()` couldn't ask the master while this one waits.
 */
import { createRequire, Module } from "node:module";
import { dirname, isAbsolute, resolve, sep } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ResolveAnswer, ResolveRequest } from "../ipc/messages.js";

/** What this needs of the process that it runs in. */
export interface PackageLoads {
  /** Asks the master, and waits. */
  readonly ask: (request: ResolveRequest) => ResolveAnswer;
  /** Called before a package gets a file of the program. */
  readonly onLoad: () => void;
  /** Where compiled files are, which may be below `node_modules`: what they load is theirs. */
  readonly cache: string;
}

type Load = (request: unknown, parent: unknown, isMain: unknown) => unknown;

/** As Node's documentation of `module.registerHooks()` has it; Node 20's types don't. */
type ResolveHook = (
  specifier: string,
  context: {
    readonly parentURL?: string;
    readonly conditions?: readonly string[];
    readonly importAttributes?: Readonly<Record<string, string>>;
  },
  nextResolve: (specifier: string, context: unknown) => unknown,
) => unknown;

type Resolve = (
  specifier: unknown,
  parentURL: unknown,
  attributes: unknown,
) => unknown;

const EXPOSED = "--expose-internals";
const OWN_LOADER = "internal/modules/esm/loader";
const INSTALLED = `${sep}node_modules${sep}`;

/** From now on, packages get compiled files. Once in a process. */
export function servePackages(loads: PackageLoads): void {
  const known = new Map<string, string>();
  /** The compiled file that is meant; `undefined`: it's no file of the program. */
  const compiled = (
    specifier: string,
    from: string,
    kind: ResolveRequest["kind"],
  ): string | undefined => {
    const file = pathOf(specifier, from, loads.cache);
    if (file === undefined) return undefined;
    const name = `${kind} ${file}`;
    let output = known.get(name);
    if (output === undefined) {
      loads.onLoad();
      const answer = loads.ask({ from, specifier, kind });
      if (answer.kind !== "output") return undefined;
      output = answer.path;
      // It stays so for the life of a build, and a process has one.
      known.set(name, output);
    }
    return output;
  };
  hookRequire((request, from) => compiled(request, from, "require"));
  hookImport((specifier, from) => {
    const output = compiled(specifier, from, "import");
    return output === undefined ? undefined : pathToFileURL(output).href;
  });
  const flag = process.execArgv.indexOf(EXPOSED);
  // Not for the processes that the app forks.
  if (flag !== -1) process.execArgv.splice(flag, 1);
}

/**
 * The path that code of a package asks for, if it leads out of the packages.
 *
 * @param from - absolute path of the module that asks
 */
export function pathOf(
  specifier: string,
  from: string,
  cache: string,
): string | undefined {
  if (!from.includes(INSTALLED) || isBelow(from, cache)) return undefined;
  let file: string;
  if (specifier.startsWith("file:")) {
    try {
      file = fileURLToPath(specifier);
    } catch {
      return undefined;
    }
  } else if (isAbsolute(specifier)) file = specifier;
  else if (/^\.{1,2}(?:\/|$)/.test(specifier))
    file = resolve(dirname(from), specifier);
  else return undefined;
  return file.includes(INSTALLED) || isBelow(file, cache) ? undefined : file;
}

function isBelow(file: string, directory: string): boolean {
  return file.startsWith(directory + sep);
}

function hookRequire(
  compiled: (request: string, from: string) => string | undefined,
): void {
  const module = Module as unknown as { _load: Load };
  const load = module._load;
  module._load = function (this: unknown, request, parent, isMain) {
    const from =
      typeof parent === "object" && parent !== null
        ? (Reflect.get(parent, "filename") as unknown)
        : undefined;
    const isAsked = typeof request === "string" && typeof from === "string";
    const output = isAsked ? compiled(request, from) : undefined;
    return load.call(this, output ?? request, parent, isMain);
  };
}

function hookImport(
  compiled: (specifier: string, from: string) => string | undefined,
): void {
  const urlOf = (specifier: string, parentURL: unknown): string | undefined =>
    typeof parentURL === "string" && parentURL.startsWith("file:")
      ? compiled(specifier, fileURLToPath(parentURL))
      : undefined;
  const registerHooks: unknown = Reflect.get(Module, "registerHooks");
  if (typeof registerHooks === "function") {
    const resolveHook: ResolveHook = (specifier, context, nextResolve) => {
      const { parentURL, conditions, importAttributes } = context;
      // `require` was looked at already; a type is asked of the file as it is.
      const isOther =
        conditions?.includes("import") !== true ||
        importAttributes?.["type"] !== undefined;
      const url = isOther ? undefined : urlOf(specifier, parentURL);
      return nextResolve(url ?? specifier, context);
    };
    Reflect.apply(registerHooks, Module, [{ resolve: resolveHook }]);
    return;
  }
  const loader = ownLoader();
  if (loader === undefined) return;
  const original = loader.resolve;
  loader.resolve = function (this: unknown, specifier, parentURL, attributes) {
    const isOther =
      typeof specifier !== "string" ||
      (typeof attributes === "object" &&
        attributes !== null &&
        "type" in attributes);
    const url = isOther ? undefined : urlOf(specifier, parentURL);
    return original.call(this, url ?? specifier, parentURL, attributes);
  };
}

/** Node's loader of ES modules; `undefined` where it can't be had, and packages import the files as they are. */
function ownLoader(): { resolve: Resolve } | undefined {
  try {
    const require = createRequire(import.meta.url);
    const internals: unknown = require(OWN_LOADER);
    if (typeof internals !== "object" || internals === null) return undefined;
    const get: unknown = Reflect.get(
      internals,
      "getOrInitializeCascadedLoader",
    );
    if (typeof get !== "function") return undefined;
    const loader: unknown = Reflect.apply(get, undefined, []);
    const isLoader =
      typeof loader === "object" &&
      loader !== null &&
      "resolve" in loader &&
      typeof loader.resolve === "function";
    return isLoader ? (loader as { resolve: Resolve }) : undefined;
  } catch {
    return undefined;
  }
}
