import { existsSync, readFileSync, statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Diagnostic } from "../diagnostic.js";
import { systemErrorCode } from "../errors.js";
import type { SourceNode } from "../graph/index.js";
import type { Evaluation } from "./evaluation.js";
import type { RecordSummary } from "./record.js";
import type { Resolution } from "./resolve.js";
import type { RuntimeRequest } from "./types.js";

/** What is known of one source as it was last read. */
export interface SourceFile {
  readonly path: string;
  readonly mtimeMs: number;
  readonly contentHash: string;
  readonly isEmpty: boolean;
  /** How often it was touched since the content last changed. */
  readonly touches: number;
  /** Code has a record, other sources (templates, …) have none. */
  readonly isCode: boolean;
  /** Its record's name; for other sources the content's hash. */
  key: string;
  /** `undefined` when it is no code, or wrong code: see `problems`. */
  summary: RecordSummary | undefined;
  problems: readonly Diagnostic[];
  /** What each of `summary.imports` means, as of the resolver's epoch. */
  resolutions: readonly Resolution[];
  resolvedAt: number;
  /** Indexes of imports that don't resolve although they must. */
  unresolved: readonly number[];
  /** What it depends on, in load order. */
  references: readonly Reference[];
  /** What is evaluated before and by its code, as of `resolutions`. */
  evaluation: Evaluation;
  /** The same as a node of the graph; another object whenever something in it is different. */
  node: SourceNode;
}

/** A path that something depends on. */
export interface Reference {
  readonly path: string;
  /** Imported or run: code even if its name doesn't say so. */
  readonly isImported: boolean;
}

/** A file's content and when it was written. */
export interface SourceContent {
  readonly data: Buffer;
  readonly mtimeMs: number;
}

/** What a process asked for at run time; remembered as an edge of its importer. */
export type RuntimeEdge = RuntimeRequest;

/** A writer that truncates first shows an empty file for an instant; one that replaces, none. */
const WRITER_GRACE_MS = 10;

/** Thrown when a file is not what it was a moment ago: the build starts over. */
export class ChangedMeanwhile extends Error {
  override name = "ChangedMeanwhile";
  readonly path: string;

  constructor(path: string) {
    super(`${path} changed while it was compiled.`);
    this.path = path;
  }
}

/** Reads a file; `undefined` when there is none. */
export function readSource(path: string): SourceContent | undefined {
  try {
    // In this order, a write in between shows as a touch later, never as nothing.
    const { mtimeMs } = statSync(path);
    return { data: readFileSync(path), mtimeMs };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Which of these have no file; those are asked about twice, 10 ms apart, since a writer may be replacing them. */
export async function withoutFile(paths: readonly string[]): Promise<string[]> {
  const gone = paths.filter((path) => !existsSync(path));
  if (gone.length === 0) return gone;
  await setTimeout(WRITER_GRACE_MS);
  return gone.filter((path) => !existsSync(path));
}

/** Reads a file that had content before: if it is empty now, a writer may be at it, so it is read again after 10 ms. */
export async function readAgain(
  path: string,
): Promise<SourceContent | undefined> {
  const content = readSource(path);
  if (content !== undefined && content.data.length > 0) return content;
  await setTimeout(WRITER_GRACE_MS);
  return readSource(path);
}
