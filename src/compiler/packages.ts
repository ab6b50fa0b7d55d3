import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hashOf } from "./hashes.js";

const LOCK_FILES = [
  "package-lock.json",
  "npm-shrinkwrap.json",
  "pnpm-lock.yaml",
  "yarn.lock",
  "bun.lock",
  join("node_modules", ".package-lock.json"),
];

/** The nearest `package.json` of a directory. */
export interface NearestPackage {
  /** Absolute path; `undefined` when there is none up to the file system's root. */
  readonly path: string | undefined;
  readonly type: "module" | "commonjs" | undefined;
}

/** Finds what `package.json` and lock files say about a directory's sources. */
export class PackageFinder {
  readonly #byDirectory = new Map<string, NearestPackage>();
  readonly #lockFiles: readonly string[];
  readonly #rootPackage: string;
  #salt: string | undefined;

  constructor(root: string) {
    this.#lockFiles = lockFiles(root);
    this.#rootPackage = join(root, "package.json");
  }

  /** The nearest `package.json` of sources in a directory, as Node looks for it. */
  of(directory: string): NearestPackage {
    const known = this.#byDirectory.get(directory);
    if (known !== undefined) return known;
    const found = this.#find(directory);
    this.#byDirectory.set(directory, found);
    this.#salt = undefined;
    return found;
  }

  /** The `package.json` files that were consulted, the root's, and the lock files; some may not exist (yet). */
  files(): Set<string> {
    const files = new Set([this.#rootPackage, ...this.#lockFiles]);
    for (const { path } of this.#byDirectory.values()) {
      if (path !== undefined) files.add(path);
    }
    return files;
  }

  /** Changes when any of {@link files} does: packages may have been installed. */
  salt(): string {
    if (this.#salt !== undefined) return this.#salt;
    const parts = [...this.files()].sort().map((path) => {
      const content = readIfThere(path);
      return `${path}\0${content === undefined ? "" : hashOf(content)}`;
    });
    this.#salt = hashOf(parts.join("\n"));
    return this.#salt;
  }

  /** Forgets everything. */
  clear(): void {
    this.#byDirectory.clear();
    this.#salt = undefined;
  }

  #find(directory: string): NearestPackage {
    if (basename(directory) !== "node_modules") {
      const path = join(directory, "package.json");
      const content = readIfThere(path);
      if (content !== undefined) {
        return { path, type: packageType(content.toString()) };
      }
    }
    const parent = dirname(directory);
    if (parent === directory) return { path: undefined, type: undefined };
    return this.of(parent);
  }
}

/** Whether a change of a file with this name may change how sources are compiled or resolved. */
export function isConfigFile(path: string): boolean {
  const name = basename(path);
  return name === "package.json" || /^tsconfig.*\.json$/.test(name);
}

/** The root's lock files, and those of the workspace that it may be a package of. */
function lockFiles(root: string): string[] {
  const here = LOCK_FILES.map((name) => join(root, name));
  if (here.some((path) => existsSync(path))) return here;
  for (let at = dirname(root); ; at = dirname(at)) {
    const there = LOCK_FILES.map((name) => join(at, name));
    if (there.some((path) => existsSync(path))) return [...here, ...there];
    if (at === dirname(at)) return here;
  }
}

function packageType(content: string): NearestPackage["type"] {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== "object" || value === null) return undefined;
    const type: unknown = Reflect.get(value, "type");
    return type === "module" || type === "commonjs" ? type : undefined;
  } catch {
    // Being written, or broken: Node will say so when a process starts.
    return undefined;
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
