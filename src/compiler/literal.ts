/** A string literal as esbuild prints it, with the quotes that need fewer escapes. For use in regular expressions. */
export const STRING_LITERAL: string = String.raw`"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'`;

/** The value of a literal that {@link STRING_LITERAL} matched; `undefined` for escapes that no specifier has. */
export function unquote(literal: string): string | undefined {
  if (!literal.includes("\\")) return literal.slice(1, -1);
  // Escapes in a specifier are rare: those that JSON shares are enough.
  try {
    const value: unknown = JSON.parse(`"${literal.slice(1, -1)}"`);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
