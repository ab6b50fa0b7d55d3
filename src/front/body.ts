/**
 * Bodies, in either direction: streamed with back-pressure, ended only when the source says that it
 * was complete. Leaner than `stream.pipeline`, which knows nothing of header, trailers and early answers.
 */
import type { Readable } from "node:stream";

import type { BodySink, ClientRequest } from "./client.js";
import { trailerFields } from "./headers.js";
import { pairs } from "./raw-fields.js";

/**
 * Moves a message's body and trailers to another message, whose header is set and not sent yet.
 * A source that breaks off never ends the sink: whoever owns both sees it and decides.
 *
 * @returns stops; the rest of the source is read and dropped
 */
export function pumpBody(
  source: Readable & Pick<ClientRequest, "rawTrailers" | "dismiss">,
  sink: BodySink,
): () => void {
  let begun = false;
  const onData = (chunk: Buffer): void => {
    begun = true;
    if (!sink.write(chunk)) source.pause();
  };
  const onDrain = (): void => {
    source.resume();
  };
  const onEnd = (): void => {
    begun = true;
    sink.off("drain", onDrain);
    if (source.rawTrailers.length > 0)
      sink.addTrailers(pairs(trailerFields(source.rawTrailers)));
    sink.end();
  };
  source.on("data", onData);
  source.once("end", onEnd);
  sink.on("drain", onDrain);
  // A header must not wait for a body that takes its time (an event stream, a slow upload). When the
  // body is already here, its first chunk, read before this tick comes, takes the header along.
  process.nextTick(() => {
    if (!begun && !sink.destroyed) flushHeader(sink);
  });
  return () => {
    source.off("data", onData);
    source.off("end", onEnd);
    sink.off("drain", onDrain);
    begun = true;
    source.dismiss?.();
    source.resume();
  };
}

/** Sends the header now. Not `flushHeaders()`: that encodes the header's latin1 bytes anew, as UTF-8. */
function flushHeader(message: BodySink): void {
  message.write("", "latin1");
}
