/** A process's answer on its way to the client. */
import type {
  IncomingMessage,
  InformationEvent,
  ServerResponse,
} from "node:http";

import { pumpBody } from "./body.js";
import { answerHead } from "./headers.js";
import type { Tags } from "./headers.js";

/** Whether an answer is a stream of server-sent events, which may stay open for as long as the page does. */
export function isEventStream(answer: IncomingMessage): boolean {
  const type = answer.headers["content-type"];
  return type !== undefined && /^text\/event-stream\s*(?:;|$)/i.test(type);
}

/** Passes `100 Continue`, `102 Processing` and `103 Early Hints` on. */
export function relayInformation(
  information: InformationEvent,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  // HTTP/1.0 knows no such answers.
  if (response.headersSent || request.httpVersionMinor === 0) return;
  switch (information.statusCode) {
    case 100:
      response.writeContinue();
      return;
    case 102:
      response.writeProcessing();
      return;
    case 103:
      relayEarlyHints(information, response);
  }
}

function relayEarlyHints(
  information: InformationEvent,
  response: ServerResponse,
): void {
  const hints: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(information.headers)) {
    if (value !== undefined) hints[name] = value;
  }
  // Node joins what came in several fields, and its writer takes one link per entry.
  const { link } = hints;
  if (typeof link === "string") hints["link"] = link.split(/,\s*(?=<)/);
  try {
    response.writeEarlyHints(hints);
  } catch {
    // Node's writer is stricter than its parser. A hint is no loss.
  }
}

/**
 * Relays an answer whole: status line, header, body, trailers. An answer that
 * breaks off destroys the client's connection: it must never look complete.
 *
 * @param onComplete - called when the process has said all of it
 * @throws Error when Node's writer won't take the header; then nothing was sent
 */
export function relayAnswer(
  answer: IncomingMessage,
  request: IncomingMessage,
  response: ServerResponse,
  tags: Tags,
  onComplete: () => void,
): void {
  const { headers, hasLength } = answerHead(answer.rawHeaders, {
    ...tags,
    connection: answer.headers.connection,
    mayBeChunked:
      request.httpVersionMinor > 0 &&
      request.method !== "HEAD" &&
      answer.statusCode !== 204 &&
      answer.statusCode !== 304,
  });
  response.writeHead(
    answer.statusCode ?? 502,
    answer.statusMessage ?? "",
    headers,
  );
  pumpBody(answer, response);
  answer.once("end", onComplete);
  answer.on("error", () => {
    cutOff(request, response, hasLength);
  });
  answer.once("close", () => {
    // An error is not always emitted, for instance when the connection was destroyed without one.
    if (!answer.complete) cutOff(request, response, hasLength);
  });
}

/** Ends an answer so that the client sees that it is not complete. */
function cutOff(
  request: IncomingMessage,
  response: ServerResponse,
  hasLength: boolean,
): void {
  if (response.destroyed || response.writableFinished) return;
  // To an HTTP/1.0 client the end of the connection is the end of the body: only a reset says otherwise.
  if (!hasLength && request.httpVersionMinor === 0) {
    request.socket.resetAndDestroy();
  }
  response.destroy();
}
