/** Checks that what a manifest exports has the shape of a `ProjectConfig`. Pure; errors name the field. */
import { PreforkError } from "../errors.js";
import { didYouMean, nearest } from "./nearest.js";
import type { ProjectConfig, SourceEntry } from "./types.js";

const PROJECT_KEYS = [
  ...["name", "entry", "sources", "changes", "preload", "mixins"],
];
const FILE_KEYS = ["file", "needs", "standby"];
const DIRECTORY_KEYS = ["directory", "sources", "needs", "standby"];

/** Names as the npm registry has them, the old ones with capital letters included. */
const PACKAGE_NAME = /^(?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/;

const CODE = /\.(?:[cm]?[jt]s|[jt]sx)$/;
const MIXIN_EXPECTED =
  "It must be the path of a TypeScript or JavaScript file, relative to the manifest; globs aren't allowed, since the order counts.";

type Fields = Readonly<Record<string, unknown>>;

/** A value as a message shows it: short, and never throwing. */
export function shown(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint" || typeof value === "symbol")
    return String(value);
  try {
    const text = JSON.stringify(value);
    return text.length > 80 ? `${text.slice(0, 77)}…` : text;
  } catch {
    return "an object that contains itself";
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Checks one manifest; `manifest` is its name in messages. */
class Checker {
  readonly #manifest: string;

  constructor(manifest: string) {
    this.#manifest = manifest;
  }

  fail(field: string, value: unknown, expected: string): never {
    throw new PreforkError(
      "ERR_PREFORK_MANIFEST",
      `${this.#manifest}: ${field} is ${shown(value)}. ${expected}`,
    );
  }

  keys(field: string, value: Fields, known: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      throw new PreforkError(
        "ERR_PREFORK_MANIFEST",
        `${this.#manifest}: ${field} has an unknown key "${key}" (${shown(value[key])}).` +
          `${didYouMean(nearest(key, known))} It can have: ${known.join(", ")}.`,
      );
    }
  }

  text(field: string, value: unknown, expected: string): string {
    if (typeof value === "string" && value.trim() !== "") return value;
    return this.fail(field, value, expected);
  }

  paths(field: string, value: unknown): readonly string[] {
    const expected =
      'It must be a list of paths or globs, like ["schema.sql"].';
    if (!Array.isArray(value)) return this.fail(field, value, expected);
    return value.map((each: unknown, index) =>
      this.text(`${field}[${index}]`, each, "It must be a path or a glob."),
    );
  }

  needs(field: string, value: Fields): { needs?: readonly string[] } {
    if (value["needs"] === undefined) return {};
    return { needs: this.paths(`${field}.needs`, value["needs"]) };
  }

  standby(field: string, value: Fields): { standby?: false } {
    const standby = value["standby"];
    // A manifest may compute it, so `true` says what leaving it out says.
    if (standby === undefined || standby === true) return {};
    if (standby === false) return { standby };
    return this.fail(
      `${field}.standby`,
      standby,
      "It must be false (standbys never evaluate this ahead), or left out.",
    );
  }

  packages(field: string, value: unknown): readonly string[] {
    const expected =
      'It must be a list of packages\' names, like ["express", "@fastify/cors"].';
    if (!Array.isArray(value)) return this.fail(field, value, expected);
    return value.map((each: unknown, index) => {
      if (
        typeof each === "string" &&
        PACKAGE_NAME.test(each) &&
        // Allowed by the pattern, but never a package.
        each !== "node_modules"
      )
        return each;
      return this.fail(
        `${field}[${index}]`,
        each,
        'It must be the name of a package, like "express" or "@fastify/cors": no path, no glob, no version.',
      );
    });
  }

  mixins(field: string, value: unknown): readonly string[] {
    const expected =
      'It must be a list of modules of mixins, like ["./mixins/heap.ts"].';
    if (!Array.isArray(value)) return this.fail(field, value, expected);
    return value.map((each: unknown, index) => {
      const file = this.text(`${field}[${index}]`, each, MIXIN_EXPECTED);
      if (CODE.test(file)) return file;
      return this.fail(`${field}[${index}]`, file, MIXIN_EXPECTED);
    });
  }

  entries(field: string, value: unknown): readonly SourceEntry[] {
    const expected =
      'It must be a list of sources, like ["src/models/*.ts", "src/server.ts"].';
    if (!Array.isArray(value)) return this.fail(field, value, expected);
    return value.map((each: unknown, index) =>
      this.entry(`${field}[${index}]`, each),
    );
  }

  entry(field: string, value: unknown): SourceEntry {
    const expected =
      "It must be a path, a glob, { file, needs?, standby? } or { directory, sources, needs?, standby? }.";
    if (typeof value === "string") return this.text(field, value, expected);
    if (!isFields(value)) return this.fail(field, value, expected);
    if (value["file"] !== undefined) {
      this.keys(field, value, FILE_KEYS);
      const file = this.text(
        `${field}.file`,
        value["file"],
        "It must be a path or a glob.",
      );
      return {
        file,
        ...this.needs(field, value),
        ...this.standby(field, value),
      };
    }
    if (value["directory"] === undefined) {
      this.keys(field, value, [...DIRECTORY_KEYS, "file"]);
      return this.fail(field, value, expected);
    }
    this.keys(field, value, DIRECTORY_KEYS);
    return {
      directory: this.text(
        `${field}.directory`,
        value["directory"],
        "It must be the path of a directory.",
      ),
      sources: this.entries(`${field}.sources`, value["sources"]),
      ...this.needs(field, value),
      ...this.standby(field, value),
    };
  }

  project(value: unknown): ProjectConfig {
    const start = "export default defineProject({ entry: … })";
    if (value === undefined)
      throw new PreforkError(
        "ERR_PREFORK_MANIFEST",
        `${this.#manifest} has no default export. Start it with: ${start}`,
      );
    if (!isFields(value))
      this.fail("the default export", value, `It must be a project: ${start}`);
    this.keys("the project", value, PROJECT_KEYS);
    const { name, sources, changes, preload, mixins } = value;
    return {
      entry: this.text(
        "entry",
        value["entry"],
        'It must be the path of the program, relative to the manifest, like "src/server.ts".',
      ),
      ...(name !== undefined && {
        name: this.text("name", name, "It must be a text, or left out."),
      }),
      ...(sources !== undefined && {
        sources: this.entries("sources", sources),
      }),
      ...(changes !== undefined && { changes: this.changes(changes) }),
      ...(preload !== undefined && {
        preload: this.packages("preload", preload),
      }),
      ...(mixins !== undefined && { mixins: this.mixins("mixins", mixins) }),
    };
  }

  changes(value: unknown): Readonly<Record<string, readonly string[]>> {
    if (!isFields(value))
      this.fail(
        "changes",
        value,
        'It must say which sources are reloaded after which, like { "a.ts": ["b.ts", "c.ts"] }.',
      );
    return Object.fromEntries(
      Object.entries(value).map(([key, needers]) => [
        key,
        this.paths(`changes[${JSON.stringify(key)}]`, needers),
      ]),
    );
  }
}

/**
 * What a manifest exports, as a `ProjectConfig`.
 *
 * @param value - the default export
 * @param manifest - the manifest's name in messages
 * @throws PreforkError ERR_PREFORK_MANIFEST - the field, the value received, what is expected
 */
export function parseConfig(value: unknown, manifest: string): ProjectConfig {
  return new Checker(manifest).project(value);
}
