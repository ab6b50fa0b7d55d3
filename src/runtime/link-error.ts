/**
 * Where an import stands that can't be linked. Node says so when a module is imported, but not when it's
 * loaded synchronously: then the compiled modules are searched, from the entry on.
 */
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import type { OriginalPosition } from "./stack.js";
import { originalPosition } from "./stack.js";

// V8's kUnresolvableExport and kAmbiguousExport.
const LINK_ERROR =
  /^The requested module '(.+)' (?:does not provide an export named|contains conflicting star exports for the name) '([^']+)'/;

/** A compiled file, as other compiled files import it. */
const COMPILED_URL = /"(file:[^"]+\.[0-9a-f]{16}\.mjs)"/g;

/**
 * Finds the import that an error is about.
 *
 * @param output - the compiled entry
 */
export function linkErrorPosition(
  error: Error,
  output: string,
): OriginalPosition | undefined {
  const [, specifier, name] = LINK_ERROR.exec(error.message) ?? [];
  if (specifier === undefined || name === undefined) return undefined;
  const files = new Set([output]);
  // A Set's iteration also visits what is added on the way.
  for (const file of files) {
    const text = readIfThere(file);
    const place = find(text, JSON.stringify(specifier), name);
    if (place !== undefined)
      return originalPosition(file, place.line, place.column);
    for (const [, url = ""] of text.matchAll(COMPILED_URL))
      files.add(fileURLToPath(url));
  }
  return undefined;
}

/** esbuild prints an import on one line. */
function find(
  text: string,
  literal: string,
  name: string,
): { line: number; column: number } | undefined {
  const isDefault = name === "default";
  for (const [index, line] of text.split("\n").entries()) {
    if (!/^(?:import|export)\b/.test(line) || !line.includes(literal)) continue;
    const imported = isDefault
      ? /^import (?=[\w$])|\bdefault\b/.exec(line)
      : new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`).exec(
          line,
        );
    if (imported === null) continue;
    const offset = isDefault && imported[0] === "import " ? 7 : 0;
    return { line: index + 1, column: imported.index + offset + 1 };
  }
  return undefined;
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
