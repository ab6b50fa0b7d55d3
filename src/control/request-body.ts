/** Reads a request's body: of a bounded length, and as JSON. */
import type { IncomingMessage } from "node:http";
import { PreforkError, messageOf } from "../errors.js";

/** The longest body, in bytes. */
export const MAX_BODY_BYTES: number = 1_048_576;
/** A body that is too long is read up to here, and thrown away: who still writes doesn't see the answer. */
const MAX_DISCARDED_BYTES = 16 * MAX_BODY_BYTES;

/** A body; `aborted`: the client has gone before its end. */
export type Body =
  | { readonly kind: "whole"; readonly bytes: Buffer }
  | { readonly kind: "too-long" }
  | { readonly kind: "aborted" };

/** Does the request say that its body is too long? */
export function declaresTooMuch(request: IncomingMessage): boolean {
  return Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES;
}

/** Reads the body to its end. Never rejects. */
export function readBody(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks = [];
      if (length > MAX_DISCARDED_BYTES) resolve({ kind: "too-long" });
    });
    request.once("end", () => {
      resolve(
        length > MAX_BODY_BYTES
          ? { kind: "too-long" }
          : { kind: "whole", bytes: Buffer.concat(chunks) },
      );
    });
    request.once("close", () => resolve({ kind: "aborted" }));
  });
}

/**
 * The value of a body.
 *
 * @throws PreforkError `ERR_PREFORK_CONTROL_REQUEST`
 */
export function parseBody(bytes: Buffer): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new PreforkError(
      "ERR_PREFORK_CONTROL_REQUEST",
      bytes.length === 0
        ? "The request has no body. Send a JSON object, as in curl --data '{\"workers\":2}'."
        : `The body is not JSON in UTF-8: ${messageOf(error)}. Send a JSON object.`,
      { cause: error },
    );
  }
}
