/** The compiler's answer about a computed specifier as those get it who run the code: without places and code frames. Part of the composition root. */
import type { RuntimeAnswer } from "./compiler/types.js";
import type { ResolveAnswer } from "./ipc/messages.js";

export function resolveAnswer(answer: RuntimeAnswer): ResolveAnswer {
  if (answer.kind !== "failed") return answer;
  return {
    kind: "failed",
    message: answer.diagnostics.map(({ message }) => message).join("\n"),
  };
}
