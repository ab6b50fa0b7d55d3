import { basename } from "node:path";
import { createPathsMatcher, findTsconfig, parseTsconfig } from "get-tsconfig";
import type { Diagnostic } from "../diagnostic.js";
import { messageOf } from "../errors.js";

/** What of a tsconfig matters here. */
export interface Tsconfig {
  /** The compiler options that esbuild reads, as JSON of a tsconfig. */
  readonly raw: string;
  /** Absolute paths that `paths` and `baseUrl` offer for a specifier, best first. */
  readonly candidates: (specifier: string) => readonly string[];
  /** It can't be read, or extends what isn't there. */
  readonly problem: Diagnostic | undefined;
}

const NAME = "tsconfig.json";

const NONE: Tsconfig = { raw: "{}", candidates: () => [], problem: undefined };

// https://esbuild.github.io/content-types/#tsconfig-json, those that a transform of one file takes into account.
const OPTIONS = [
  "alwaysStrict",
  "experimentalDecorators",
  "importsNotUsedAsValues",
  "jsx",
  "jsxFactory",
  "jsxFragmentFactory",
  "jsxImportSource",
  "preserveValueImports",
  "strict",
  "target",
  "useDefineForClassFields",
  "verbatimModuleSyntax",
] as const;

/** Finds the nearest tsconfig.json of each directory. */
export class TsconfigFinder {
  readonly #byDirectory = new Map<string, Tsconfig>();
  #byPath = new Map<string, Tsconfig>();
  // get-tsconfig keeps here what it asked of the file system, under "<function>:<path>:<options>".
  #cache = new Map<string, string>();
  #found = new Set<string>();

  /** The tsconfig of sources in a directory. */
  of(directory: string): Tsconfig {
    const known = this.#byDirectory.get(directory);
    if (known !== undefined) return known;
    const tsconfig = this.#find(directory);
    this.#byDirectory.set(directory, tsconfig);
    return tsconfig;
  }

  /** The tsconfig files in use and what they extend, also what isn't there (yet). */
  files(): Set<string> {
    const files = new Set(this.#found);
    for (const key of this.#cache.keys()) {
      const path = /^(?:readFileSync|existsSync):(.+?)(?::utf-?8)?$/.exec(
        key,
      )?.[1];
      // On its way up, the search asks for a tsconfig.json in every directory.
      if (path !== undefined && basename(path) !== "tsconfig.json") {
        files.add(path);
      }
    }
    return files;
  }

  /** What is wrong with them. */
  problems(): Diagnostic[] {
    return [...this.#byPath.values()].flatMap(({ problem }) => problem ?? []);
  }

  /** Forgets everything. */
  clear(): void {
    this.#byDirectory.clear();
    this.#byPath = new Map();
    this.#cache = new Map();
    this.#found = new Set();
  }

  #find(directory: string): Tsconfig {
    const path = findTsconfig(directory, NAME, this.#cache);
    if (path === undefined) return NONE;
    this.#found.add(path);
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const tsconfig = this.#read(path);
    this.#byPath.set(path, tsconfig);
    return tsconfig;
  }

  #read(path: string): Tsconfig {
    try {
      const config = parseTsconfig(path, this.#cache);
      return {
        raw: rawOptions(config.compilerOptions ?? {}),
        candidates: createPathsMatcher({ path, config }) ?? NONE.candidates,
        problem: undefined,
      };
    } catch (error) {
      const message = `${basename(path)} can't be used: ${messageOf(error)}`;
      return { ...NONE, problem: { message, file: path } };
    }
  }
}

function rawOptions(options: object): string {
  const kept: Record<string, unknown> = {};
  for (const name of OPTIONS) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) kept[name] = value;
  }
  // Kept for another tool to transform: here is no other tool, and Node can't run JSX.
  if (kept["jsx"] === "preserve" || kept["jsx"] === "react-native") {
    kept["jsx"] = "react-jsx";
  }
  return JSON.stringify({ compilerOptions: kept });
}
