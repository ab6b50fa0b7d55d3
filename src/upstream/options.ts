/** Checks of what a user gives to the factories of external fronts. */
import { PreforkError } from "../errors.js";

const LONGEST_MS = 2 ** 31 - 1;

/**
 * A time in milliseconds.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function milliseconds(
  name: string,
  value: number | undefined,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= 0 && value <= LONGEST_MS)
    return value;
  throw wrong(
    name,
    value,
    `give a whole number of milliseconds from 0 to ${LONGEST_MS}`,
  );
}

/**
 * A name that stands in a front's configuration or is sent to its socket: one word, or it could say something else there.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function word(name: string, value: string): string {
  if (/^[\w.-]+$/.test(value)) return value;
  throw wrong(name, value, "use letters, digits, `_`, `.` and `-`");
}

/**
 * A path that was given.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function path(name: string, value: string): string {
  if (value !== "" && !value.includes("\0")) return value;
  throw wrong(name, value, "give the path of a file");
}

/**
 * A command as an array of program and arguments. No shell reads it.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function command(
  name: string,
  value: readonly string[],
): readonly [string, ...string[]] {
  const [program, ...args] = value;
  if (program !== undefined && program !== "") return [program, ...args];
  throw wrong(
    name,
    value,
    'give the program and its arguments, such as ["nginx", "-t"]',
  );
}

/**
 * Whole lines for a front's configuration.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function lines(
  name: string,
  value: readonly string[],
): readonly string[] {
  const odd = value.find((line) => /[\r\n\0]/.test(line));
  if (odd === undefined) return value;
  throw wrong(name, odd, "give one line of configuration for each entry");
}

function wrong(name: string, value: unknown, remedy: string): PreforkError {
  return new PreforkError(
    "ERR_PREFORK_OPTION",
    `${name} is ${JSON.stringify(value)}: ${remedy}`,
  );
}
