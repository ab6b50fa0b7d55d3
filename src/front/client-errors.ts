/** What Node's parser and clock have against a client, as a refusal. Pure. */
import type { Refusal } from "./faults.js";

/** The first byte of a TLS connection. */
const TLS_HANDSHAKE = 0x16;

/**
 * The refusal that an error of a client's connection calls for.
 *
 * @param error - of the server's `clientError` event
 * @returns `undefined` when there is nobody to tell: the connection itself failed
 */
export function refusalOfError(error: Error): Refusal | undefined {
  const code = codeOf(error);
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return {
      status: 408,
      text: "Its header took too long to arrive (the option headersTimeoutMs).",
    };
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return {
      status: 431,
      text: "Its header is larger than what the option maxHeaderBytes allows.",
    };
  }
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") {
    return { status: 413, text: "Its chunks have too many extensions." };
  }
  if (code?.startsWith("HPE_") !== true) return undefined;
  if (isTls(error)) {
    return {
      status: 400,
      text: "It is in TLS, and plain HTTP is spoken here: ask for http://, not https://.",
    };
  }
  return { status: 400, text: `It isn't correct HTTP: ${reasonOf(error)}.` };
}

/** Whether a developer wants to know of it: not that a client went away in the middle, or was slow. */
export function isWorthTelling(error: Error, refusal: Refusal): boolean {
  return refusal.status !== 408 && codeOf(error) !== "HPE_INVALID_EOF_STATE";
}

/** Node's code for what went wrong. */
export function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

function isTls(error: Error): boolean {
  return (
    "rawPacket" in error &&
    error.rawPacket instanceof Uint8Array &&
    error.rawPacket[0] === TLS_HANDSHAKE
  );
}

/** What the parser found, without the name of the function that says so. */
function reasonOf(error: Error): string {
  const reason =
    "reason" in error && typeof error.reason === "string"
      ? error.reason
      : error.message;
  return reason.replace(/^Parse Error: /, "");
}

/** For a body that stopped arriving. */
export const slowBody: Refusal = {
  status: 408,
  text: "Its body stopped arriving for longer than the option bodyTimeoutMs allows.",
};
