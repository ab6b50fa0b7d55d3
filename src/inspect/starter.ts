/** The text of a first manifest. Pure. */

/** What goes into it. All paths are relative to it, with slashes. */
export interface Starter {
  readonly entry: string;
  /** In load order, the entry included. */
  readonly sources: readonly string[];
  /** Of these, those that import each other. */
  readonly cycles: readonly (readonly string[])[];
  readonly suggestions: readonly Suggestion[];
}

/** A file that a source reads, and that no import shows. */
export interface Suggestion {
  readonly source: string;
  /** From 1. */
  readonly line: number;
  readonly file: string;
}

const HEAD = `import { defineProject } from "prefork-dev";

// The project's sources, in load order: what is listed first is loaded first.
// Run "prefork-dev" beside this file to serve it, "prefork-dev check" to compare it with the imports,
// and "prefork-dev graph --format html --output graph.html" to look at it.
export default defineProject({
`;

/** The text of a manifest in TypeScript. */
export function starterText(starter: Starter): string {
  const { entry, sources, cycles, suggestions } = starter;
  const lines = [
    `  // The program, or the module whose default export is the app.`,
    `  entry: ${JSON.stringify(entry)},`,
    "",
    "  // A path each, relative to this file. Globs are allowed (their matches are in plain order of their paths), and so are",
    '  // { directory: "src/models", sources: ["base.ts", "*.ts"] } and { file: "src/a.ts", needs: ["src/b.sql"] }.',
    "  sources: [",
    ...sources.flatMap((source) => [
      ...cycleComment(source, cycles),
      `    ${JSON.stringify(source)},`,
    ]),
    "  ],",
    ...suggestionComments(suggestions),
  ];
  return `${HEAD}${lines.join("\n")}\n});\n`;
}

/** Above the first of a cycle's members. */
function cycleComment(
  source: string,
  cycles: readonly (readonly string[])[],
): string[] {
  return cycles
    .filter(([first]) => first === source)
    .map(([, ...others]) =>
      others.length === 0
        ? "    // It imports itself."
        : `    // A cycle: it and ${others.map(plain).join(", ")} import each other, so they're reloaded together.`,
    );
}

function suggestionComments(suggestions: readonly Suggestion[]): string[] {
  if (suggestions.length === 0) return [];
  return [
    "",
    "  // What imports can't show: these files are read by name. To reload who reads them when they change, list them, and say so:",
    ...suggestions.flatMap(({ source, line, file }) => [
      "  //",
      `  // ${plain(source)} reads ${plain(file)} (line ${line}):`,
      `  //   ${quoted(file)},`,
      `  //   { file: ${quoted(source)}, needs: [${quoted(file)}] },`,
    ]),
  ];
}

/** A path in a comment: a line break would end it. */
function plain(file: string): string {
  return file.replaceAll(/[\r\n\u2028\u2029]/g, "?");
}

function quoted(file: string): string {
  return JSON.stringify(plain(file));
}
