/**
 * Which Host names the front answers to: pure, and the same for HTTP/1.1 and HTTP/2. A page of any site can have its own
 * name lead to 127.0.0.1 (DNS rebinding); for the browser it is then of one origin with the app. What gives it away is the
 * name, so only names count that no stranger can own: `localhost`, what ends with `.localhost`, addresses, and those that
 * the developer allowed.
 *
 * Not here: whether the Host is well-formed, and only one (`faults.ts`, which comes first).
 */
import net from "node:net";

import type { ReceivedRequest, Refusal } from "./faults.js";
import { authorityOf } from "./target.js";
import type { AllowedHosts } from "./types.js";

/**
 * The host and port that a request is for: those of an absolute target, else of `Host` (RFC 9112 section 3.2.2). What an
 * earlier hop says (`X-Forwarded-Host`) doesn't count: a page can say it as well.
 *
 * @returns `undefined` when it names none, as HTTP/1.0 may
 */
export function authorityOfRequest({
  url = "/",
  rawHeaders,
}: Pick<ReceivedRequest, "url" | "rawHeaders">): string | undefined {
  const named = authorityOf(url);
  if (named !== undefined) return named;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host")
      return rawHeaders[i + 1];
  }
  return undefined;
}

/** The name in a well-formed authority: without its port, the dot at its end, capitals; an IPv6 address without its brackets. */
export function nameOf(authority: string): string {
  const isBracketed = authority.startsWith("[");
  const end = isBracketed ? authority.indexOf("]") : authority.indexOf(":");
  const name = authority.slice(
    isBracketed ? 1 : 0,
    end === -1 ? undefined : end,
  );
  return plainName(name);
}

/** Is it this machine by a name that no DNS server is asked for, or by an address? */
export function isLoopbackName(name: string): boolean {
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (net.isIPv4(name)) return name.startsWith("127.");
  return name === "::1";
}

/**
 * Did the developer allow this name?
 *
 * @param allowed - `true`: all; a name with a dot in front of it: it, and what ends with it
 */
export function isAllowedName(name: string, allowed: AllowedHosts): boolean {
  if (allowed === true) return true;
  return allowed.some((entry) => {
    const wanted = plainName(entry.replace(/^\[(.*)\]$/, "$1"));
    return wanted.startsWith(".")
      ? name === wanted.slice(1) || name.endsWith(wanted)
      : name === wanted;
  });
}

/**
 * Why a request is for a stranger's name, if so.
 *
 * @param request - without a fault that `faults.ts` knows
 */
export function faultOfHostName(
  request: Pick<ReceivedRequest, "url" | "rawHeaders">,
  allowed: AllowedHosts,
): Refusal | undefined {
  if (allowed === true) return undefined;
  const authority = authorityOfRequest(request);
  // No browser leaves it out.
  if (authority === undefined) return undefined;
  const name = nameOf(authority);
  if (isLoopbackName(name) || net.isIP(name) !== 0) return undefined;
  if (isAllowedName(name, allowed)) return undefined;
  return {
    status: 403,
    reason: "host",
    text:
      `It is for the host ${JSON.stringify(name)}, and another site's page could have that name lead here (DNS rebinding). ` +
      remedyFor(name),
  };
}

/** A stranger's name may be copied from the terminal into a shell: only one that is harmless there is repeated. */
function remedyFor(name: string): string {
  const own = /^[a-z0-9][a-z0-9.-]*$/.test(name) ? name : "<name>";
  return (
    `If it's yours, allow it: prefork-dev --allowed-host ${own}, or allowedHosts: ["${own}"] in the manifest's server ` +
    "or for createServer."
  );
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
