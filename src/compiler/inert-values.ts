/** Expressions and classes whose evaluation nobody can notice; see `inert.ts`. */
import type {
  BinaryExpression,
  Class,
  Expression,
  LogicalExpression,
  ObjectExpression,
  UnaryExpression,
} from "acorn";

/** What is known of an inert value: whether operators work on it without calling anything. */
export type Kind =
  | "number"
  | "string"
  | "boolean"
  | "nothing"
  | "class"
  /** Any other value, which an operator may call or fail on. */
  | "object";

/** The inert values that the module's own names have so far. */
export type Names = Map<string, Kind>;

const NUMERIC = new Set([
  ...["+", "-", "*", "/", "%", "**", "|", "&", "^", "<<", ">>", ">>>"],
]);
const COMPARISONS = new Set(["<", "<=", ">", ">="]);

/** The kind of an expression's value; `undefined` when its evaluation could be noticed. */
export function kindOf(node: Expression, names: Names): Kind | undefined {
  const { type } = node;
  if (type === "Literal") return kindOfLiteral(node.value);
  if (type === "Identifier") {
    return names.get(node.name) ?? kindOfConstant(node.name);
  }
  if (type === "FunctionExpression" || type === "ArrowFunctionExpression") {
    return "object";
  }
  if (type === "ArrayExpression") {
    const isInert = node.elements.every(
      (item) => item === null || isValue(item, names),
    );
    return isInert ? "object" : undefined;
  }
  if (type === "ObjectExpression") {
    return isInertObject(node, names) ? "object" : undefined;
  }
  if (type === "ClassExpression") {
    return isInertClass(node, names) ? "class" : undefined;
  }
  if (type === "TemplateLiteral") {
    const isInert = node.expressions.every((part) =>
      isPrimitive(kindOf(part, names)),
    );
    return isInert ? "string" : undefined;
  }
  if (type === "UnaryExpression") return kindOfUnary(node, names);
  if (type === "BinaryExpression") return kindOfBinary(node, names);
  if (type === "LogicalExpression") return kindOfLogical(node, names);
  if (type === "ConditionalExpression") {
    return kindOf(node.test, names) === undefined
      ? undefined
      : common(kindOf(node.consequent, names), kindOf(node.alternate, names));
  }
  return undefined;
}

/** Whether defining a class does nothing else. What its methods and constructor do comes later. */
export function isInertClass(
  { superClass, body }: Class,
  names: Names,
): boolean {
  if (superClass != null) {
    // Reads the other class's `prototype`.
    if (superClass.type !== "Identifier") return false;
    if (names.get(superClass.name) !== "class") return false;
  }
  return body.body.every((member) => {
    if (member.type === "StaticBlock") return false;
    if (member.computed) return false;
    if (member.type === "MethodDefinition" || !member.static) return true;
    return member.value == null || isValue(member.value, names);
  });
}

function isValue(
  node: Expression | { readonly type: "SpreadElement" },
  names: Names,
): boolean {
  return node.type !== "SpreadElement" && kindOf(node, names) !== undefined;
}

function kindOfLiteral(value: unknown): Kind {
  const type = typeof value;
  // The others are regular expressions, big integers and null.
  return type === "number" || type === "string" || type === "boolean"
    ? type
    : "object";
}

/** Globals that can't be changed. */
function kindOfConstant(name: string): Kind | undefined {
  if (name === "undefined") return "nothing";
  return name === "NaN" || name === "Infinity" ? "number" : undefined;
}

/** The kind of one value or the other. */
function common(a: Kind | undefined, b: Kind | undefined): Kind | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a === b ? a : "object";
}

function isPrimitive(kind: Kind | undefined): boolean {
  return kind !== undefined && kind !== "object" && kind !== "class";
}

function isInertObject(
  { properties }: ObjectExpression,
  names: Names,
): boolean {
  return properties.every((property) => {
    if (property.type === "SpreadElement" || property.computed) return false;
    const { key, kind, method, shorthand, value } = property;
    const name =
      key.type === "Identifier"
        ? key.name
        : key.type === "Literal"
          ? String(key.value)
          : "";
    if (name === "__proto__" && !method && !shorthand) return false;
    return kind !== "init" || kindOf(value, names) !== undefined;
  });
}

function kindOfUnary(
  { operator, argument }: UnaryExpression,
  names: Names,
): Kind | undefined {
  const kind = kindOf(argument, names);
  if (kind === undefined) return undefined;
  if (operator === "!") return "boolean";
  if (operator === "void") return "nothing";
  if (operator === "typeof") return "string";
  return operator !== "delete" && kind === "number" ? "number" : undefined;
}

function kindOfLogical(
  { operator, left, right }: LogicalExpression,
  names: Names,
): Kind | undefined {
  // What esbuild prints for Node to read, and nothing evaluates: `0 && (module.exports = { … })`.
  const isNever =
    operator === "&&" && left.type === "Literal" && left.value === 0;
  if (isNever) return "number";
  const kind = kindOf(left, names);
  return common(kind, kindOf(right, names));
}

function kindOfBinary(
  { operator, left, right }: BinaryExpression,
  names: Names,
): Kind | undefined {
  if (left.type === "PrivateIdentifier") return undefined;
  const [a, b] = [kindOf(left, names), kindOf(right, names)];
  if (a === undefined || b === undefined) return undefined;
  if (operator === "===" || operator === "!==") return "boolean";
  if (a === "number" && b === "number") {
    if (NUMERIC.has(operator)) return "number";
    if (COMPARISONS.has(operator)) return "boolean";
  }
  const isText = operator === "+" && (a === "string" || b === "string");
  return isText && isPrimitive(a) && isPrimitive(b) ? "string" : undefined;
}
