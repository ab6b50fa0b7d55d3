/**
 * What an intermediary does to header fields: pure. Works on raw lists (name,
 * value, name, value, ...), so that order, case, duplicates and latin1 bytes stay as they are.
 *
 * Hop-by-hop fields: RFC 9110 section 7.6.1. Framing is decided anew on each
 * side, from the same facts: a length, or chunks. What is refused instead: `faults.ts`.
 */
import { addHop, forwardedFields } from "./forwarded.js";
import type { ForwardedPlaces, Hop } from "./forwarded.js";
import { MAX_FORWARDS, forwardedOnce } from "./max-forwards.js";
import { dropField, without } from "./raw-fields.js";

/** Never forwarded. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
  // Says how HTTP/2 would be spoken after an upgrade that is never made (RFC 9113 section 3.1).
  "http2-settings",
]);

/** What has no place behind a body, where it could change what the message means to whoever merges trailers (RFC 9110 section 6.5.1). */
const NEVER_TRAILERS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "content-length",
  "host",
  "trailer",
  "expect",
  ...forwardedFields.keys(),
]);

/** A `Connection` header that names these is wrong or hostile: without them a message has another meaning. */
const NEVER_NAMED: ReadonlySet<string> = new Set(["host", "content-length"]);

const TAG_WORKER = "x-prefork-worker";
const TAG_GENERATION = "x-prefork-generation";

/** The fields that a `Connection` header names, in lower case; `undefined` when it names none to speak of. */
export function namedByConnection(
  connection: string | undefined,
): ReadonlySet<string> | undefined {
  if (connection === undefined) return undefined;
  // What browsers and Node send: no list to build.
  if (
    connection === "keep-alive" ||
    connection === "close" ||
    connection === "Upgrade"
  ) {
    return undefined;
  }
  const names = new Set<string>();
  for (const part of connection.toLowerCase().split(",")) {
    const name = part.trim();
    if (name !== "" && !NEVER_NAMED.has(name)) names.add(name);
  }
  return names;
}

/** What is known of a request besides its header fields. */
export interface RequestFacts {
  readonly method: string | undefined;
  readonly httpVersion: string;
  /** All `Connection` fields, joined by commas. */
  readonly connection: string | undefined;
  /** The value of `Upgrade` when the connection is to be upgraded. */
  readonly upgrade?: string | undefined;
  /** The client's address, where it is still known. */
  readonly remoteAddress: string | undefined;
  /** Whether it is believed what it says of earlier hops. */
  readonly isTrusted: boolean;
  readonly protocol: Hop["protocol"];
  /** `Host` for a client that sent none (HTTP/1.0). */
  readonly defaultHost: string;
}

/** A request's header as it goes to the process, and what it says about the body. */
export interface RequestHead {
  readonly headers: string[];
  readonly hasBody: boolean;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
}

/** The header of a client's request as the process shall get it. */
export function requestHead(
  raw: readonly string[],
  facts: RequestFacts,
): RequestHead {
  const named = namedByConnection(facts.connection);
  const headers: string[] = [];
  let places: ForwardedPlaces | undefined;
  let chunked = false;
  let hasTrailer = false;
  let length: string | undefined;
  let host: string | undefined;
  let expectsContinue = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const value = raw[i + 1] ?? "";
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key)) {
      if (key === "transfer-encoding") chunked = true;
      continue;
    }
    if (named?.has(key)) continue;
    if (key === "content-length") length = value;
    else if (key === "host") host = value;
    else if (key === "trailer") hasTrailer = true;
    else if (key === "expect") {
      // RFC 9110 section 10.1.1: in HTTP/1.0 it means nothing, and the process is spoken to in HTTP/1.1.
      if (facts.httpVersion === "1.0") continue;
      expectsContinue = value.toLowerCase() === "100-continue";
    } else if (key.charCodeAt(0) === LETTER_F || key.startsWith("x-f")) {
      const field = forwardedFields.get(key);
      if (field !== undefined) {
        if (!facts.isTrusted) continue;
        (places ??= {})[field] = headers.length + 1;
      }
    }
    headers.push(
      name,
      key === MAX_FORWARDS ? forwardedOnce(facts.method, value) : value,
    );
  }
  if (chunked) headers.push("Transfer-Encoding", "chunked");
  else if (length === undefined && !isUsuallyBodiless(facts.method)) {
    // Else Node frames it as an empty chunked body.
    headers.push("Content-Length", "0");
  }
  if (host === undefined) headers.push("Host", facts.defaultHost);
  addHop(headers, places, {
    remoteAddress: facts.remoteAddress,
    protocol: facts.protocol,
    host: host ?? facts.defaultHost,
  });
  if (hasTrailer && !chunked) dropField(headers, "trailer");
  if (facts.upgrade !== undefined) {
    headers.push("Connection", "Upgrade", "Upgrade", facts.upgrade);
  }
  return {
    headers,
    hasBody: chunked || (length !== undefined && Number(length) !== 0),
    expectsContinue,
  };
}

