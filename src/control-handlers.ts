/** What the control socket's requests mean to a server: plain JSON values, made of the server's own. Part of the composition root. */
import type { EventEmitter } from "node:events";
import type { ControlEvent, ControlHandlers } from "./control/types.js";
import type { ScaleOutcome } from "./master/types.js";
import type { ServerCommands } from "./server-commands.js";
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
export interface ControlledBy {
  readonly commands: ServerCommands;
  /** Fulfils when all but the control socket itself is closed. */
  readonly closed: () => Promise<void>;
}

/** The requests of the control socket, carried out by a server. */
export function controlHandlers(
  server: ControlledServer,
  { commands, closed }: ControlledBy,
): ControlHandlers {
  return {
    status: () => statusJson(server.status()),
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
