/**
 * HTTP/2's fields as those of HTTP/1.1, and back: pure. A request is shown as the HTTP/1.1 request that the process gets (RFC 9113
 * section 8.3.1), so that every rule about requests is written once.
 *
 * Not here: what nghttp2 refuses by itself (fields of a connection, upper case, control characters, pseudo-fields that are missing, twice or behind others).
 */
import type { OutgoingHttpHeaders } from "node:http2";

import type { Refusal } from "./faults.js";

/** A request, as HTTP/1.1 says it. */
export interface TranslatedRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  /** All `Accept` fields. */
  readonly accept: string | undefined;
  /** Why it can't be said in HTTP/1.1, if so. */
  readonly fault: Refusal | undefined;
}

/** By name, with the colon. */
type Pseudo = ReadonlyMap<string, string>;

/**
 * Translates a request's header.
 *
 * @param raw - a raw list, as Node has it
 * @param hasBody - whether more than the header comes
 */
export function translateRequest(
  raw: readonly string[],
  hasBody: boolean,
): TranslatedRequest {
  const pseudo = new Map<string, string>();
  const hosts: string[] = [];
  const accept: string[] = [];
  const headers: string[] = [];
  let cookieAt: number | undefined;
  let hasLength = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const value = raw[i + 1] ?? "";
    if (name.startsWith(":")) {
      pseudo.set(name, value);
      continue;
    }
    if (name === "host") {
      hosts.push(value);
      continue;
    }
    if (name === "cookie" && cookieAt !== undefined) {
      // RFC 9113 section 8.2.3: in HTTP/1.1 there is one field.
      headers[cookieAt] = `${headers[cookieAt] ?? ""}; ${value}`;
      continue;
    }
    if (name === "cookie") cookieAt = headers.length + 1;
    else if (name === "content-length") hasLength = true;
    else if (name === "accept") accept.push(value);
    headers.push(name, value);
  }
  if (hasBody && !hasLength) headers.push("transfer-encoding", "chunked");
  const host = pseudo.get(":authority") ?? hosts[0];
  return {
    method: pseudo.get(":method") ?? "",
    url: pseudo.get(":path") ?? "",
    rawHeaders: host === undefined ? headers : ["host", host, ...headers],
    accept: accept.length === 0 ? undefined : accept.join(","),
    fault: faultOf(pseudo, hosts),
  };
}

/** What only HTTP/2 can get wrong. The rest is said of the translated request, by `faults.ts`. */
function faultOf(
  pseudo: Pseudo,
  hosts: readonly string[],
): Refusal | undefined {
  const method = pseudo.get(":method");
  const scheme = pseudo.get(":scheme");
  const authority = pseudo.get(":authority");
  const path = pseudo.get(":path") ?? "";
  if (method === "CONNECT") {
    return {
      status: 405,
      text: "CONNECT is for proxies, and this is a server.",
    };
  }
  if (scheme?.toLowerCase() !== "https") {
    return bad(
      `Its :scheme is ${JSON.stringify(scheme ?? "")}, and https is spoken here (RFC 9113 section 8.3.1).`,
    );
  }
  if (!path.startsWith("/") && !(path === "*" && method === "OPTIONS")) {
    return bad(
      `Its :path ${JSON.stringify(path.slice(0, 80))} is no path (RFC 9113 section 8.3.1).`,
    );
  }
  const host = authority ?? hosts[0];
  const other = hosts.find(
    (each) => each.toLowerCase() !== host?.toLowerCase(),
  );
  if (other !== undefined || hosts.length > 1) {
    const all = [...(authority === undefined ? [] : [authority]), ...hosts];
    return bad(
      `It says in several ways whom it is for, in :authority or host: ${all.map((each) => JSON.stringify(each)).join(", ")} (RFC 9113 section 8.3.1).`,
    );
  }
  return undefined;
}

function bad(text: string): Refusal {
  return { status: 400, text };
}

/** How large a header is, in the bytes of HTTP/1.1. */
export function headerBytes(url: string, raw: readonly string[]): number {
  let bytes = url.length;
  for (let i = 0; i < raw.length; i++) bytes += (raw[i] ?? "").length + 2;
  return bytes;
}

/**
 * A raw list as the object that Node's HTTP/2 takes. Fields that are there several times stay so, one behind the other.
 *
 * @param isJoined - several fields of a name become one, as any recipient may have it (RFC 9110 section 5.2): Node's
 * HTTP/2 doesn't send some names twice. Never `Set-Cookie`
 */
export function outgoingFields(
  raw: readonly string[],
  isJoined = false,
): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = Object.create(
    null,
  ) as Record<string, string | string[]>;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    const value = raw[i + 1] ?? "";
    // A field name of HTTP/1.1 has no colon, and an app that has one all the same is not to make up pseudo-fields.
    if (name === "" || name.includes(":")) continue;
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else if (isJoined && name !== "set-cookie")
      fields[name] = `${before}, ${value}`;
    else fields[name] = [before, value];
  }
  return fields;
}
