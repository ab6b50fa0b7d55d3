/**
 * What a CommonJS source requires before any code of its own runs.
 *
 * Reads esbuild's output, in which a statement at the top begins a line. What it makes of static imports counts, and
 * hand-written `require("literal")` calls as far as nothing else stands before them. Function declarations may: they
 * are hoisted, and do nothing. Where it isn't sure, the run is over: what comes behind is taken for code.
 */
import { STRING_LITERAL, unquote } from "./literal.js";

/** The requires at the start of CommonJS code. */
export interface LeadingRequires {
  /** In order, also repeated ones. */
  readonly specifiers: readonly string[];
  /** Offset of the first statement that is something else. */
  readonly end: number;
  /** Whether properties of what was required are read at once (destructuring). */
  readonly readsProperties: boolean;
}

const NAME = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`;
const REQUIRE = String.raw`require\((?<literal>${STRING_LITERAL})\)`;
const END = String.raw`;(?:\n|$)`;

function sticky(pattern: string): RegExp {
  return new RegExp(pattern, "uy");
}

/** Empty lines and statements, directives, comments, declarations without a value. */
const NOTHING = sticky(
  String.raw`\n|${END}|(?:${STRING_LITERAL})${END}|#![^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*[^]*?\*/(?:\n|$)|` +
    String.raw`(?:var|let) ${NAME}(?:, ${NAME})*${END}`,
);
/** esbuild's helpers; their names begin like this, and they stand before everything else. */
const HELPER_VALUE = sticky(
  String.raw`var __\w+ = (?:Object\.[\w.]+|\[[^\]\n]*\])${END}`,
);
const HELPER_FUNCTION = sticky(String.raw`var __\w+ = \([\w, ]*\) =>`);
const NEXT_STATEMENT = /\n(?=[^\s)}\]])/g;
/** What esbuild prints for exports. */
const EXPORTS = sticky(
  String.raw`var ${NAME} = \{\}${END}|__export\(${NAME}, \{\n(?: [^\n]*\n)*\}\)${END}|` +
    String.raw`module\.exports = __toCommonJS\(${NAME}\)${END}`,
);
const BARE = sticky(REQUIRE + END);
const REEXPORT = sticky(
  String.raw`__reExport\(${NAME}, ${REQUIRE}, module\.exports\)${END}`,
);
const DECLARATION = sticky("(?:var|let|const) ");
const PROPERTY = String.raw`${NAME}(?:: ${NAME})?`;
const DECLARATOR = sticky(
  String.raw`(?:${NAME}|(?<pattern>\{\s*${PROPERTY}(?:,\s*${PROPERTY})*\s*\})) = ` +
    String.raw`(?<helper>__toESM\()?${REQUIRE}(?:(?:, 1)?(?<closing>\)))?(?<next>, |${END})`,
);
const FUNCTION = sticky(String.raw`(?:async )?function\*? ${NAME}\(`);
const FUNCTION_END = "\n}\n";

/** A `require` that isn't Node's. The parameter of this name can't be hidden by `let` or `const`. */
const OWN_REQUIRE =
  /\bfunction\*? require\(|\bvar (?:[^;\n]*, )?(?:\{[^}\n]*)?require\b(?!\()/;

/** Reads the start of esbuild's output of a CommonJS source. */
export function leadingRequires(code: string): LeadingRequires {
  const reader = new Reader(code);
  if (!OWN_REQUIRE.test(code)) reader.read();
  const { specifiers, position: end, readsProperties } = reader;
  return { specifiers, end, readsProperties };
}

class Reader {
  readonly specifiers: string[] = [];
  position = 0;
  readsProperties = false;
  readonly #code: string;

  constructor(code: string) {
    this.#code = code;
  }

  read(): void {
    while (this.#match(NOTHING) || this.#helper());
    while (this.#statement());
  }

  #statement(): boolean {
    return (
      this.#match(NOTHING) !== undefined ||
      this.#match(EXPORTS) !== undefined ||
      this.#call(BARE) ||
      this.#call(REEXPORT) ||
      this.#declaration() ||
      this.#function()
    );
  }

  #helper(): boolean {
    if (this.#match(HELPER_VALUE)) return true;
    if (this.#match(HELPER_FUNCTION) === undefined) return false;
    NEXT_STATEMENT.lastIndex = this.position;
    const end = NEXT_STATEMENT.exec(this.#code)?.index;
    this.position = end === undefined ? this.#code.length : end + 1;
    return true;
  }

  #call(pattern: RegExp): boolean {
    const { position } = this;
    const specifier = specifierOf(this.#match(pattern));
    if (specifier === undefined) {
      this.position = position;
      return false;
    }
    this.specifiers.push(specifier);
    return true;
  }

  #declaration(): boolean {
    const { position } = this;
    const found: string[] = [];
    let readsProperties = false;
    let isEnd = this.#match(DECLARATION) === undefined;
    if (isEnd) return false;
    while (!isEnd) {
      const match = this.#match(DECLARATOR);
      const specifier = specifierOf(match);
      const { helper, closing, pattern, next } = match?.groups ?? {};
      const isCall = (helper === undefined) === (closing === undefined);
      if (specifier === undefined || !isCall) {
        this.position = position;
        return false;
      }
      found.push(specifier);
      readsProperties ||= pattern !== undefined;
      isEnd = next !== ", ";
    }
    this.specifiers.push(...found);
    this.readsProperties ||= readsProperties;
    return true;
  }

  #function(): boolean {
    const { position } = this;
    if (this.#match(FUNCTION) === undefined) return false;
    const end = this.#code.indexOf(FUNCTION_END, this.position);
    const text = this.#code.slice(position, end);
    // Only in these could what looks like the end be something else.
    if (end === -1 || text.includes("`") || text.includes("/*")) {
      this.position = position;
      return false;
    }
    this.position = end + FUNCTION_END.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.#code);
    if (match === null) return undefined;
    this.position += match[0].length;
    return match;
  }
}

function specifierOf(match: RegExpExecArray | undefined): string | undefined {
  const literal = match?.groups?.["literal"];
  return literal === undefined ? undefined : unquote(literal);
}
