/** Where an output sink writes to: how it's opened, and how it's ended if it was opened here. */
import { once } from "node:events";
import fs from "node:fs";
import process from "node:process";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { messageOf, PreforkError } from "../errors.js";
import { within } from "../within.js";

/**
 * Where lines go: a file (its path; it's appended to), a stream, or a function that opens one, also again and again. A
 * stream that is given is never ended; what a path or a function opened is.
 */
export type OutputTarget = Writable | string | (() => Writable);

/**
 * Opens a target. Errors of a stream that was opened here are nobody's until somebody listens, and do no harm.
 *
 * @throws PreforkError `ERR_PREFORK_OUTPUT` if it's a function that throws; a file that can't be opened is an error of the stream
 */
export function openTarget(target: OutputTarget): Writable {
  if (typeof target === "object") return target;
  try {
    const stream =
      typeof target === "string"
        ? fs.createWriteStream(target, { flags: "a" })
        : target();
    if (isOpenedHere(target, stream)) stream.on("error", () => undefined);
    return stream;
  } catch (error) {
    throw notOpen(messageOf(error), error);
  }
}

/** Whether the stream is the sink's to end. */
export function isOpenedHere(target: OutputTarget, stream: Writable): boolean {
  return (
    typeof target !== "object" &&
    stream !== process.stdout &&
    stream !== process.stderr
  );
}

/**
 * Waits until a file is open, or a socket connected; another stream is from the start.
 *
 * @throws PreforkError `ERR_PREFORK_OUTPUT`
 */
export async function untilOpen(
  stream: Writable,
  timeoutMs: number,
): Promise<void> {
  if (!("pending" in stream) || stream.pending !== true) return;
  try {
    if ((await within(timeoutMs, once(stream, "ready"))) !== "timeout") return;
  } catch (error) {
    throw notOpen(messageOf(error), error);
  }
  // A named pipe that nobody reads from, for one.
  stream.destroy();
  throw notOpen(`it wasn't open within ${timeoutMs} ms`);
}

/** Ends a stream, and waits for its last bytes; one that doesn't take them in time is destroyed. */
export async function end(stream: Writable, timeoutMs: number): Promise<void> {
  if (stream.destroyed) return;
  stream.end();
  // What it didn't write is told line by line.
  const ended = finished(stream, { readable: false }).catch(() => undefined);
  if ((await within(timeoutMs, ended)) === "timeout") stream.destroy();
}

function notOpen(reason: string, cause?: unknown): PreforkError {
  return new PreforkError(
    "ERR_PREFORK_OUTPUT",
    `The workers' output can't be opened: ${reason}. Mend it, and reopen the logs.`,
    { cause },
  );
}
