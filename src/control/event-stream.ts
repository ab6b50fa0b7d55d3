/** The answer to `GET /events`: one JSON object per line, until either end hangs up. A reader that is too slow is dropped. */
import type { ServerResponse } from "node:http";
import { jsonLine } from "./answers.js";
import type { ControlEvent } from "./types.js";

/** How far behind a reader may be. What it has not taken by then is in the master's memory. */
const MAX_BEHIND_BYTES = 1_048_576;

/**
 * Starts the stream: the headers are sent at once, so that the reader knows when it has begun.
 *
 * @param subscribe - returns what ends it
 * @param onError - told when an event can't be written as JSON
 */
export function streamEvents(
  response: ServerResponse,
  subscribe: (listener: (event: ControlEvent) => void) => () => void,
  onError: (error: unknown) => void,
): void {
  const write = (event: ControlEvent): void => {
    // Nothing may be thrown into whoever tells of events.
    try {
      if (response.destroyed || response.writableEnded) return;
      if (response.writableLength > MAX_BEHIND_BYTES) response.destroy();
      else response.write(`${jsonLine(event)}\n`);
    } catch (error) {
      onError(error);
    }
  };
  const unsubscribe = subscribe(write);
  response.once("close", unsubscribe);
  response.writeHead(200, {
    "Content-Type": "application/x-ndjson; charset=utf-8",
    "Cache-Control": "no-store",
  });
  response.flushHeaders();
}
