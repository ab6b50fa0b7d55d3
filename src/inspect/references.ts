/** Files that code reads by a literal name: what a manifest's `needs` are for, since no import shows them. Pure. */

/** One such name. */
export interface FileReference {
  readonly text: string;
  /** What it's relative to: the working directory (the root), or the source itself. */
  readonly from: "root" | "source";
  /** From 1. */
  readonly line: number;
}

const READ =
  /\b(?:readFile|readFileSync|createReadStream)\s*\(\s*(?<quote>["'`])(?<text>[^"'`\n$\\]+)\k<quote>\s*[,)]/g;
const URL_OF_SOURCE =
  /\bnew\s+URL\s*\(\s*(?<quote>["'`])(?<text>\.{1,2}\/[^"'`\n$\\]+)\k<quote>\s*,\s*import\.meta\.url\b/g;

/** The names in a source's text, each once, in order. */
export function fileReferences(text: string): FileReference[] {
  const found = [
    ...matches(text, READ, "root"),
    ...matches(text, URL_OF_SOURCE, "source"),
  ].sort((a, b) => a.line - b.line);
  const seen = new Set<string>();
  return found.filter((reference) => {
    const name = `${reference.from} ${reference.text}`;
    const isNew = !seen.has(name);
    seen.add(name);
    return isNew;
  });
}

function matches(
  text: string,
  pattern: RegExp,
  from: FileReference["from"],
): FileReference[] {
  return [...text.matchAll(pattern)].map((match) => ({
    text: match.groups?.["text"] ?? "",
    from,
    line: text.slice(0, match.index).split("\n").length,
  }));
}
