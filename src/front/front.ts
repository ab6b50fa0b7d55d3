/**
 * The front: the listener on the one public URL. It admits every request by
 * leasing it to one process, holds requests while none can take them, repeats what may be
 * repeated, and drains processes so that nothing is lost.
 *
 * It is not a general proxy (its upstreams are processes on this machine), and
 * doesn't know what a generation contains or when processes are replaced: `dev-server.ts` tells it, by
 * `connect`, `admit`, `drain`, `remove`, in this order.
 *
 * Request: public-side.ts (HTTP/1.1 or 2) -> public-server.ts (may it be passed on?) -> connections.ts (in turn) -> exchange.ts -> admission.ts + policy.ts (to whom, when) ->
 * attempt.ts (send; tries.ts when it fails) -> relay.ts (answer) or tunnel.ts (upgraded).
 */
import { setTimeout as setDelay } from "node:timers/promises";

import { PreforkError, messageOf } from "../errors.js";
import { Admission } from "./admission.js";
import { calmLog } from "./calm-log.js";
import { Connections } from "./connections.js";
import { Endpoints } from "./endpoint-use.js";
import { Exchange } from "./exchange.js";
import { faultOfRequest } from "./faults.js";
import type { Refusal } from "./faults.js";
import { faultOfHostName } from "./host-rule.js";
import type { ExchangeContext } from "./exchange-context.js";
import { defaultTrust, resolveLimits } from "./limits.js";
import { listen, urlHost } from "./listen.js";
import type { Listening } from "./listen.js";
import { LoopWatch } from "./loop-watch.js";
import { refuseHttp2 } from "./http2-connections.js";
import { noRefusals, reasonOf } from "./refusal-reasons.js";
import { createPublicSide } from "./public-side.js";
import { RefusalUse } from "./refusing.js";
import { Sessions } from "./sessions.js";
import type { Front, FrontOptions, Outage } from "./types.js";

const DEFAULT_HOLD_TIMEOUT_MS = 30_000;
const DEFAULT_FRESH_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_HELD = 1_000;
/** Between a process's death as seen on its sockets and the same as seen by its parent. */
const DEATH_NOTICE_MS = 1_000;
/** A process that listens is connected to at once; one that hangs must not hang a roll. */
const CONNECT_TIMEOUT_MS = 5_000;
/** When the front closes: how long connections may still bring a request. */
const LINGER_MS = 100;

/**
 * Makes the front. Nothing is opened before `listen()`.
 *
 * @example
 * const front = createFront({ host: "127.0.0.1", port: 3000, consistency: "fresh" });
 * const { url } = await front.listen();
 * await front.connect(target);
 * front.admit(target);
 */
