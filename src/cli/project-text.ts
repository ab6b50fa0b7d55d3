/** What `init`, `check`, `files` and `graph` print. Pure. */
import path from "node:path";
import type { Diagnostic } from "../diagnostic.js";
import type { Checked } from "../inspect/inspect.js";
import type { Edge, Finding, ProjectModel } from "../inspect/types.js";
import { relativeTo } from "../manifest/messages.js";
import { diagnosticText, plural } from "./format.js";

/** The manifest that `init` wrote. */
interface Initialized {
  readonly path: string;
  readonly sources: number;
  readonly suggestions: number;
}

/** The answer to `files --why`. */
interface Why {
  readonly model: ProjectModel;
  readonly from: string;
  readonly to: string;
  readonly way: readonly Edge[] | undefined;
}

const VERBS: Readonly<Record<Edge["kind"], string>> = {
  import: "imports",
  require: "requires",
  dynamic: "imports, when it's asked to,",
  runtime: "asked at run time for",
  needs: "needs",
  step: "is made from",
};

export function initText(
  { path: file, sources, suggestions }: Initialized,
  cwd: string,
): string {
  const needs =
    suggestions === 0
      ? ""
      : `, and ${plural(suggestions, "suggestion")} for needs in its comments`;
  return (
    `✓ wrote ${relativeTo(cwd, file)}: ${plural(sources, "source")}${needs}\n` +
    `  "prefork-dev" beside it runs it, "prefork-dev check" compares it with the imports.\n`
  );
}

/** One finding per line, so that it can be searched, and how many there are. */
export function checkedText(checked: Checked, cwd: string): string {
  const { manifest, findings, fixed, notFixed } = checked;
  if (manifest === undefined)
    return 'There is no manifest, so there is nothing to compare. "prefork-dev init" writes one.\n';
  const name = relativeTo(cwd, manifest);
  const summary =
    findings.length === 0
      ? `✓ ${name} says what the imports say`
      : `✗ ${name}: ${plural(findings.length, "finding")}`;
  const fixable = findings.filter(({ isFixable }) => isFixable).length;
  const hint =
    fixable === 0 || notFixed.length > 0
      ? ""
      : `, ${fixable} of them for --fix to mend`;
  return [
    ...fixed.map((finding) => `fixed: ${name}: ${findingText(finding)}`),
    ...notFixed.map(
      ({ field = "", text = "" }) =>
        `not fixed: ${name}: ${field} "${text}" isn't written there as a text of its own. Mend it by hand.`,
    ),
    ...findings.map((finding) => `${name}: ${findingText(finding)}`),
    `${summary}${hint}\n`,
  ].join("\n");
}

function findingText(finding: Finding): string {
  const { kind, field, text, source, message, remedy } = finding;
  // The manifest's own messages say where themselves.
  if (kind === "missing") return `${kind}: ${withoutName(message)}`;
  const place = [
    field === undefined || text === undefined ? field : `${field} "${text}"`,
    source,
  ].filter((part) => part !== undefined);
  return `${kind}: ${place.join(" ")} ${message} ${remedy}`.trimEnd();
}

/** Without the manifest's name, which stands in front already. */
function withoutName(message: string): string {
  return message.replace(/^\S*prefork\.config\S*: /, "");
}

export function checkedJson(checked: Checked, cwd: string): object {
  const { manifest, findings, fixed } = checked;
  return {
    manifest: manifest === undefined ? null : relativeTo(cwd, manifest),
    findings,
    fixed,
  };
}

/** One path behind the other. */
export function filesText(
  { root }: ProjectModel,
  sources: readonly string[],
  end: "\n" | "\0",
): string {
  return sources.map((source) => `${relativeTo(root, source)}${end}`).join("");
}

export function filesJson(
  model: ProjectModel,
  sources: readonly string[],
): object {
  const { root, manifest, entry, listed, edges } = model;
  const isListed = new Set(listed);
  const relative = (file: string): string => relativeTo(root, file);
  return {
    root,
    manifest: manifest === undefined ? null : path.basename(manifest),
    entry: relative(entry),
    sources: sources.map((source) => ({
      path: relative(source),
      isListed: isListed.has(source),
      dependsOn: (edges.get(source) ?? []).map(({ to, kind, where }) => ({
        path: relative(to),
        kind,
        where,
      })),
    })),
  };
}

/** A line for each step, from what changes to what is reloaded. */
export function whyText(
  { model, from, to, way }: Why,
  placeOf: (edge: Edge) => string,
): string {
  const { root, manifest } = model;
  const relative = (file: string): string => relativeTo(root, file);
  if (model.unreloaded.has(from))
    return `A change of ${relative(from)} reloads nothing: the manifest says "reload: false" of it.\n`;
  if (way === undefined)
    return `A change of ${relative(from)} doesn't reload ${relative(to)}: that neither imports nor needs it, directly or through others.\n`;
  if (way.length === 0)
    return `${relative(to)} is the source that changes: it's reloaded itself.\n`;
  const lines = way.map((edge) => {
    const place =
      edge.kind === "needs" || edge.kind === "step"
        ? `${path.basename(manifest ?? "")}: ${edge.where}`
        : `${placeOf(edge)}: ${JSON.stringify(edge.where)}`;
    return `  ${relative(edge.from)} ${VERBS[edge.kind]} ${relative(edge.to)}  (${place})`;
  });
  return [
    `A change of ${relative(from)} reloads ${relative(to)}:`,
    ...lines,
    "",
  ].join("\n");
}

export function whyJson({ model, from, to, way }: Why): object {
  const relative = (file: string): string => relativeTo(model.root, file);
  const steps = way?.map(({ from: source, to: dependency, kind, where }) => ({
    source: relative(source),
    dependsOn: relative(dependency),
    kind,
    where,
  }));
  return {
    changed: relative(from),
    reloaded: relative(to),
    way: steps ?? null,
  };
}

/** Why what was printed may lack something. */
export function problemsText(
  problems: readonly Diagnostic[],
  cwd: string,
): string {
  const texts = problems.map((problem) => diagnosticText(problem, cwd));
  return `${texts.join("\n")}\nWhat these lead to is left out.\n`;
}
