/** Messages about imports that don't resolve. Only made when a build fails, so they may read files again. */
import { readdirSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import type { SourceMapPayload } from "node:module";
import { basename, dirname, extname, relative, resolve, sep } from "node:path";
import type { Diagnostic } from "../diagnostic.js";
import { diagnosticAt, shownPath, specifierOffset } from "./diagnostics.js";
import { loaderByName } from "./kinds.js";
import type { ImportRequest, LinkableCode } from "./record.js";
import type { Resolution } from "./resolve.js";
import type { SourceFile } from "./source-file.js";

/** Whether a resolution makes the importer unusable: it is evaluated before anything could catch that. */
export function isFatal(
  { isStatic, kind, specifier }: ImportRequest,
  resolution: Resolution,
): boolean {
  if (!isStatic) return false;
  if (resolution.kind !== "missing")
    return resolution.kind === "asset" && kind === "import";
  // CommonJS code may teach `require` its own names (module-alias and the like) before it asks for them.
  return kind === "import" || isRelative(specifier);
}

/** The diagnostic for a fatal import. */
export function unresolvedDiagnostic(
  root: string,
  file: SourceFile,
  index: number,
  code: LinkableCode | undefined,
  recordPath: string,
): Diagnostic {
  const request = file.summary?.imports[index];
  const resolution = file.resolutions[index];
  if (request === undefined || resolution === undefined) {
    return { message: "An import can't be resolved.", file: file.path };
  }
  const message = messageFor(root, file.path, request, resolution);
  try {
    const text = readFileSync(file.path, "utf8");
    const line = code === undefined ? 1 : mappedLine(code, index, recordPath);
    const offset = specifierOffset(text, request.specifier, line);
    if (offset !== undefined) {
      return diagnosticAt(message, file.path, text, offset);
    }
  } catch {
    // Changed or gone in the meantime: the message alone then.
  }
  return { message, file: file.path };
}

/** The original line (from 1) of an import. */
function mappedLine(
  { code, places }: LinkableCode,
  index: number,
  recordPath: string,
): number {
  const place = places.find(({ request }) => request === index);
  if (place === undefined) return 1;
  const before = code.slice(0, place.start).split("\n");
  const payload = JSON.parse(
    readFileSync(recordPath, "utf8"),
  ) as SourceMapPayload;
  const map = new SourceMap(payload);
  // The record's map is that of the output, whose first line is the prologue.
  const entry = map.findEntry(before.length, before.at(-1)?.length ?? 0);
  return "originalLine" in entry ? entry.originalLine + 1 : 1;
}

function messageFor(
  root: string,
  importer: string,
  { specifier }: ImportRequest,
  resolution: Resolution,
): string {
  const from = shownPath(root, importer);
  if (resolution.kind === "asset") {
    const shown = shownPath(root, resolution.path);
    return (
      `${shown} can't be imported (from ${from}): it is no JavaScript, TypeScript or JSON. ` +
      `Read it with node:fs, and list it under "sources" so that a change reloads what needs it.`
    );
  }
  const reason = resolution.kind === "missing" ? resolution.reason : "";
  if (isRelative(specifier)) {
    const nearest = nearestTo(importer, specifier);
    const hint = nearest === undefined ? "" : ` Nearest: ${nearest}.`;
    return `Cannot find ${specifier} imported from ${from}.${hint}`;
  }
  if (
    !/^(?:Cannot find module|Package path)?\s*/.test(reason) ||
    reason.includes("not exported") ||
    reason.includes("not defined")
  ) {
    return `Cannot find ${specifier} imported from ${from}: ${reason}.`;
  }
  const name = packageName(specifier);
  if (name === undefined)
    return `Cannot find ${specifier} imported from ${from}.`;
  return `Cannot find package ${specifier} imported from ${from}. Is it installed? (npm install ${name})`;
}

/** The existing module whose name is most like a relative specifier's, as a specifier. */
function nearestTo(importer: string, specifier: string): string | undefined {
  const wanted = resolve(dirname(importer), specifier);
  const directory = dirname(wanted);
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return undefined;
  }
  const stem = stemOf(wanted);
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    if (loaderByName(name) === undefined) continue;
    if (resolve(directory, name) === importer) continue;
    const distance = editDistance(stem, stemOf(name));
    if (distance > Math.max(2, stem.length / 3)) continue;
    if (best === undefined || distance < best.distance)
      best = { name, distance };
  }
  if (best === undefined) return undefined;
  const path = relative(dirname(importer), resolve(directory, best.name));
  const shown = path.split(sep).join("/");
  return shown.startsWith("../") ? shown : `./${shown}`;
}

function stemOf(path: string): string {
  return basename(path, extname(path)).toLowerCase();
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const inserted = (next[j - 1] ?? 0) + 1;
      const removed = (row[j] ?? 0) + 1;
      next.push(Math.min(replaced, inserted, removed));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function isRelative(specifier: string): boolean {
  return /^\.{0,2}(?:\/|$)/.test(specifier);
}

function packageName(specifier: string): string | undefined {
  return /^(?:@[^/]+\/)?[^/@#:][^/:]*/.exec(specifier)?.[0];
}
