/**
 * What Node's parser lets pass although an intermediary must not: pure. A message that two readers could read in two ways
 * is refused, never mended, because the front and the process would be those two readers.
 *
 * Not here: what the parser refuses itself (`client-errors.ts` answers for it).
 */
import { METHODS } from "node:http";

import { faultOfMaxForwards } from "./max-forwards.js";
import type { RefusalReason } from "./numbers/types.js";
import { authorityOf, pathOf } from "./target.js";

/** Why a request goes nowhere. */
export interface Refusal {
  readonly status: 400 | 403 | 405 | 408 | 413 | 431 | 501 | 505;
  /** Says what is wrong with it and what to do; ends without a newline. */
  readonly text: string;
  /** The `Allow` of a 405. Default: all methods. */
  readonly allow?: string;
  /** What it's counted as. Default: what its status says. */
  readonly reason?: RefusalReason;
}

/** A request whose header Node has parsed. */
export interface ReceivedRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
}

const methods: ReadonlySet<string> = new Set(METHODS);

/**
 * RFC 9110 section 4.2.3 and RFC 3986: a name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. No comma,
 * although the grammar has it: a list of hosts is what comes of two fields that were joined.
 */
const HOST =
  /^(?:\[[0-9a-f:.]+\]|(?:[\w.~!$&'()*+;=-]|%[0-9a-f]{2})+)(?::\d{0,5})?$/i;

/** The fields that say where a message goes and where it ends. */
interface Framing {
  hosts: string[] | undefined;
  lengths: string[] | undefined;
  codings: string[] | undefined;
}

/** Looks at names by their length first: this is done for each message. */
function framingOf(raw: readonly string[]): Framing {
  const found: Framing = {
    hosts: undefined,
    lengths: undefined,
    codings: undefined,
  };
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const value = raw[i + 1] ?? "";
    if (name.length === 4) {
      if (name.toLowerCase() === "host") (found.hosts ??= []).push(value);
    } else if (name.length === 14) {
      if (name.toLowerCase() === "content-length")
        (found.lengths ??= []).push(value);
    } else if (name.length === 17) {
      if (name.toLowerCase() === "transfer-encoding")
        (found.codings ??= []).push(value);
    }
  }
  return found;
}

/**
 * Why a request must not be passed on, if so.
 *
 * @param maxHeaders - how many header fields it may have
 */
export function faultOfRequest(
  request: ReceivedRequest,
  maxHeaders: number,
): Refusal | undefined {
  const { method = "", url = "", httpVersion, rawHeaders } = request;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    return {
      status: 505,
      text: `It is in HTTP/${httpVersion}. HTTP/1.1 and HTTP/1.0 are spoken here.`,
    };
  }
  if (!methods.has(method)) {
    return { status: 501, text: `Its method ${quote(method)} isn't HTTP's.` };
  }
  if (rawHeaders.length / 2 > maxHeaders) {
    return {
      status: 431,
      text:
        `It has ${rawHeaders.length / 2} header fields, and at most ${maxHeaders} are passed on: ` +
        "Node's server would leave out the rest without a word. The option maxHeaders has the limit.",
    };
  }
  const framing = framingOf(rawHeaders);
  return (
    faultOfTarget(method, url) ??
    faultOfHost(framing.hosts, url, httpVersion) ??
    faultOfFraming(framing, httpVersion) ??
    faultOfMaxForwards(request)
  );
}

function faultOfTarget(method: string, url: string): Refusal | undefined {
  if (url.includes("#")) {
    return bad(
      `Its target ${quote(url)} has a fragment. A client keeps what follows the # to itself (RFC 9112 section 3.2).`,
    );
  }
  if (pathOf(method, url) !== undefined) return undefined;
  return bad(
    `Its target ${quote(url)} is neither a path nor an http or https URL` +
      (url === "*" ? ": * is for OPTIONS alone" : "") +
      " (RFC 9112 section 3.2).",
  );
}

function faultOfHost(
  hosts: readonly string[] | undefined,
  url: string,
  httpVersion: string,
): Refusal | undefined {
  const authority = authorityOf(url);
  if (authority !== undefined && !HOST.test(authority)) {
    return bad(`Its target names the host ${quote(authority)}, which is none.`);
  }
  if (hosts === undefined) {
    return httpVersion === "1.0"
      ? undefined
      : bad("It has no Host field (RFC 9112 section 3.2).");
  }
  const [host = ""] = hosts;
  if (hosts.length > 1) {
    return bad(
      `It has ${hosts.length} Host fields: ${hosts.map(quote).join(", ")} (RFC 9112 section 3.2).`,
    );
  }
  if (!HOST.test(host)) {
    return bad(
      `Its Host field is ${quote(host)}, which is no host with or without a port (RFC 9112 section 3.2).`,
    );
  }
  if (
    authority !== undefined &&
    authority.toLowerCase() !== host.toLowerCase()
  ) {
    return bad(
      `Its target says that it is for ${quote(authority)}, its Host field for ${quote(host)} (RFC 9112 section 3.2.2).`,
    );
  }
  return undefined;
}

function faultOfFraming(
  { lengths, codings }: Framing,
  httpVersion: string,
): Refusal | undefined {
  const length = faultOfLengths(lengths);
  if (length !== undefined) return bad(`${length} (RFC 9112 section 6.3).`);
  if (codings === undefined) return undefined;
  const coding = faultOfCodings(codings, httpVersion);
  if (coding === undefined && lengths !== undefined) {
    return bad(`${LENGTH_AND_CHUNKS} (RFC 9112 section 6.3).`);
  }
  if (coding === undefined) return undefined;
  const text = `${coding} (RFC 9112 section 6.1).`;
  const isUnknown = httpVersion === "1.1" && tokens(codings).some(isUnknownOne);
  return isUnknown ? { status: 501, text } : bad(text);
}

/**
 * Why an answer must not be passed on, if so.
 *
 * @returns ends without a full stop
 */
export function faultOfAnswer(answer: {
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
}): string | undefined {
  const { httpVersion, rawHeaders } = answer;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    return `it is in HTTP/${httpVersion}`;
  }
  const { lengths, codings } = framingOf(rawHeaders);
  const length = faultOfLengths(lengths);
  if (length !== undefined) return uncapitalized(length);
  if (codings === undefined) return undefined;
  if (lengths !== undefined) return uncapitalized(LENGTH_AND_CHUNKS);
  const coding = faultOfCodings(codings, httpVersion);
  return coding === undefined ? undefined : uncapitalized(coding);
}

