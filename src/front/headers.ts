/**
 * What an intermediary does to header fields: pure. Works on raw lists (name,
 * value, name, value, ...), so that order, case, duplicates and latin1 bytes stay as they are.
 *
 * Hop-by-hop fields: RFC 9110 section 7.6.1. Framing is decided anew on each
 * side, from the same facts: a length, or chunks.
 */

/** Never forwarded. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
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
  /** All `Connection` fields, joined by commas. */
  readonly connection: string | undefined;
  /** The value of `Upgrade` when the connection is to be upgraded. */
  readonly upgrade?: string | undefined;
  /** The client's address, where it is still known. */
  readonly remoteAddress: string | undefined;
  readonly protocol: "http" | "https";
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
  let chunked = false;
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
    else if (key === "expect") {
      expectsContinue = value.toLowerCase() === "100-continue";
    }
    headers.push(name, value);
  }
  if (chunked) headers.push("Transfer-Encoding", "chunked");
  else {
    dropField(headers, "trailer");
    // Else Node frames it as an empty chunked body.
    if (length === undefined && !isUsuallyBodiless(facts.method)) {
      headers.push("Content-Length", "0");
    }
  }
  if (host === undefined) headers.push("Host", facts.defaultHost);
  if (facts.remoteAddress !== undefined) {
    headers.push("X-Forwarded-For", facts.remoteAddress);
  }
  headers.push("X-Forwarded-Proto", facts.protocol);
  headers.push("X-Forwarded-Host", host ?? facts.defaultHost);
  if (facts.upgrade !== undefined) {
    headers.push("Connection", "Upgrade", "Upgrade", facts.upgrade);
  }
  return {
    headers,
    hasBody: chunked || (length !== undefined && Number(length) !== 0),
    expectsContinue,
  };
}

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
    if (key === "content-length") hasLength = true;
    else if (key === "trailer") hasTrailer = true;
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

function dropField(headers: string[], key: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]?.toLowerCase() === key) headers.splice(i, 2);
  }
}

/** A raw list as pairs, which `addTrailers` takes. */
export function pairs(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    list.push([raw[i] ?? "", raw[i + 1] ?? ""]);
  }
  return list;
}

/** Header lines as they go over the wire, with the empty line at the end. */
export function headerText(
  firstLine: string,
  headers: readonly string[],
): string {
  let text = `${firstLine}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    text += `${headers[i] ?? ""}: ${headers[i + 1] ?? ""}\r\n`;
  }
  return `${text}\r\n`;
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
