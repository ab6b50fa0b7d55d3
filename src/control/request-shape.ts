/** From the JSON of a request to what is asked for, or what is wrong with it. Pure. */
import { PreforkError } from "../errors.js";
import type { CommandRequest, ScaleRequest } from "./types.js";

/** More would be a slip of the finger: the command takes no more either. */
const MOST_WORKERS = 1_024;
const LONGEST_SHOWN = 80;

type Fields = Readonly<Record<string, unknown>>;

function shown(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return "missing";
  return text.length > LONGEST_SHOWN
    ? `${text.slice(0, LONGEST_SHOWN)}…`
    : text;
}

function wrong(message: string): PreforkError {
  return new PreforkError("ERR_PREFORK_CONTROL_REQUEST", message);
}

function fieldsOf(
  body: unknown,
  allowed: readonly string[],
  example: string,
): Fields {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw wrong(
      `The body is ${shown(body)}: send a JSON object, as in ${example}.`,
    );
  const unknown = Object.keys(body).filter((name) => !allowed.includes(name));
  if (unknown.length > 0)
    throw wrong(
      `The body has ${shown(unknown[0])}, which is none of ${allowed.join(", ")}: send as in ${example}.`,
    );
  return { ...body };
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return (
    typeof value === "number" &&
    Number.isInteger(value) &&
    value >= least &&
    value <= most
  );
}

/**
 * Reads `{"workers":6}` or `{"by":-1}`.
 *
 * @throws PreforkError `ERR_PREFORK_CONTROL_REQUEST`
 */
export function parseScale(body: unknown): ScaleRequest {
  const example = '{"workers":6} or {"by":-1}';
  const { workers, by } = fieldsOf(body, ["workers", "by"], example);
  if ((workers === undefined) === (by === undefined))
    throw wrong(`Send either "workers" or "by", as in ${example}.`);
  if (workers !== undefined) {
    if (isWhole(workers, 1, MOST_WORKERS)) return { workers };
    throw wrong(
      `"workers" is ${shown(workers)}: give a whole number from 1 to ${MOST_WORKERS}.`,
    );
  }
  if (isWhole(by, -MOST_WORKERS, MOST_WORKERS) && by !== 0) return { by };
  throw wrong(
    `"by" is ${shown(by)}: give a whole number from -${MOST_WORKERS} to ${MOST_WORKERS}, not 0.`,
  );
}

/**
 * Reads `{"command":"heap","args":[true],"worker":0}`; the last two may be missing.
 *
 * @throws PreforkError `ERR_PREFORK_CONTROL_REQUEST`
 */
export function parseCommand(body: unknown): CommandRequest {
  const example = '{"command":"heap","args":[],"worker":0}';
  const allowed = ["command", "args", "worker"];
  const fields = fieldsOf(body, allowed, example);
  const { command: name, args = [], worker } = fields;
  if (typeof name !== "string" || name === "")
    throw wrong(
      `"command" is ${shown(name)}: give the name of a command, as in ${example}.`,
    );
  if (!Array.isArray(args))
    throw wrong(`"args" is ${shown(args)}: give a list, as in ${example}.`);
  const request = { name, args: args as readonly unknown[] };
  if (worker === undefined) return request;
  if (isWhole(worker, 0, Number.MAX_SAFE_INTEGER))
    return { ...request, worker };
  throw wrong(
    `"worker" is ${shown(worker)}: give a worker's index from 0 on, or leave it away to mean all.`,
  );
}
