/** What every check of a manifest's shape is made of: values as messages show them, and errors that name the field. Pure. */
import { PreforkError } from "../errors.js";
import { didYouMean, nearest } from "./nearest.js";

/** An object's fields. */
export type Fields = Readonly<Record<string, unknown>>;

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

/** Is it an object with fields, no list? */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Checks one project of a manifest. */
export class Checker {
  readonly #manifest: string;

  /** @param manifest - its name in messages, with the project's where there are several */
  constructor(manifest: string) {
    this.#manifest = manifest;
  }

  /** Says what is wrong with the project as a whole. */
  refuse(problem: string): never {
    throw new PreforkError(
      "ERR_PREFORK_MANIFEST",
      `${this.#manifest}${problem}`,
    );
  }

  /** Says what is wrong with a field. */
  fail(field: string, value: unknown, expected: string): never {
    return this.refuse(`: ${field} is ${shown(value)}. ${expected}`);
  }

  /** Refuses keys that aren't known. */
  keys(field: string, value: Fields, known: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      this.refuse(
        `: ${field} has an unknown key "${key}" (${shown(value[key])}).` +
          `${didYouMean(nearest(key, known))} It can have: ${known.join(", ")}.`,
      );
    }
  }

  /** A text that isn't blank. */
  text(field: string, value: unknown, expected: string): string {
    if (typeof value === "string" && value.trim() !== "") return value;
    return this.fail(field, value, expected);
  }

  /** A list, each of whose items is checked. */
  list<Item>(
    field: string,
    value: unknown,
    expected: string,
    item: (field: string, value: unknown) => Item,
  ): readonly Item[] {
    if (!Array.isArray(value)) return this.fail(field, value, expected);
    return value.map((each: unknown, index) =>
      item(`${field}[${index}]`, each),
    );
  }

  /** A list of paths or globs. */
  paths(field: string, value: unknown): readonly string[] {
    return this.list(
      field,
      value,
      'It must be a list of paths or globs, like ["schema.sql"].',
      (at, each) => this.text(at, each, "It must be a path or a glob."),
    );
  }
}
