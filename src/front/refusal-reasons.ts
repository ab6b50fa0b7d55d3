/** Why requests are refused, as the numbers name it: few words, whatever strangers send. Pure. */
import type { Refusal } from "./faults.js";

/** In the order in which they're listed. */
export const refusalReasons = [
  "malformed",
  "host",
  "origin",
  "method",
  "slow",
  "too-large",
  "unsupported",
] as const;

/** One of {@link refusalReasons}. */
export type RefusalReason = (typeof refusalReasons)[number];

/** What a refusal's status says of it, where it doesn't say more itself. */
export function reasonOf({ status, reason }: Refusal): RefusalReason {
  if (reason !== undefined) return reason;
  switch (status) {
    case 400:
      return "malformed";
    case 403:
      return "host";
    case 405:
      return "method";
    case 408:
      return "slow";
    case 413:
    case 431:
      return "too-large";
    case 501:
    case 505:
      return "unsupported";
  }
}
