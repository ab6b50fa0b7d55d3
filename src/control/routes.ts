/** The table of what can be asked. `docs/control-protocol.md` documents it; a test compares the two. */
import { parseCommand, parseScale } from "./request-shape.js";
import type { ControlHandlers, ControlText } from "./types.js";

/** One thing that can be asked. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Is the body JSON that says what is asked? Others may have one, which isn't looked at. */
  readonly takesBody: boolean;
  /** The value of the answer, which is JSON. */
  readonly answer?: (handlers: ControlHandlers, body: unknown) => unknown;
  /** The answer, which isn't. Without either it's the stream of events. */
  readonly text?: (handlers: ControlHandlers) => Promise<ControlText>;
  /** Is the socket given back before the answer, so that the next server can start as soon as it is there? */
  readonly ends?: boolean;
}

/** All of them. */
export const routes: readonly Route[] = [
  {
    method: "GET",
    path: "/status",
    takesBody: false,
    answer: (handlers) => handlers.status(),
  },
  {
    method: "GET",
    path: "/metrics",
    takesBody: false,
    text: (handlers) => handlers.metrics(),
  },
  { method: "GET", path: "/events", takesBody: false },
  {
    method: "POST",
    path: "/reload",
    takesBody: false,
    answer: (handlers) => handlers.reload(),
  },
  {
    method: "POST",
    path: "/scale",
    takesBody: true,
    answer: (handlers, body) => handlers.scale(parseScale(body)),
  },
  {
    method: "POST",
    path: "/command",
    takesBody: true,
    answer: (handlers, body) => handlers.command(parseCommand(body)),
  },
  {
    method: "POST",
    path: "/stop",
    takesBody: false,
    answer: (handlers) => handlers.stop(),
    ends: true,
  },
];

/** `GET /status`, as messages and the documentation write it. */
export function routeName({ method, path }: Route): string {
  return `${method} ${path}`;
}
