import { readFileSync } from "node:fs";
import { writeAtomically } from "./atomic-write.js";
import type { ImportRequest, ModuleFormat, RecordSummary } from "./record.js";
import type { RuntimeEdge, SourceFile } from "./source-file.js";

/** One source in the index: what a warm start would otherwise read from its record. */
export interface IndexEntry {
  readonly path: string;
  readonly key: string;
  readonly summary: RecordSummary;
  readonly runtimeEdges: readonly RuntimeEdge[];
}

/** Writes the index. It is only a shortcut: without it, the records are read. */
export function writeIndex(
  path: string,
  files: Iterable<SourceFile>,
  runtimeEdges: ReadonlyMap<string, readonly RuntimeEdge[]>,
): void {
  const entries: IndexEntry[] = [];
  for (const file of files) {
    if (file.summary === undefined) continue;
    const { format, imports, before, isWorkerSpecific } = file.summary;
    entries.push({
      path: file.path,
      key: file.key,
      // Not what else a record in memory carries.
      summary: { format, imports, before, isWorkerSpecific },
      runtimeEdges: runtimeEdges.get(file.path) ?? [],
    });
  }
  writeAtomically(path, JSON.stringify(entries));
}

/** Reads the index; empty when there is none, or none that can be used. */
export function readIndex(path: string): IndexEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return [];
  }
  return Array.isArray(value) ? value.filter(isEntry) : [];
}

function isEntry(value: unknown): value is IndexEntry {
  if (typeof value !== "object" || value === null) return false;
  const { path, key, summary, runtimeEdges } = value as Partial<
    Record<keyof IndexEntry, unknown>
  >;
  return (
    typeof path === "string" &&
    typeof key === "string" &&
    isSummary(summary) &&
    Array.isArray(runtimeEdges) &&
    runtimeEdges.every(isEdge)
  );
}

function isSummary(value: unknown): value is RecordSummary {
  if (typeof value !== "object" || value === null) return false;
  const { format, imports, before, isWorkerSpecific } = value as Partial<
    Record<keyof RecordSummary, unknown>
  >;
  const formats: readonly unknown[] = ["esm", "cjs"] satisfies ModuleFormat[];
  return (
    formats.includes(format) &&
    Array.isArray(imports) &&
    imports.every(isImport) &&
    Array.isArray(before) &&
    before.every((index) => typeof index === "number") &&
    typeof isWorkerSpecific === "boolean"
  );
}

function isImport(value: unknown): value is ImportRequest {
  if (typeof value !== "object" || value === null) return false;
  const { specifier, kind, isStatic } = value as Partial<
    Record<keyof ImportRequest, unknown>
  >;
  return (
    typeof specifier === "string" &&
    (kind === "import" || kind === "require") &&
    typeof isStatic === "boolean"
  );
}

function isEdge(value: unknown): value is RuntimeEdge {
  if (typeof value !== "object" || value === null) return false;
  const { from, specifier, kind } = value as Partial<
    Record<keyof RuntimeEdge, unknown>
  >;
  return (
    typeof from === "string" &&
    typeof specifier === "string" &&
    (kind === "import" || kind === "require")
  );
}