const LETTER_F = "f".charCodeAt(0);

/** Methods for which Node's client assumes no body. */
function isUsuallyBodiless(method: string | undefined): boolean {
  return (
    method === "GET" ||
    method === "HEAD" ||
    method === "DELETE" ||
    method === "OPTIONS" ||
    method === "TRACE" ||
    method === "CONNECT"
  );
}

/** Who answered. */
export interface Tags {
  readonly worker: number;
  readonly generation: number;
}

/** What is known of an answer besides its header fields. */
export interface AnswerFacts extends Tags {
  /** All `Connection` fields, joined by commas. */
  readonly connection: string | undefined;
  /** The value of `Upgrade` when the connection was upgraded. */
  readonly upgrade?: string | undefined;
  /** Whether trailers can follow at all: an HTTP/1.1 client, and an answer that can have a body. */
  readonly mayBeChunked: boolean;
  /** Whether it must not have a `Content-Length`: 101 and 204 (RFC 9110 section 8.6). */
  readonly isLengthless: boolean;
}

/** An answer's header as the client gets it. */
export interface AnswerHead {
  readonly headers: string[];
  /** Whether the body has a length of its own. */
  readonly hasLength: boolean;
}

/** The header of a process's answer as the client shall get it. */
export function answerHead(
  raw: readonly string[],
  facts: AnswerFacts,
): AnswerHead {
  const named = namedByConnection(facts.connection);
  const headers: string[] = [];
  let hasLength = false;
  let hasTrailer = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || key === TAG_WORKER || key === TAG_GENERATION) {
      continue;
    }
    if (named?.has(key)) continue;
    if (key === "content-length") {
      // A client that believed it would wait, or take the next answer for a body.
      if (facts.isLengthless) continue;
      hasLength = true;
    } else if (key === "trailer") hasTrailer = true;
    headers.push(name, raw[i + 1] ?? "");
  }
  // Node throws when `Trailer` is announced for what isn't chunked.
  if (hasTrailer && (hasLength || !facts.mayBeChunked)) {
    dropField(headers, "trailer");
  }
  headers.push(TAG_WORKER, String(facts.worker));
  headers.push(TAG_GENERATION, String(facts.generation));
  if (facts.upgrade !== undefined) {
    headers.push("Connection", "Upgrade", "Upgrade", facts.upgrade);
  }
  return { headers, hasLength };
}

/** The header of a `1xx` answer as the client shall get it. */
export function informationFields(
  raw: readonly string[],
  connection: string | undefined,
): string[] {
  const named = namedByConnection(connection);
  return without(
    raw,
    (key) =>
      HOP_BY_HOP.has(key) ||
      key === "content-length" ||
      named?.has(key) === true,
  );
}

/** The trailers of a message as the other side shall get them. */
export function trailerFields(raw: readonly string[]): string[] {
  return without(raw, (key) => NEVER_TRAILERS.has(key));
}

/** Whether an `Upgrade` header asks for HTTP/2 in clear text, which is served as plain HTTP/1.1. */
export function asksForH2c(upgrade: string | undefined): boolean {
  return (
    upgrade
      ?.toLowerCase()
      .split(",")
      .some((token) => token.trim() === "h2c") ?? false
  );
}
