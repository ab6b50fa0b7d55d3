/**
 * Stack traces in original positions. Node's own source map support reads the
 * map of every module as it's loaded; here a map is read when an error needs it.
 */
import fs from "node:fs";
import { SourceMap } from "node:module";
import type { SourceMapPayload } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** A place in an original file; line and column from 1. */
export interface OriginalPosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface FileMap {
  readonly map: SourceMap;
  readonly file: string;
}

/** `<name>.<identity>.mjs`: only compiled files are looked into. */
const COMPILED = /\.[0-9a-f]{16}\.[mc]js$/;
const maps = new Map<string, FileMap | undefined>();

function readMap(path: string): FileMap | undefined {
  try {
    const link = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(
      fs.readFileSync(path, "utf8"),
    )?.[1];
    if (link === undefined) return undefined;
    const mapPath = fileURLToPath(new URL(link, pathToFileURL(path)));
    const payload = JSON.parse(
      fs.readFileSync(mapPath, "utf8"),
    ) as SourceMapPayload;
    const [source] = payload.sources;
    if (source === undefined) return undefined;
    const file = source.startsWith("file:")
      ? fileURLToPath(source)
      : resolve(dirname(mapPath), source);
    return { map: new SourceMap(payload), file };
  } catch {
    return undefined; // a trace with compiled positions is better than none
  }
}

function mapOf(path: string): FileMap | undefined {
  if (!COMPILED.test(path)) return undefined;
  if (!maps.has(path)) maps.set(path, readMap(path));
  return maps.get(path);
}

const pathOf = (fileOrUrl: string): string =>
  fileOrUrl.startsWith("file:") ? fileURLToPath(fileOrUrl) : fileOrUrl;

/** The original file of a compiled one, or `undefined` for any other. */
export function originalFile(fileOrUrl: string): string | undefined {
  return mapOf(pathOf(fileOrUrl))?.file;
}

/** Where a compiled position comes from; line and column from 1. */
export function originalPosition(
  fileOrUrl: string,
  line: number,
  column: number,
): OriginalPosition | undefined {
  const found = mapOf(pathOf(fileOrUrl));
  if (found === undefined) return undefined;
  const entry = found.map.findEntry(line - 1, column - 1);
  if (!("originalLine" in entry))
    return { file: found.file, line: 1, column: 1 };
  return {
    file: found.file,
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
  };
}

const PLACE =
  /((?:file:\/\/)?\/[^\s()'"]*?\.[0-9a-f]{16}\.[mc]js)(?::(\d+)(?::(\d+))?)?/g;

/** Replaces every compiled file in a text, with or without position, by its original. */
export function originalText(text: string): string {
  return text.replace(
    PLACE,
    (whole, file: string, line?: string, column?: string) => {
      if (line === undefined) return originalFile(file) ?? whole;
      const position = originalPosition(
        file,
        Number(line),
        Number(column ?? 1),
      );
      if (position === undefined) return whole;
      const {
        file: original,
        line: originalLine,
        column: originalColumn,
      } = position;
      return column === undefined
        ? `${original}:${originalLine}`
        : `${original}:${originalLine}:${originalColumn}`;
    },
  );
}

/** A line of a stack. The place is looked up exactly: paths may contain anything. */
function frameText(frame: NodeJS.CallSite): string {
  // V8's call sites print themselves as a stack does; their type doesn't say so.
  const text = (frame as { toString(): string }).toString();
  const [file, line, column] = [
    frame.getFileName(),
    frame.getLineNumber(),
    frame.getColumnNumber(),
  ];
  if (file == null || line === null || column === null) return text;
  const found = originalPosition(file, line, column);
  if (found === undefined) return text;
  return text.replace(
    `${file}:${line}:${column}`,
    () => `${found.file}:${found.line}:${found.column}`,
  );
}

/** From now on `error.stack` shows original positions. An app's own `Error.prepareStackTrace` still wins. */
export function installStackMapping(): void {
  Error.prepareStackTrace = (error, frames) => {
    let header: string;
    try {
      header = String(error);
    } catch {
      header = "Error";
    }
    return [
      header,
      ...frames.map((frame) => `    at ${frameText(frame)}`),
    ].join("\n");
  };
}
