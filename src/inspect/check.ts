/**
 * `prefork-dev check`: compares a manifest with what its sources import. The comparisons are pure functions, in
 * `check-list.ts` and `check-edges.ts`; what is safe to mend is done by `fix.ts`.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { specifierOffset } from "../compiler/diagnostics.js";
import type { Diagnostic } from "../diagnostic.js";
import { messageOf, PreforkError } from "../errors.js";
import type { Listing } from "../manifest/listing.js";
import { relativeTo } from "../manifest/messages.js";
import { writtenOutputs } from "../manifest/outputs.js";
import type { WrittenOutputs } from "../manifest/outputs.js";
import { contradictedOrder, impliedNeeds } from "./check-edges.js";
import { duplicates, unlisted, unused } from "./check-list.js";
import { textAt } from "./field.js";
import { scanned } from "./open-model.js";
import { quickListing } from "../manifest/quick-listing.js";
import { projectOfManifest } from "./read-project.js";
import type { ReadManifest, ReadProject } from "./read-project.js";
import type { Edge, Finding, ProjectModel } from "./types.js";
import { writtenList } from "./written.js";
import type { MissingEntry } from "./written.js";

/** What is compared: the faults that keep a manifest from being used at all are findings like the others. */
const UNUSABLE: ReadonlySet<string> = new Set([
  "ERR_PREFORK_SOURCE_MISSING",
  "ERR_PREFORK_NEEDS_UNKNOWN",
  "ERR_PREFORK_NEEDS_CYCLE",
]);

/** Compares a manifest with what its sources import. */
export async function findingsOf(manifest: ReadManifest): Promise<Finding[]> {
  const { config, name, place } = manifest;
  const listing = quickListing();
  const written = writtenList(config, place, listing);
  const findings = written.missing.map(missingFinding);
  const project = usable({ config: written.config, name, place }, listing);
  // Until that is mended, nobody can tell what else there is.
  if ("kind" in project) return [...findings, project];
  const model = await scanned(project);
  const outputs = writtenOutputs(config, place, listing);
  findings.push(...duplicates(written.entries), ...broken(model, outputs));
  // Without a list, there is nothing to compare but needs.
  if (config.sources !== undefined) {
    findings.push(
      ...unlisted(model, written.entries, placeOfEdge(model.root)),
      ...unused(model, written.entries),
      ...contradictedOrder(model, written.entries, placeOfEdge(model.root)),
    );
  }
  const textOf = (field: string): string | undefined => textAt(config, field);
  return [...findings, ...impliedNeeds(model, project.needs, textOf)];
}

function missingFinding({ field, text, message }: MissingEntry): Finding {
  return {
    kind: "missing",
    field,
    text,
    // As the server says it, which would stop at the first.
    message,
    remedy: "",
    isFixable: false,
  };
}

function usable(
  manifest: Parameters<typeof projectOfManifest>[0],
  listing: Listing,
): ReadProject | Finding {
  try {
    return projectOfManifest(manifest, listing);
  } catch (error) {
    if (!(error instanceof PreforkError) || !UNUSABLE.has(error.code))
      throw error;
    return {
      kind: "missing",
      message: messageOf(error),
      remedy: "",
      isFixable: false,
    };
  }
}

function broken(
  { root, problems }: ProjectModel,
  outputs: WrittenOutputs,
): Finding[] {
  const left = problems.filter((problem) => !leadsToOutput(problem, outputs));
  return left.map(({ message, file, line }) => {
    const place = line === undefined ? "" : `:${line}`;
    return {
      kind: "broken",
      ...(file !== undefined && {
        source: `${relativeTo(root, file)}${place}`,
      }),
      message,
      remedy: "What it imports isn't known until it's mended.",
      isFixable: false,
    };
  });
}

/** Is it an import of what a step has yet to make? */
function leadsToOutput(
  { message, file }: Diagnostic,
  outputs: WrittenOutputs,
): boolean {
  const [, specifier = ""] =
    /^Cannot find (\.\S+) imported/.exec(message) ?? [];
  if (specifier === "" || file === undefined) return false;
  const inTypeScript = specifier.replace(/\.([cm]?)js(x?)$/, ".$1ts$2");
  const names = [specifier, inTypeScript, `${specifier}.ts`];
  return names.some((name) => outputs.mayMake(name, path.dirname(file)));
}

/** Shows where an import stands: `src/a.ts:3`. */
export function placeOfEdge(root: string): (edge: Edge) => string {
  return ({ from, where, kind }) => {
    const shown = relativeTo(root, from);
    if (["needs", "runtime", "step"].includes(kind)) return shown;
    try {
      const text = readFileSync(from, "utf8");
      const offset = specifierOffset(text, where, 1);
      if (offset === undefined) return shown;
      return `${shown}:${text.slice(0, offset).split("\n").length}`;
    } catch {
      // Gone, or not to be read: its name is enough.
      return shown;
    }
  };
}
