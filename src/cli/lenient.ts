/** Reads JSON that another version of the server may have written: every field may be missing, or be something else. Pure. */
import type { Diagnostic } from "../diagnostic.js";

/** An object's fields; none when it's no object. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** A diagnostic; without a message it says that there's none. */
export function diagnosticOf(value: unknown): Diagnostic {
  const { message, file, line, column, frame, stack } = fieldsOf(value);
  return {
    message: textOf(message) ?? "no message",
    ...(typeof file === "string" ? { file } : {}),
    ...(typeof line === "number" ? { line } : {}),
    ...(typeof column === "number" ? { column } : {}),
    ...(typeof frame === "string" ? { frame } : {}),
    ...(typeof stack === "string" ? { stack } : {}),
  };
}
