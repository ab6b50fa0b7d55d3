/** An upgraded connection: two sockets, and what one says the other hears. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { answerHead } from "./headers.js";
import type { Tags } from "./headers.js";
import { headerText } from "./raw-fields.js";

/** The two ends of a connection that is upgraded, and what each said early. */
export interface TunnelEnds {
  readonly client: Socket;
  /** What the client sent after its request, before it had an answer. */
  readonly clientEarly: Buffer;
  readonly upstream: Duplex;
  /** What the process sent right after its answer. */
  readonly upstreamEarly: Buffer;
}

/**
 * Passes the 101 on and joins the two sockets: half-closes, back-pressure and ends included.
 *
 * @param onClose - called once, when the process's side is closed
 */
export function openTunnel(
  answer: IncomingMessage,
  ends: TunnelEnds,
  tags: Tags,
  onClose: () => void,
): void {
  const { client, upstream } = ends;
  const { headers } = answerHead(answer.rawHeaders, {
    ...tags,
    connection: answer.headers.connection,
    upgrade: answer.headers.upgrade ?? "",
    mayBeChunked: false,
    isLengthless: true,
  });
  // Whatever Node's server or agent had in mind for an idle connection.
  client.setTimeout(0);
  client.setNoDelay(true);
  const status = `HTTP/1.1 ${answer.statusCode ?? 101} ${answer.statusMessage ?? ""}`;
  client.write(headerText(status, headers), "latin1");
  if (ends.upstreamEarly.length > 0) client.write(ends.upstreamEarly);
  if (ends.clientEarly.length > 0) upstream.write(ends.clientEarly);

  upstream.on("error", () => undefined);
  // When one side is gone for good, the other gets what was said until then, and the end.
  upstream.once("close", () => {
    client.destroySoon();
    onClose();
  });
  client.once("close", () => {
    upstream.destroy();
  });
  upstream.pipe(client);
  client.pipe(upstream);
}
