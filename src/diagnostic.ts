/**
 * What went wrong in the user's code, as a plain value: made by the compiler
 * and by worker processes, shown by the terminal, the front and the API.
 */

/** One problem in the user's code. */
export interface Diagnostic {
  /** What is wrong, and the remedy where one is known. */
  readonly message: string;
  /** Absolute path of the original file. */
  readonly file?: string;
  /** Line in the original file, from 1. */
  readonly line?: number;
  /** Column in the original line, from 1. */
  readonly column?: number;
  /** A few lines of the original source around the place, marked; no colours. */
  readonly frame?: string;
  /** Run-time errors: the stack, in original positions. */
  readonly stack?: string;
}

const CONTEXT_LINES = 2;

/**
 * A code frame: the line at fault, two before and after it, and a caret.
 *
 * @param text - the original source
 * @param line - from 1
 * @param column - from 1
 * @returns the frame, or `undefined` when the text has no such line
 */
export function codeFrame(
  text: string,
  line: number,
  column: number,
): string | undefined {
  const lines = text.split(/\r\n|[\r\n]/);
  if (line < 1 || line > lines.length) return undefined;
  const first = Math.max(1, line - CONTEXT_LINES);
  const last = Math.min(lines.length, line + CONTEXT_LINES);
  const width = String(last).length;
  const frame: string[] = [];
  for (let number = first; number <= last; number++) {
    const content = lines[number - 1] ?? "";
    const mark = number === line ? ">" : " ";
    frame.push(
      `${mark} ${String(number).padStart(width)} | ${content}`.trimEnd(),
    );
    if (number === line) {
      // Tabs are kept, so that the caret stands under its character.
      const indent = content.slice(0, column - 1).replace(/[^\t]/g, " ");
      frame.push(`  ${" ".repeat(width)} | ${indent}^`);
    }
  }
  return frame.join("\n");
}
