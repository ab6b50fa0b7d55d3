/** Why requests are refused, as the numbers name it: few words, whatever strangers send. Pure. */
import type { Refusal } from "./faults.js";
import type { RefusalReason } from "./numbers/types.js";

/** All of them, none counted yet. */
export function noRefusals(): Record<RefusalReason, number> {
  return {
    ...{ malformed: 0, host: 0, origin: 0, method: 0, slow: 0 },
    ...{ "too-large": 0, unsupported: 0 },
  };
}

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
