/** `Max-Forwards` of OPTIONS and TRACE, by which a client asks one of those in between instead of the app (RFC 9110 section 7.6.2): pure. */
import type { ReceivedRequest, Refusal } from "./faults.js";

export const MAX_FORWARDS = "max-forwards";

/** Does the field mean something for this method? For others it's passed on as it is. */
function counts(method: string | undefined): boolean {
  return method === "OPTIONS" || method === "TRACE";
}

/** How often a request may be forwarded, by the value of its field; `undefined`: as often as need be. */
function forwardsLeft(
  method: string | undefined,
  value: string,
): number | undefined {
  return counts(method) && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** The field as the process shall get it. */
export function forwardedOnce(
  method: string | undefined,
  value: string,
): string {
  const left = forwardsLeft(method, value);
  return left === undefined ? value : String(Math.max(0, left - 1));
}

/** A request that must go no further is answered by us, who have neither method. */
export function faultOfMaxForwards({
  method,
  rawHeaders,
}: ReceivedRequest): Refusal | undefined {
  if (!counts(method)) return undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== MAX_FORWARDS) continue;
    if (forwardsLeft(method, rawHeaders[i + 1] ?? "") !== 0) continue;
    return {
      status: 405,
      text: `Its Max-Forwards is 0, so that it is for the front, not for the app, and the front itself has no ${method ?? ""}.`,
      allow: "GET, HEAD, POST, PUT, PATCH, DELETE",
    };
  }
  return undefined;
}
