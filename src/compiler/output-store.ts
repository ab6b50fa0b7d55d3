import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { isTemporary, writeAtomically } from "./atomic-write.js";
import { hashOf } from "./hashes.js";
import type { ModuleFormat } from "./record.js";

/** A file name may have 255 bytes on most file systems; identity, extension and a temporary suffix take some. */
const MAX_NAME_BYTES = 180;

/** The compiled files. Content-addressed: what is there is right. */
export class OutputStore {
  readonly #directory: string;
  readonly #records: string;
  readonly #root: string;
  readonly #places = new Map<string, string>();
  /** The names in each directory that was looked into. */
  readonly #names = new Map<string, Set<string>>();

  constructor(directory: string, records: string, root: string) {
    this.#directory = directory;
    this.#records = records;
    this.#root = root;
  }

  /** Where the compiled file of a source with an identity is. */
  pathOf(source: string, identity: string, format: ModuleFormat): string {
    const extension = format === "esm" ? ".mjs" : ".cjs";
    return `${this.#place(source)}.${identity}${extension}`;
  }

  /** The relative URL of a record from an output. */
  mapUrl(output: string, key: string): string {
    const up = relative(dirname(output), this.#records).split(sep).join("/");
    return `${up}/${key}.json`;
  }

  /** Whether an output is there. */
  has(output: string): boolean {
    return this.#namesIn(dirname(output)).has(basename(output));
  }

  /** Forgets what was seen: somebody else may have deleted outputs. */
  lookAgain(): void {
    this.#names.clear();
  }

  /** Writes an output. */
  write(output: string, text: string): void {
    writeAtomically(output, text);
    this.#namesIn(dirname(output)).add(basename(output));
  }

  /** Deletes all others. Only for the one who uses the cache alone. */
  deleteExcept(held: ReadonlySet<string>): void {
    this.#names.clear();
    this.#deleteIn(this.#directory, held);
  }

  /** Returns whether the directory is empty afterwards. */
  #deleteIn(directory: string, held: ReadonlySet<string>): boolean {
    let left = 0;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        if (this.#deleteIn(path, held)) rmdirSync(path);
        else left++;
      } else if (isTemporary(entry.name) || !held.has(path)) {
        rmSync(path, { force: true });
      } else {
        left++;
      }
    }
    return left === 0;
  }

  #place(source: string): string {
    const known = this.#places.get(source);
    if (known !== undefined) return known;
    const place = this.#placeOf(source);
    this.#places.set(source, place);
    return place;
  }

  #placeOf(source: string): string {
    const relativePath = relative(this.#root, source)
      .split(sep)
      // Outside the root; a directory of this name inside would only share the folder, not the file.
      .map((part) => (part === ".." ? "__up" : part.replace(/:$/, "")))
      .join(sep);
    const place = join(this.#directory, relativePath);
    const name = basename(place);
    if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return place;
    return join(dirname(place), hashOf(name) + extname(name));
  }

  #namesIn(directory: string): Set<string> {
    let names = this.#names.get(directory);
    if (names === undefined) {
      names = new Set(listIfThere(directory));
      this.#names.set(directory, names);
    }
    return names;
  }
}

function listIfThere(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
