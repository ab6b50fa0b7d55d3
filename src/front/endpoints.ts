/**
 * The front's own endpoints under `/__prefork/`: which there are, and who may ask. Pure, and the same for every protocol. None reads
 * a file. They aren't the app's: but for these exact paths, all that begins like them goes to the app.
 *
 * Not here: what they answer (`endpoint-use.ts`).
 */
import { timingSafeEqual } from "node:crypto";

import type { ReceivedRequest, Refusal } from "./faults.js";
import {
  authorityOfRequest,
  isAllowedName,
  isLoopbackName,
  nameOf,
} from "./host-rule.js";
import { pathOf } from "./target.js";
import type { AllowedHosts } from "./types.js";

/** What can be asked. */
export type Endpoint = "status" | "events" | "reload";

const PATHS: ReadonlyMap<string, Endpoint> = new Map([
  ["/__prefork/status", "status"],
  ["/__prefork/events", "events"],
  ["/__prefork/reload", "reload"],
]);

/** The endpoint that a request is for, whatever its method and query. */
export function endpointOf({
  method = "",
  url = "",
}: Pick<ReceivedRequest, "method" | "url">): Endpoint | undefined {
  // Looked at for each request.
  if (!url.includes("/__prefork/")) return undefined;
  const [path = ""] = (pathOf(method, url) ?? "").split("?", 1);
  return PATHS.get(path);
}

/** What the answer depends on besides the request. */
export interface EndpointRule {
  readonly allowedHosts: AllowedHosts;
  /** Did it come over TLS? */
  readonly isSecure: boolean;
  /** What a request must know that does something: random, for this run. */
  readonly token: string;
}

/**
 * Why an endpoint mustn't answer a request, if so.
 *
 * @param request - without a fault that `faults.ts` knows
 */
export function faultOfEndpoint(
  endpoint: Endpoint,
  request: ReceivedRequest,
  rule: EndpointRule,
): Refusal | undefined {
  const { method = "", rawHeaders } = request;
  const acts = endpoint === "reload";
  const wanted = acts ? "POST" : "GET";
  if (!isHere(request, rule.allowedHosts)) {
    return {
      ...{ status: 403, reason: "host" },
      text: "The tool's own endpoints answer to localhost and to allowed names alone (--allowed-host).",
    };
  }
  if (method !== wanted) {
    return {
      ...{ status: 405, allow: wanted },
      text: `It must be asked with ${wanted}, not ${method}.`,
    };
  }
  const authority = authorityOfRequest(request) ?? "";
  const foreign = foreignness(rawHeaders, authority, rule, acts);
  if (foreign !== undefined) {
    return {
      ...{ status: 403, reason: "origin" },
      text: `The tool's own endpoints are for pages of this very origin. ${foreign}`,
    };
  }
  if (acts && !isToken(valuesOf(rawHeaders, "x-prefork-token"), rule.token)) {
    return {
      ...{ status: 403, reason: "origin" },
      text: "Its X-Prefork-Token is not that of this run, which only the pages of the tool know. From a terminal: prefork-dev reload.",
    };
  }
  return hasBody(rawHeaders)
    ? { status: 413, text: "It has a body, and takes none." }
    : undefined;
}

/** Is it for a name to which the endpoints answer? Stricter than for the app: an address of the network isn't this machine. */
export function isHere(
  request: Pick<ReceivedRequest, "url" | "rawHeaders">,
  allowed: AllowedHosts,
): boolean {
  const authority = authorityOfRequest(request);
  if (authority === undefined) return false;
  const name = nameOf(authority);
  return isLoopbackName(name) || isAllowedName(name, allowed);
}

/** What says that another origin asks. Programs other than browsers send neither field. */
function foreignness(
  raw: readonly string[],
  authority: string,
  { isSecure }: EndpointRule,
  acts: boolean,
): string | undefined {
  const own = originOf(`${isSecure ? "https" : "http"}://${authority}`);
  for (const origin of valuesOf(raw, "origin")) {
    // As it is sent: an origin has one form.
    if (origin !== own) return `Its Origin is ${JSON.stringify(origin)}.`;
  }
  for (const site of valuesOf(raw, "sec-fetch-site")) {
    // `none`: it was typed into the address bar.
    if (site !== "same-origin" && (acts || site !== "none"))
      return `Its Sec-Fetch-Site is ${JSON.stringify(site)}.`;
  }
  return undefined;
}

function originOf(url: string): string | undefined {
  try {
    return new URL(url).origin;
  } catch {
    return undefined;
  }
}

/** Compared in a time that doesn't tell how much of it was right. */
function isToken(values: readonly string[], token: string): boolean {
  const [value = ""] = values;
  const given = Buffer.from(value);
  const wanted = Buffer.from(token);
  return (
    values.length === 1 &&
    given.length === wanted.length &&
    timingSafeEqual(given, wanted)
  );
}

function hasBody(raw: readonly string[]): boolean {
  const [length = "0"] = valuesOf(raw, "content-length");
  return Number(length) !== 0 || valuesOf(raw, "transfer-encoding").length > 0;
}

function valuesOf(raw: readonly string[], key: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() === key) values.push(raw[i + 1] ?? "");
  }
  return values;
}
