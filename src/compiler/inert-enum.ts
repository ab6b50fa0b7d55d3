/** What esbuild prints for a TypeScript enum: a function called at once, that fills an object of its own. */
import type { Expression, Statement } from "acorn";
import { kindOf } from "./inert-values.js";
import type { Names } from "./inert-values.js";

/** Members are literals; a name could be the parameter's. */
const NO_NAMES: Names = new Map();

/**
 * Whether a variable's value is an enum of constant members.
 *
 * `var E = ((E2) => { E2[E2["A"] = 0] = "A"; E2["B"] = "b"; return E2; })(E || {});`
 */
export function isEnum(name: string, init: Expression, names: Names): boolean {
  // Declared twice, it goes on filling what was there.
  if (names.has(name) || init.type !== "CallExpression") return false;
  const { callee, arguments: given } = init;
  if (given.length !== 1 || callee.type !== "ArrowFunctionExpression") {
    return false;
  }
  const [target] = given;
  const [parameter] = callee.params;
  const { body, params } = callee;
  if (callee.async || params.length !== 1 || parameter?.type !== "Identifier")
    return false;
  if (body.type !== "BlockStatement") return false;
  const isOwn =
    target?.type === "LogicalExpression" &&
    target.operator === "||" &&
    isNamed(target.left, name) &&
    target.right.type === "ObjectExpression" &&
    target.right.properties.length === 0;
  return isOwn && body.body.every((line) => isMember(line, parameter.name));
}

function isMember(line: Statement, object: string): boolean {
  if (line.type === "ReturnStatement") {
    return line.argument != null && isNamed(line.argument, object);
  }
  return (
    line.type === "ExpressionStatement" && isAssignment(line.expression, object)
  );
}

/** `E2["A"] = "a"` or `E2[E2["A"] = 0] = "A"`. */
function isAssignment(node: Expression, object: string): boolean {
  if (node.type !== "AssignmentExpression" || node.operator !== "=") {
    return false;
  }
  const { left, right } = node;
  if (left.type !== "MemberExpression" || !left.computed) return false;
  if (left.object.type === "Super" || !isNamed(left.object, object)) {
    return false;
  }
  const { property } = left;
  if (property.type === "PrivateIdentifier" || !isConstant(right)) {
    return false;
  }
  return isConstant(property) || isAssignment(property, object);
}

function isConstant(node: Expression): boolean {
  const kind = kindOf(node, NO_NAMES);
  return kind === "number" || kind === "string";
}

function isNamed(node: Expression, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}
