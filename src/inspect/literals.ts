/** Texts in a program's text: found, and taken out of lists. Knows comments and quotes, not the grammar: who uses it checks what came of it. Pure. */

/** A string literal. */
interface Literal {
  /** Offset of its opening quote. */
  readonly start: number;
  /** Offset after its closing quote. */
  readonly end: number;
}

const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<quote>["'`])(?<value>(?:\\[\s\S]|(?!\k<quote>)[^\\])*)\k<quote>/g;

/** The literals in a text with this value, in order. Those that are written with escapes aren't found. */
export function literalsOf(text: string, value: string): Literal[] {
  return [...text.matchAll(TOKEN)].flatMap((match) =>
    match.groups?.["value"] === value
      ? [{ start: match.index, end: match.index + match[0].length }]
      : [],
  );
}

/** A text without one element of a list, its comma, and the line that only it stood in. */
export function withoutLiteral(text: string, { start, end }: Literal): string {
  const comma = /^\s*,/.exec(text.slice(end));
  if (comma === null) {
    // The last: the comma before it goes, if there is one.
    const before = /,\s*$/.exec(text.slice(0, start));
    return text.slice(0, before?.index ?? start) + text.slice(end);
  }
  const after = end + comma[0].length;
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const isFirst = /^[ \t]*$/.test(text.slice(lineStart, start));
  const rest = /^[ \t]*(?:\r?\n|$)/.exec(text.slice(after));
  if (isFirst && rest !== null) {
    return text.slice(0, lineStart) + text.slice(after + rest[0].length);
  }
  const head = text.slice(0, start);
  const tail = text.slice(after).replace(/^[ \t]+/, "");
  return (rest === null ? head : head.replace(/[ \t]+$/, "")) + tail;
}
