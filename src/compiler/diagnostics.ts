/**
 * Every message of the compiler about the user's code, and the places it points at.
 *
 * Pure but for the directory listings behind "Nearest". The terminal (`cli/`) only prints these.
 */
import type { Message } from "esbuild";
import { codeFrame } from "../diagnostic.js";
import type { Diagnostic } from "../diagnostic.js";
import { relative, sep } from "node:path";

/** Thrown inside the compiler for faults in the user's code; never leaves it. */
export class SourceFault extends Error {
  override name = "SourceFault";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(({ message }) => message).join("\n"));
    this.diagnostics = diagnostics;
  }
}

/** A path as it is shown: relative to the root with forward slashes, absolute when it is elsewhere. */
export function shownPath(root: string, path: string): string {
  return path.startsWith(root + sep)
    ? relative(root, path).split(sep).join("/")
    : path;
}

/** A diagnostic at an offset of the original text. */
export function diagnosticAt(
  message: string,
  file: string,
  text: string,
  offset: number,
): Diagnostic {
  const before = text.slice(0, offset).split(/\r\n|[\r\n]/);
  const line = before.length;
  const column = (before.at(-1) ?? "").length + 1;
  return withFrame({ message, file, line, column }, text);
}

/** esbuild's messages about one file. */
export function esbuildDiagnostics(
  messages: readonly Message[],
  file: string,
  text: string,
): Diagnostic[] {
  return messages.map((message) => {
    const notes = message.notes.map((note) => note.text).filter(Boolean);
    const full = [message.text, ...notes].join("\n");
    const { location } = message;
    if (location === null) return { message: full, file };
    // esbuild counts columns in bytes of UTF-8, from 0.
    const bytes = Buffer.from(location.lineText).subarray(0, location.column);
    const place = { line: location.line, column: bytes.toString().length + 1 };
    return withFrame({ message: full, file, ...place }, text);
  });
}

/** JSON that can't be parsed; Node's message says where for most faults. */
export function jsonDiagnostic(
  error: unknown,
  file: string,
  text: string,
): Diagnostic {
  const said = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(said)?.[1];
  const message = `This is no valid JSON: ${said}`;
  if (position !== undefined) {
    return diagnosticAt(message, file, text, Number(position));
  }
  // "Unexpected end of JSON input" has no position.
  return diagnosticAt(message, file, text, text.trimEnd().length);
}

/**
 * The offset of the string in the original that an import's specifier was read from.
 *
 * @param fromLine - the original line (from 1) to start looking at, as the source map tells
 */
export function specifierOffset(
  text: string,
  specifier: string,
  fromLine: number,
): number | undefined {
  const quoted = specifier.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const before = String.raw`(?:\bfrom|\bimport|\brequire(?:\.resolve)?)\s*\(?\s*`;
  const patterns = [
    new RegExp(`${before}(?<string>["'\`])${quoted}\\k<string>`, "g"),
    new RegExp(`(?<string>["'\`])${quoted}\\k<string>`, "g"),
  ];
  const lines = text.split("\n").slice(0, fromLine - 1);
  const start = lines.reduce((sum, line) => sum + line.length + 1, 0);
  for (const pattern of patterns) {
    for (const from of [start, 0]) {
      pattern.lastIndex = from;
      const match = pattern.exec(text);
      if (match !== null) {
        return match.index + match[0].length - specifier.length - 2;
      }
    }
  }
  return undefined;
}

/** A batch's diagnostics for showing: each once, at most 20. */
export function limitDiagnostics(
  diagnostics: readonly Diagnostic[],
): Diagnostic[] {
  const unique = new Map<string, Diagnostic>();
  for (const item of diagnostics) {
    const { file, line, column, message } = item;
    unique.set(`${file}:${line}:${column}:${message}`, item);
  }
  const all = [...unique.values()];
  if (all.length <= LIMIT) return all;
  const rest = all.length - LIMIT;
  return [...all.slice(0, LIMIT), { message: `… and ${rest} more errors.` }];
}

const LIMIT = 20;

function withFrame(diagnostic: Diagnostic, text: string): Diagnostic {
  const { line, column } = diagnostic;
  if (line === undefined || column === undefined) return diagnostic;
  const frame = codeFrame(text, line, column);
  return frame === undefined ? diagnostic : { ...diagnostic, frame };
}
