/**
 * Whether evaluating a source's own code can neither observe nor affect anything outside of it, so that nobody can
 * notice when, or in which order with others, that happens. Pure.
 *
 * Only what is listed here and in `inert-values.ts` is inert: imports, exports, functions, classes, and values made of
 * literals. Anything unknown is not. Two things count as unnoticeable although they aren't quite: assigning a property
 * to an object just made (somebody may have put a setter on `Object.prototype`), and reading which names a CommonJS
 * module exports when esbuild's output makes it look like an ES module.
 */
import { parse } from "acorn";
import type {
  AnonymousClassDeclaration,
  AssignmentExpression,
  ClassDeclaration,
  ExportDefaultDeclaration,
  Expression,
  ModuleDeclaration,
  Statement,
  VariableDeclaration,
} from "acorn";
import { isInertClass, kindOf } from "./inert-values.js";
import type { Names } from "./inert-values.js";
import { isEnum } from "./inert-enum.js";
import { leadingRequires } from "./leading-requires.js";
import type { ModuleFormat } from "./record.js";

/** Statements that do nothing when they are reached. */
const NOTHING: ReadonlySet<string> = new Set([
  ...["ImportDeclaration", "ExportAllDeclaration"],
  ...["FunctionDeclaration", "EmptyStatement"],
]);

/** Properties of functions and objects whose assignment does more, or fails. */
const SPECIAL_PROPERTIES = new Set([
  ...["__proto__", "prototype", "name", "length", "arguments", "caller"],
]);

/**
 * Whether a source is inert. Never throws.
 *
 * @param code - a record's code: esbuild's output before linking
 */
export function isInert(code: string, format: ModuleFormat): boolean {
  try {
    return format === "esm" ? isInertModule(code) : isInertCommonjs(code);
  } catch {
    // Syntax that acorn doesn't know, or nested deeper than the call stack.
    return false;
  }
}

function isInertModule(code: string): boolean {
  const { body } = parse(code, { ecmaVersion: "latest", sourceType: "module" });
  const names = hoisted(body);
  return body.every((statement) => isInertTop(statement, names, false));
}

function isInertCommonjs(code: string): boolean {
  // What it requires first is evaluated before, which is no doing of its own.
  const { end, readsProperties } = leadingRequires(code);
  if (readsProperties) return false;
  const { body } = parse(code, {
    ecmaVersion: "latest",
    sourceType: "script",
    allowReturnOutsideFunction: true,
  });
  const names = hoisted(body);
  return body.every((statement) => {
    if (statement.start >= end) return isInertTop(statement, names, true);
    // Of these, only the names that they give to inert values count.
    if (statement.type === "VariableDeclaration") declares(statement, names);
    return true;
  });
}

type TopLevel = Statement | ModuleDeclaration;

/** The function declarations, which are there from the start. */
function hoisted(body: readonly TopLevel[]): Names {
  const names: Names = new Map();
  for (const statement of body) {
    const declaration =
      statement.type === "ExportNamedDeclaration" ||
      statement.type === "ExportDefaultDeclaration"
        ? statement.declaration
        : statement;
    if (declaration?.type !== "FunctionDeclaration") continue;
    if (declaration.id) names.set(declaration.id.name, "object");
  }
  return names;
}

function isInertTop(
  statement: TopLevel,
  names: Names,
  hasExports: boolean,
): boolean {
  const { type } = statement;
  if (NOTHING.has(type)) return true;
  if (type === "ExportNamedDeclaration") {
    const { declaration } = statement;
    return declaration == null || isInertTop(declaration, names, hasExports);
  }
  if (type === "ExportDefaultDeclaration") {
    return isInertDefault(statement.declaration, names);
  }
  if (type === "ClassDeclaration") return definesClass(statement, names);
  if (type === "VariableDeclaration") return declares(statement, names);
  if (type !== "ExpressionStatement") return false;
  const { expression } = statement;
  return (
    kindOf(expression, names) !== undefined ||
    (hasExports && isExport(expression, names))
  );
}

function isInertDefault(
  declaration: ExportDefaultDeclaration["declaration"],
  names: Names,
): boolean {
  if (declaration.type === "FunctionDeclaration") return true;
  return declaration.type === "ClassDeclaration"
    ? definesClass(declaration, names)
    : kindOf(declaration, names) !== undefined;
}

function definesClass(
  declaration: ClassDeclaration | AnonymousClassDeclaration,
  names: Names,
): boolean {
  if (!isInertClass(declaration, names)) return false;
  if (declaration.id) names.set(declaration.id.name, "class");
  return true;
}

/** Whether all values declared are inert; names them. */
function declares(
  { kind, declarations }: VariableDeclaration,
  names: Names,
): boolean {
  // `using` calls something in the end.
  if (kind !== "const" && kind !== "let" && kind !== "var") return false;
  return declarations.every(({ id, init }) => {
    if (id.type !== "Identifier") return false;
    if (init == null) {
      // A `var` without a value keeps the one that it may have.
      if (!names.has(id.name)) names.set(id.name, "nothing");
      return true;
    }
    const value = isEnum(id.name, init, names) ? "object" : kindOf(init, names);
    if (value === undefined) return false;
    names.set(id.name, value);
    return true;
  });
}

/** `exports.x = <inert>` and `module.exports = <inert>`, also chained. */
function isExport(expression: Expression, names: Names): boolean {
  if (expression.type !== "AssignmentExpression") return false;
  const { operator, left, right } = expression;
  return (
    operator === "=" &&
    !names.has("exports") &&
    !names.has("module") &&
    isExportTarget(left) &&
    (kindOf(right, names) !== undefined || isExport(right, names))
  );
}

function isExportTarget(target: AssignmentExpression["left"]): boolean {
  const path = namesIn(target);
  const [first, second, third] = path ?? [];
  if (path === undefined || path.length > 3) return false;
  if (path.slice(1).some((name) => SPECIAL_PROPERTIES.has(name))) return false;
  if (first === "exports") return path.length === 2;
  return (
    first === "module" &&
    second === "exports" &&
    (path.length === 2 || third !== undefined)
  );
}

/** The names in `a.b.c`. */
function namesIn(
  target: AssignmentExpression["left"] | Expression,
): string[] | undefined {
  const names: string[] = [];
  let at: typeof target = target;
  while (at.type === "MemberExpression") {
    const { computed, property, object } = at;
    if (computed || property.type !== "Identifier") return undefined;
    if (object.type === "Super") return undefined;
    names.unshift(property.name);
    at = object;
  }
  if (at.type !== "Identifier") return undefined;
  return [at.name, ...names];
}
