/** Which of the project's files is at work, from the call stack. */
import { originalFile } from "../runtime/stack.js";

/** The innermost compiled file on the stack, as its original. */
export function culprit(): string | undefined {
  // Taken and put back as it is.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const prepare = Error.prepareStackTrace;
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = 200;
    Error.prepareStackTrace = (_error, frames) => frames;
    const { stack: frames } = new Error() as unknown as {
      stack: readonly NodeJS.CallSite[];
    };
    for (const frame of frames) {
      const file = frame.getFileName();
      const original = file == null ? undefined : originalFile(file);
      if (original !== undefined) return original;
    }
    return undefined;
  } finally {
    Error.prepareStackTrace = prepare;
    Error.stackTraceLimit = limit;
  }
}
