/** What all exchanges of a front share. Types only. */
import type { Admission } from "./admission.js";
import type { ClientRequest } from "./client.js";
import type { Refusal } from "./faults.js";
import type { Sessions } from "./sessions.js";
import type { FrontLimits, Outage, TrustProxy } from "./types.js";

/** See this file's header; the front fills it in. */
export interface ExchangeContext {
  readonly admission: Admission;
  readonly sessions: Sessions;
  readonly counters: { retries: number; upgrades: number; ownAnswers: number };
  /** `Host` for clients that sent none. */
  readonly defaultHost: () => string;
  readonly outage: () => Outage | undefined;
  /** What a page that answers this request needs to ask the front's own endpoints; `undefined`: they wouldn't answer. */
  readonly tokenFor: (request: ClientRequest) => string | undefined;
  readonly isClosing: () => boolean;
  readonly trustProxy: TrustProxy;
  readonly limits: Pick<FrontLimits, "bodyTimeoutMs">;
  /** Ends what a connection, or in HTTP/2 a stream, has in hand with a refusal. */
  readonly breakOff: (request: ClientRequest, refusal: Refusal) => void;
  readonly log: (line: string) => void;
}
