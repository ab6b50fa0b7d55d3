/** Makes the front of a server from its options. Part of the composition root, called by `parts.ts`. */
import type { OpenCertificate } from "./certificates/open.js";
import { createFront } from "./front/front.js";
import type { Front, OwnEndpoints } from "./front/types.js";
import type { ResolvedServerOptions } from "./server-options.js";

/** What the front needs of the rest. */
export interface FrontNeeds {
  readonly certificate: OpenCertificate | undefined;
  readonly endpoints: OwnEndpoints;
  /** Fulfils when the event loop of a process has turned. */
  readonly probe: (id: number) => Promise<void>;
  readonly onWarning: (message: string) => void;
}

/** Options that may change while the server runs are read whenever they're needed. It doesn't listen yet. */
export function makeFront(
  options: ResolvedServerOptions,
  { certificate, endpoints, probe, onWarning }: FrontNeeds,
): Front {
  const { host, twinHost, port } = options;
  const { consistency, holdTimeoutMs, freshTimeoutMs, ownNames } = options;
  return createFront({
    ...options.frontLimits,
    trustProxy: options.trustProxy,
    ...(certificate && { tls: certificate.pair }),
    ...{ host, twinHost, port, endpoints },
    consistency,
    get allowedHosts() {
      const allowed = options.allowedHosts ?? (endpoints.isOpen() ? [] : true);
      return allowed === true || ownNames.length === 0
        ? allowed
        : [...allowed, ...ownNames];
    },
    holdTimeoutMs,
    freshTimeoutMs,
    get maxHeld() {
      return options.maxHeld;
    },
    get concurrency() {
      return options.concurrency;
    },
    probe,
    log: onWarning,
  });
}
