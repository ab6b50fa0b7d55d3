/** What the project's code threw, as a diagnostic in original positions. */
import fs from "node:fs";
import type { Diagnostic } from "../diagnostic.js";
import { codeFrame } from "../diagnostic.js";
import { linkErrorPosition } from "./link-error.js";
import type { OriginalPosition } from "./stack.js";
import { originalPosition, originalText } from "./stack.js";

/** Link errors (a missing export, say) carry `file:line`, the line and a caret before the message. */
function arrowPosition(stack: string): OriginalPosition | undefined {
  const [place = "", , caret = ""] = stack.split("\n");
  const [, file, line] = /^(file:\/\/.+|\/.+):(\d+)$/.exec(place) ?? [];
  if (file === undefined || line === undefined) return undefined;
  return originalPosition(
    file,
    Number(line),
    Math.max(1, caret.indexOf("^") + 1),
  );
}

/** The first frame of a mapped stack that is in the project's own code. */
function framePosition(stack: string): OriginalPosition | undefined {
  for (const [, file = "", line, column] of stack.matchAll(
    /(?<!node:[^\s()]*)(\/[^\s()]+):(\d+):(\d+)\)?$/gm,
  )) {
    if (!/[\\/]node_modules[\\/]/.test(file))
      return { file, line: Number(line), column: Number(column) };
  }
  return undefined;
}

/**
 * What an error says to a developer: message, place, code frame and stack of the original source.
 *
 * @param output - the compiled entry, if the error came from loading it
 */
export function diagnosticOf(error: unknown, output?: string): Diagnostic {
  if (!(error instanceof Error))
    return { message: `Uncaught ${String(error)}` };
  const raw = error.stack ?? String(error);
  const arrow = arrowPosition(raw);
  const stack = originalText(raw);
  const position =
    arrow ??
    (output === undefined ? undefined : linkErrorPosition(error, output)) ??
    framePosition(stack);
  const message = originalText(`${error.name}: ${error.message}`);
  if (position === undefined) return { message, stack };
  let frame: string | undefined;
  try {
    frame = codeFrame(
      fs.readFileSync(position.file, "utf8"),
      position.line,
      position.column,
    );
  } catch {
    // The file may be gone by now: the position still helps.
  }
  return {
    message,
    ...position,
    ...(frame === undefined ? {} : { frame }),
    stack,
  };
}
