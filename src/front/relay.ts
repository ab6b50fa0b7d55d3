/** A process's answer on its way to the client. */
import type { IncomingMessage, InformationEvent } from "node:http";
import { TLSSocket } from "node:tls";

import { pumpBody } from "./body.js";
import type { ClientRequest, ClientResponse } from "./client.js";
import { answerHead, informationFields } from "./headers.js";
import type { Tags } from "./headers.js";
import { headerText } from "./raw-fields.js";

/** Whether an answer is a stream of server-sent events, which may stay open for as long as the page does. */
export function isEventStream(answer: IncomingMessage): boolean {
  const type = answer.headers["content-type"];
  return type !== undefined && /^text\/event-stream\s*(?:;|$)/i.test(type);
}

/**
 * Passes a `1xx` on: `100 Continue`, `103 Early Hints`, and those that are yet to be invented (RFC 9110 section 15.2).
 * Written past Node's response, which knows three of them, and of their fields only some.
 *
 * @param response - undefined for a request for an upgrade, which has none yet
 */
export function relayInformation(
  information: InformationEvent,
  request: ClientRequest,
  response: ClientResponse | undefined,
): void {
  const socket = response?.socket ?? request.socket;
  // HTTP/1.0 knows no such answers.
  if (request.httpVersion === "1.0" || response?.headersSent === true) return;
  if (!socket.writable) return;
  // Node's response notes that the body was asked for, so that the connection may be kept.
  if (information.statusCode === 100 && response !== undefined) {
    response.writeContinue();
    return;
  }
  const line = `HTTP/1.1 ${information.statusCode} ${information.statusMessage}`;
  const fields = informationFields(
    information.rawHeaders,
    information.headers.connection,
  );
  if (response?.writeInformation !== undefined) {
    response.writeInformation(information.statusCode, fields);
    return;
  }
  socket.write(headerText(line, fields), "latin1");
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
  request: ClientRequest,
  response: ClientResponse,
  tags: Tags,
  onComplete: () => void,
): void {
  const { headers, hasLength } = answerHead(answer.rawHeaders, {
    ...tags,
    connection: answer.headers.connection,
    mayBeChunked:
      request.httpVersion !== "1.0" &&
      request.method !== "HEAD" &&
      answer.statusCode !== 204 &&
      answer.statusCode !== 304,
    isLengthless: answer.statusCode === 204,
  });
  // RFC 9112 section 6.1. Node would send chunks to an HTTP/1.0 client whose TE field asks for them.
  if (request.httpVersion === "1.0") {
    response.useChunkedEncodingByDefault = false;
  }
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
  request: ClientRequest,
  response: ClientResponse,
  hasLength: boolean,
): void {
  if (response.destroyed || response.writableFinished) return;
  // To an HTTP/1.0 client the end of the connection is the end of the body: only a reset says otherwise.
  if (!hasLength && request.httpVersion === "1.0") {
    const { socket } = request;
    // In TLS the end without a word of farewell says it (RFC 9112 section 9.8).
    if (socket instanceof TLSSocket) socket.destroy();
    else socket.resetAndDestroy();
  }
  response.destroy();
}