const LENGTH_AND_CHUNKS =
  "It has both a Content-Length and a Transfer-Encoding";

function faultOfLengths(
  lengths: readonly string[] | undefined,
): string | undefined {
  if (lengths === undefined) return undefined;
  const [length = ""] = lengths;
  if (lengths.length > 1) {
    return `It has ${lengths.length} Content-Length fields: ${lengths.map(quote).join(", ")}`;
  }
  return /^\d+$/.test(length)
    ? undefined
    : `Its Content-Length is ${quote(length)}, which is no length`;
}

/** Chunks alone: they are decoded and made anew, other codings would be lost on the way. */
function faultOfCodings(
  codings: readonly string[],
  httpVersion: string,
): string | undefined {
  const [coding = ""] = codings;
  if (httpVersion === "1.0") {
    return `It is in HTTP/1.0, and has a Transfer-Encoding, ${quote(coding)}`;
  }
  if (codings.length === 1 && coding.toLowerCase() === "chunked") {
    return undefined;
  }
  return `Its Transfer-Encoding is ${codings.map(quote).join(", ")}. Only "chunked", and once, is passed on`;
}

function tokens(values: readonly string[]): string[] {
  return values.join(",").split(",");
}

function isUnknownOne(token: string): boolean {
  return !["", "chunked"].includes(token.trim().toLowerCase());
}

function bad(text: string): Refusal {
  return { status: 400, text };
}

/** A client's text, for a message: quoted, escaped, not too long. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function uncapitalized(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
