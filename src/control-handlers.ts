/** What the control socket's requests mean to a server: plain JSON values, made of the server's own. Part of the composition root. */
import type { EventEmitter } from "node:events";
import type { ControlEvent, ControlHandlers } from "./control/types.js";
import type { ScaleOutcome } from "./master/types.js";
import { metricsText } from "./metrics/prometheus.js";
import type { Running } from "./running.js";
import { serverMetrics } from "./server-metrics.js";
import type {
  ReloadOutcome,
  ServerEvents,
  ServerStatus,
} from "./server-events.js";

/** What is asked of a server. A `DevServer` is one. */
export interface ControlledServer extends Pick<
  EventEmitter<ServerEvents>,
  "on" | "off"
> {
  status(): ServerStatus;
  reload(): Promise<ReloadOutcome>;
  scale(workers: number | { readonly by: number }): Promise<ScaleOutcome>;
  stop(): Promise<void>;
}

/** {@link ServerStatus} as `GET /status` gives it: outcomes are named `outcome`. */
export function statusJson({
  lastRoll,
  lastError,
  ...status
}: ServerStatus): object {
  return {
    ...status,
    lastRoll: lastRoll && outcomeJson(lastRoll),
    lastError: lastError && outcomeJson(lastError),
  };
}

function outcomeJson({ kind, ...fields }: ReloadOutcome): object {
  return { outcome: kind, ...fields };
}

/** The names of the events that `GET /events` tells, as `--json` does. */
const OUTCOME_EVENTS = ["reload"] as const;
const KIND_EVENTS = ["worker", "process", "standby", "step"] as const;

function subscribe(
  server: ControlledServer,
  listener: (event: ControlEvent) => void,
): () => void {
  const undo: (() => void)[] = [];
  const on = <Name extends keyof ServerEvents>(
    name: Name,
    tell: (...args: ServerEvents[Name]) => object,
  ): void => {
    const handle = (...args: ServerEvents[Name]): void =>
      listener({ ...tell(...args), type: name });
    server.on(name, handle as never);
    undo.push(() => server.off(name, handle as never));
  };
  for (const name of OUTCOME_EVENTS) on(name, outcomeJson);
  for (const name of KIND_EVENTS)
    on(name, ({ kind, ...fields }) => ({ what: kind, ...fields }));
  on("certificate", (info) => info);
  on("unreloaded", (paths) => ({ paths }));
  on("undeclared", (paths) => ({ paths }));
  on("output", (line) => line);
  on("warning", (message) => ({ message }));
  on("stopping", () => ({}));
  return () => {
    for (const each of undo) each();
  };
}

/** What requests are carried out by. */
export type ControlledBy = Pick<Running, "reloads"> & {
  readonly parts: Pick<Running["parts"], "commands" | "front">;
};

/**
 * The requests of the control socket, carried out by a server.
 *
 * @param closed - fulfils when all but the control socket itself is closed
 */
export function controlHandlers(
  server: ControlledServer,
  { parts, reloads }: ControlledBy,
  closed: () => Promise<void>,
): ControlHandlers {
  const { commands } = parts;
  return {
    status: () => statusJson(server.status()),
    metrics: () =>
      metricsText(
        serverMetrics(server.status(), parts.front?.numbers(), reloads.value()),
      ),
    subscribe: (listener) => subscribe(server, listener),
    async reload() {
      const outcome = await server.reload();
      const ok = outcome.kind === "done" || outcome.kind === "unchanged";
      return { ok, ...outcomeJson(outcome) };
    },
    async scale(request) {
      const { kind, ...fields } = await server.scale(
        "workers" in request ? request.workers : request,
      );
      return { ok: kind === "done", outcome: kind, ...fields };
    },
    async command({ name, args, worker }) {
      const outcomes = await commands.sendAll(name, args, worker);
      return outcomes.map(({ error, ...outcome }) => ({
        ...outcome,
        ...(error && { error: { code: error.code, message: error.message } }),
      }));
    },
    async stop() {
      void server.stop();
      await closed();
      return { ok: true };
    },
  };
}
