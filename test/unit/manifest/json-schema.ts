/** Says whether a value is valid by a JSON Schema: as much of draft 7 as ours uses, and an error for a keyword that it doesn't know. */

interface Schema {
  readonly [keyword: string]: unknown;
}

const ANNOTATIONS = ["$schema", "title", "description", "definitions"];

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  integer: (value) => Number.isInteger(value),
  array: (value) => Array.isArray(value),
  object: isObject,
};

/** @param root - where `$ref` points to */
export function isValid(
  value: unknown,
  schema: Schema,
  root: Schema = schema,
): boolean {
  const by = (each: unknown, part: unknown): boolean =>
    isValid(each, part as Schema, root);
  return Object.entries(schema).every(([keyword, says]) => {
    switch (keyword) {
      case "$ref": {
        const name = String(says).replace("#/definitions/", "");
        return by(value, (root["definitions"] as Schema)[name]);
      }
      case "type":
        return types[String(says)]?.(value);
      case "enum":
        return (says as unknown[]).includes(value);
      case "const":
        return value === says;
      case "minimum":
        return typeof value !== "number" || value >= Number(says);
      case "maximum":
        return typeof value !== "number" || value <= Number(says);
      case "pattern":
        return (
          typeof value !== "string" || new RegExp(String(says)).test(value)
        );
      case "minItems":
        return !Array.isArray(value) || value.length >= Number(says);
      case "items":
        return !Array.isArray(value) || value.every((each) => by(each, says));
      case "anyOf":
        return (says as unknown[]).some((part) => by(value, part));
      case "allOf":
        return (says as unknown[]).every((part) => by(value, part));
      case "required":
        return (
          !isObject(value) ||
          (says as string[]).every((name) => Object.hasOwn(value, name))
        );
      case "properties":
        return (
          !isObject(value) ||
          Object.entries(says as Schema).every(
            ([name, part]) =>
              !Object.hasOwn(value, name) || by(value[name], part),
          )
        );
      case "additionalProperties": {
        const known = Object.keys(schema["properties"] ?? {});
        const others = isObject(value)
          ? Object.keys(value).filter((name) => !known.includes(name))
          : [];
        return says === false
          ? others.length === 0
          : others.every((name) => by((value as Schema)[name], says));
      }
      default:
        if (ANNOTATIONS.includes(keyword)) return true;
        throw new Error(`The test doesn't know the keyword ${keyword}.`);
    }
  });
}
