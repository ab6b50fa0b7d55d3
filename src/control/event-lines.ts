/** The client's end of the event stream: from chunks of text to events. */
import type { IncomingMessage } from "node:http";
import type { ControlEvent } from "./types.js";

function eventOf(line: string): ControlEvent | undefined {
  const value = JSON.parse(line) as unknown;
  if (typeof value !== "object" || value === null || !("type" in value))
    return undefined;
  const { type } = value;
  return typeof type === "string" ? { ...value, type } : undefined;
}

async function* eventsOf(
  response: IncomingMessage,
  explain: (error: unknown) => unknown,
): AsyncGenerator<ControlEvent, undefined> {
  response.setEncoding("utf8");
  let rest = "";
  try {
    for await (const chunk of response) {
      const lines = `${rest}${String(chunk)}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = line === "" ? undefined : eventOf(line);
        if (event !== undefined) yield event;
      }
    }
  } catch (error) {
    throw explain(error);
  }
  return undefined;
}

/**
 * The events of a stream, in order; ends when the server does. Whoever has enough ends the loop, or calls `return()`.
 *
 * @param explain - what to throw when the stream breaks off
 */
export function readEvents(
  response: IncomingMessage,
  explain: (error: unknown) => unknown,
): AsyncIterableIterator<ControlEvent> {
  const events = eventsOf(response, explain);
  return {
    next: () => events.next(),
    return: async () => {
      // A generator that was never begun would leave the connection open.
      response.destroy();
      return await events.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
