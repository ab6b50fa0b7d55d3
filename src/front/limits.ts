/** What the front bounds, and how tightly by default. docs/front.md lists them; a test compares. */
import { maxHeaderSize } from "node:http";

import type { FrontLimits, TrustProxy } from "./types.js";

/** In the order of docs/front.md. */
export const defaultLimits: FrontLimits = {
  headersTimeoutMs: 60_000,
  bodyTimeoutMs: 60_000,
  keepAliveTimeoutMs: 330_000,
  // 16,384 unless this process was started with another --max-http-header-size.
  maxHeaderBytes: maxHeaderSize,
  maxHeaders: 900,
};

/** Peers on this machine: a tunnel or a TLS terminator. */
export const defaultTrust: TrustProxy = "loopback";

/** The limits that were given, and the defaults of the rest. */
export function resolveLimits(given: Partial<FrontLimits>): FrontLimits {
  const {
    headersTimeoutMs = defaultLimits.headersTimeoutMs,
    bodyTimeoutMs = defaultLimits.bodyTimeoutMs,
    keepAliveTimeoutMs = defaultLimits.keepAliveTimeoutMs,
    maxHeaderBytes = defaultLimits.maxHeaderBytes,
    maxHeaders = defaultLimits.maxHeaders,
  } = given;
  return {
    ...{ headersTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs },
    ...{ maxHeaderBytes, maxHeaders },
  };
}
