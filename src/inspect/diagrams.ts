/** The graph as text that other tools draw: Mermaid and DOT. Pure. */
import { importCycles } from "../graph/index.js";
import { relativeTo } from "../manifest/messages.js";
import type { Edge, ProjectModel } from "./types.js";

type Kind = Edge["kind"];

/** https://mermaid.js.org/syntax/flowchart.html */
const MERMAID_ARROWS: Readonly<Record<Kind, string>> = {
  import: "-->",
  require: "-->",
  dynamic: "-.->",
  runtime: "-. at run time .->",
  needs: "== needs ==>",
  step: "-. made from .->",
};

/** https://graphviz.org/doc/info/lang.html */
const DOT_STYLES: Readonly<Record<Kind, string>> = {
  import: "",
  require: "",
  dynamic: " [style=dashed]",
  runtime: ' [style=dotted, label="at run time"]',
  needs: ' [style=bold, label="needs"]',
  step: ' [style=dashed, label="made from"]',
};

/** What both are made from. */
interface Numbered {
  readonly names: readonly string[];
  /** Each kind of edge between two sources once. */
  readonly edges: readonly (readonly [from: number, to: number, kind: Kind])[];
  readonly entry: number;
  readonly inCycles: readonly number[];
}

/** The graph as a Mermaid flowchart: arrows from who imports or needs to what. Dashed: `import()`; thick: `needs`. */
export function mermaid(model: ProjectModel): string {
  const { names, edges, entry, inCycles } = numbered(model);
  return [
    "flowchart LR",
    ...names.map((name, index) => `  n${index}["${mermaidText(name)}"]`),
    ...edges.map(
      ([from, to, kind]) => `  n${from} ${MERMAID_ARROWS[kind]} n${to}`,
    ),
    "  classDef entry stroke-width:3px",
    "  classDef cycle stroke:#c00,stroke-dasharray:4",
    `  class n${entry} entry`,
    ...(inCycles.length === 0
      ? []
      : [`  class ${inCycles.map((index) => `n${index}`).join(",")} cycle`]),
    "",
  ].join("\n");
}

/** The graph for Graphviz: arrows from who imports or needs to what. */
export function dot(model: ProjectModel): string {
  const { names, edges, entry, inCycles } = numbered(model);
  const cyclic = new Set(inCycles);
  return [
    `digraph ${dotText(model.name)} {`,
    "  rankdir=LR;",
    "  node [shape=box];",
    ...names.map((name, index) => {
      const style = index === entry ? ", penwidth=3" : "";
      const colour = cyclic.has(index) ? ", color=red, style=dashed" : "";
      return `  n${index} [label=${dotText(name)}${style}${colour}];`;
    }),
    ...edges.map(
      ([from, to, kind]) => `  n${from} -> n${to}${DOT_STYLES[kind]};`,
    ),
    "}",
    "",
  ].join("\n");
}

function numbered({ edges, loadGraph, root, entry }: ProjectModel): Numbered {
  const paths = [...edges.keys()];
  const numbers = new Map(paths.map((path, index) => [path, index]));
  const numberOf = (path: string): number => numbers.get(path) ?? -1;
  const seen = new Set<string>();
  const all = [...edges.values()].flat().flatMap(({ from, to, kind }) => {
    const [start, end] = [numberOf(from), numberOf(to)];
    const name = `${start} ${end} ${kind}`;
    if (seen.has(name)) return [];
    seen.add(name);
    return [[start, end, kind] as const];
  });
  return {
    names: paths.map((path) => relativeTo(root, path)),
    edges: all,
    entry: numberOf(entry),
    inCycles: importCycles(loadGraph).flat().map(numberOf),
  };
}

/** Mermaid has no escapes within quotes but its own entities: `#35;` is `#`. */
function mermaidText(text: string): string {
  return text.replaceAll(
    /[^\p{L}\p{N} ./@_()[\]{}-]/gu,
    (character) => `#${character.codePointAt(0) ?? 63};`,
  );
}

function dotText(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
