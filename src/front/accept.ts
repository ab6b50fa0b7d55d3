/** In which form a client wants an answer of the front's own: pure. */

/** A page for people, JSON for programs, or text where neither was asked for (curl, `fetch`). */
export type AnswerForm = "html" | "json" | "text";

/**
 * What an `Accept` header asks for (RFC 9110 section 12.5.1): of the forms there are the one with the greatest weight; among equals
 * the one that is named, by what stands first.
 *
 * @param accept - its value; `undefined`: there is none
 */
export function formFor(accept: string | undefined): AnswerForm {
  let best: AnswerForm = "text";
  let bestWeight = 0;
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";");
    const form = formOf(type.trim().toLowerCase());
    const weight = weightOf(parameters);
    if (form === undefined || weight <= bestWeight) continue;
    best = form;
    bestWeight = weight;
  }
  return best;
}

/** Ranges with an asterisk name none of them: they get text, unless another range has some weight. */
function formOf(type: string): AnswerForm | undefined {
  if (type === "text/html" || type === "application/xhtml+xml") return "html";
  if (/^application\/(?:[\w.*-]+\+)?json$/.test(type)) return "json";
  return type === "text/plain" ? "text" : undefined;
}

function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [name = "", value = ""] = parameter.split("=");
    if (name.trim().toLowerCase() !== "q") continue;
    const weight = Number(value.trim());
    return weight >= 0 && weight <= 1 ? weight : 1;
  }
  return 1;
}
