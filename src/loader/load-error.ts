/** The texts of errors of loading: what, where, and the remedy. */
import path from "node:path";
import type { Diagnostic } from "../diagnostic.js";
import { PreforkError } from "../errors.js";
import { diagnosticOf } from "../runtime/diagnostic-of.js";

/** A path as messages show it: relative if it's below the root. */
export function shown(root: string, file: string): string {
  const relative = path.relative(root, file);
  return relative.startsWith("..") || path.isAbsolute(relative)
    ? file
    : relative.replaceAll(path.sep, "/");
}

/** Code that can't be compiled. */
export function compileError(
  diagnostics: readonly Diagnostic[],
  root: string,
): PreforkError {
  const texts = diagnostics.map((diagnostic) => textOf(diagnostic, root));
  return new PreforkError(
    "ERR_PREFORK_COMPILE",
    `Nothing was loaded: ${texts.join("\n\n")}\nMend that, then load again.`,
  );
}

/**
 * A source that threw while it was evaluated.
 *
 * @param source - the one that was to be loaded; what it imports may be at fault
 */
export function loadError(
  thrown: unknown,
  source: string,
  output: string | undefined,
  root: string,
): PreforkError {
  const text = textOf(diagnosticOf(thrown, output), root);
  return new PreforkError(
    "ERR_PREFORK_LOAD",
    `${shown(root, source)} can't be loaded: ${text}\nMend that, then load again: what is loaded already isn't loaded a second time.`,
    { cause: thrown },
  );
}

function textOf(
  { message, file, line, column, frame }: Diagnostic,
  root: string,
): string {
  if (file === undefined) return message;
  const place = [shown(root, file), line, column]
    .filter((part) => part !== undefined)
    .join(":");
  const code = frame === undefined ? "" : `\n\n${frame}\n`;
  return `${message}\n  at ${place}${code}`;
}
