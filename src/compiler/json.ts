import type { LinkableCode } from "./record.js";

const RESERVED = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
    "false finally for function if implements import in instanceof interface let new null package private protected " +
    "public return static super switch this throw true try typeof var void while with yield __esModule"
  ).split(" "),
);

/**
 * JSON as a CommonJS module that both `import` and `require` can load.
 *
 * @throws SyntaxError when the text is no JSON
 */
export function compileJson(text: string): LinkableCode {
  const json = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const value: unknown = JSON.parse(json);
  // JSON.parse, not an object literal: it is faster for V8, and `__proto__` stays a plain key.
  let code = `module.exports = JSON.parse(${JSON.stringify(json)});\n`;
  const names = exportNames(value);
  // Node finds a CommonJS module's named exports by reading its text.
  if (names.length > 0)
    code += `0 && (module.exports = { ${names.join(", ")} });\n`;
  return {
    format: "cjs",
    imports: [],
    before: [],
    isWorkerSpecific: false,
    code,
    places: [],
    meta: [],
    strict: false,
    requires: false,
  };
}

function exportNames(value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [];
  }
  return Object.keys(value).filter(
    (key) => /^[A-Za-z_$][\w$]*$/.test(key) && !RESERVED.has(key),
  );
}