export function createFront(options: FrontOptions): Front {
  const counters = {
    ...{ requests: 0, refused: 0, retries: 0 },
    ...{ upgrades: 0, ownAnswers: 0 },
  };
  const refusals = noRefusals();
  const refused = (refusal: Refusal): void => {
    counters.refused++;
    refusals[reasonOf(refusal)]++;
  };
  const limits = resolveLimits(options);
  const log = calmLog(options.log ?? ((): void => undefined));
  const admission = new Admission(options.consistency, {
    holdTimeoutMs: options.holdTimeoutMs ?? DEFAULT_HOLD_TIMEOUT_MS,
    freshTimeoutMs: options.freshTimeoutMs ?? DEFAULT_FRESH_TIMEOUT_MS,
    deathNoticeMs: DEATH_NOTICE_MS,
    get maxHeld() {
      return options.maxHeld ?? DEFAULT_MAX_HELD;
    },
    get concurrency() {
      return options.concurrency || Infinity;
    },
  });
  if (options.probe !== undefined) watchLoops(admission, options.probe);
  const connections = new Connections();
  let outage: Outage | undefined;
  let defaultHost = `${urlHost(options.host)}:${options.port}`;
  let closed: Promise<void> | undefined;
  let listening: Listening | undefined;
  const endpoints =
    options.endpoints &&
    new Endpoints({
      own: options.endpoints,
      isReady: () => admission.isBusy(undefined),
      allowedHosts: () => options.allowedHosts ?? true,
    });
  const context: ExchangeContext = {
    admission,
    sessions: new Sessions(),
    counters,
    defaultHost: () => defaultHost,
    outage: () => outage,
    tokenFor: (request) => endpoints?.tokenFor(request),
    isClosing: () => closed !== undefined,
    trustProxy: options.trustProxy ?? defaultTrust,
    limits,
    breakOff: (request, refusal) => {
      const { socket } = request;
      const use = new RefusalUse(socket, refusal, request);
      if (connections.breakOff(socket, use)) refused(refusal);
    },
    log,
  };

  const side = createPublicSide({
    connections,
    limits,
    tls: options.tls,
    faultOf: (request) =>
      faultOfRequest(request, limits.maxHeaders) ??
      faultOfHostName(request, options.allowedHosts ?? true) ??
      endpoints?.faultOf(request),
    isOwn: (request) => endpoints?.find(request) !== undefined,
    ownUse: (request, response) => endpoints?.use(request, response),
    onRequest: (socket, request, to) => {
      counters.requests++;
      connections.use(socket, new Exchange(context, request, to));
    },
    onHttp2: (request, response) => {
      counters.requests++;
      const breakOff: ExchangeContext["breakOff"] = (_request, refusal) => {
        if (exchange.breakOff() === "cut") response.destroy();
        else {
          refused(refusal);
          refuseHttp2(request, response, refusal);
        }
      };
      const own = { ...context, breakOff };
      const exchange = new Exchange(own, request, { response });
      exchange.start(() => undefined);
    },
    onRefusal: (refusal, line) => {
      refused(refusal);
      if (line !== undefined) log(line);
    },
  });

  const stats: Front["stats"] = () => ({
    ...counters,
    held: admission.held,
    heldTotal: admission.heldTotal,
    targets: Array.from(admission.all(), (target) => target.stats()),
  });

  return {
    async listen() {
      const { host, port, twinHost } = options;
      const { server, scheme } = side;
      listening = await listen(server, { host, port, scheme, twinHost });
      const { address } = listening;
      defaultHost = `${urlHost(address.host)}:${address.port}`;
      return address;
    },

    async connect(target) {
      try {
        await admission.know(target).pooled.warmUp(CONNECT_TIMEOUT_MS);
      } catch (error) {
        throw new PreforkError(
          "ERR_PREFORK_BOOT",
          `Worker ${target.worker} said that it is ready, but can't be connected to at ${target.socketPath}: ` +
            `${messageOf(error)}. Most likely its process has ended; its own output says why.`,
          { cause: error },
        );
      }
    },

    admit(target, retiring) {
      outage = undefined;
      admission.admit(target, retiring);
      endpoints?.changed();
    },

    async drain(id) {
      const retired = admission.retire(id);
      endpoints?.changed();
      await retired?.drain();
    },

    remove(id) {
      const target = admission.forget(id);
      endpoints?.changed();
      if (target === undefined) return;
      target.closeIdleSockets();
      // The kernel ends the connections of a dead process, after what it had written, which may be a whole
      // answer. This is for those that it doesn't end: where a child of the process still holds them.
      const timer = setTimeout(() => {
        target.abortUnanswered(new Error("its process has ended"));
      }, DEATH_NOTICE_MS);
      timer.unref();
      admission.wake();
    },

    hold: () => admission.hold(),

    wake: () => admission.wake(),

    setOutage(reason) {
      outage = reason;
    },

    setCertificate: (tls) => side.setCertificate(tls),

    leases: (id) => admission.get(id)?.leases ?? 0,

    isAnswering: () => [...admission.all()].some((target) => target.busy > 0),

    firstAnswerAt: (id) => admission.get(id)?.firstAnswerAt,

    async firstAnswer(id) {
      await admission.get(id)?.firstAnswer;
    },

    stats,

    numbers: () => ({
      ...stats(),
      refusals: { ...refusals },
      holds: admission.holds.value(),
      connections: connections.bytes.connections,
      bytesIn: connections.bytes.read,
      bytesOut: connections.bytes.written,
      workers: admission.numbers.workers(),
      latencies: admission.numbers.latencies(),
    }),

    close({ deadlineMs }) {
      closed ??= close(deadlineMs);
      return closed;
    },
  };

  async function close(deadlineMs: number): Promise<void> {
    endpoints?.close();
    const timer = setTimeout(() => side.destroy(), deadlineMs);
    // A connection that is idle may be about to carry a request, sent before its end is seen. For a
    // moment each is still answered, and told to be the last on its connection.
    if (!side.isEmpty) await setDelay(Math.min(LINGER_MS, deadlineMs));
    // Right after the loop has accepted what was waiting: closing a listening socket resets the rest.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const stopped = listening?.close();
    // After this tick `closed` is set: what is given up now is told so.
    await Promise.resolve();
    admission.close();
    await side.drain(LINGER_MS);
    clearTimeout(timer);
    await stopped;
    for (const target of admission.all()) target.closeSockets();
  }
}

/** Has requests go where event loops turn. */
function watchLoops(
  admission: Admission,
  probe: (id: number) => Promise<void>,
): void {
  const watch = new LoopWatch({
    targets: () => admission.admitted(),
    probe,
    onBlocked: (target) => {
      const isElsewhere = admission.find(new Set([target.id])) !== undefined;
      if (isElsewhere)
        target.abortUnsent(new Error("its event loop is blocked"));
    },
    onTurning: () => admission.wake(),
  });
  admission.onLease = (target) => watch.leased(target);
}
