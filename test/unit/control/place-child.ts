/**
 * A process that opens control socket after control socket, as it's told to over IPC: bundled and forked by
 * `socket-place.test.ts`. It isn't a test.
 */
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { openControlSocket } from "../../../src/control/control-server.js";
import type { ControlSocket } from "../../../src/control/types.js";
import { PreforkError } from "../../../src/errors.js";

export type Order =
  /** Opens the path at an instant (`Date.now()`), so that several do it at once. */
  | { readonly kind: "open"; readonly path: string; readonly at: number }
  | { readonly kind: "close" }
  /** Ends a reload that is under way, closes the socket, and exits at once. */
  | { readonly kind: "exit" };

export type Report =
  | { readonly kind: "online" }
  | { readonly kind: "opened" }
  | { readonly kind: "closed" }
  | { readonly kind: "reloading" }
  | {
      readonly kind: "refused";
      readonly code: string;
      readonly message: string;
    };

let control: ControlSocket | undefined;
let endReload: () => void = () => undefined;

function report(value: Report): void {
  process.send?.(value);
}

async function open(path: string, at: number): Promise<void> {
  // On its marks: a timer would be less exact.
  while (Date.now() < at);
  try {
    control = await openControlSocket({
      path,
      handlers: {
        status: () => ({ pid: process.pid }),
        metrics: () => Promise.resolve({ contentType: "text/plain", text: "" }),
        subscribe: () => () => undefined,
        reload: async () => {
          await new Promise<void>((resolve) => {
            endReload = resolve;
            report({ kind: "reloading" });
          });
          // As a real one has it, which tells others first.
          await turn();
          return { ok: false, kind: "stopped" };
        },
        scale: () => Promise.resolve(null),
        command: () => Promise.resolve(null),
        stop: () => Promise.resolve(null),
      },
      onError: (error) => console.error(error),
    });
    report({ kind: "opened" });
  } catch (error) {
    const code = error instanceof PreforkError ? error.code : "none";
    report({ kind: "refused", code, message: String(error) });
  }
}

async function close(): Promise<void> {
  await control?.close();
  control = undefined;
}

process.on("message", (order: Order) => {
  switch (order.kind) {
    case "open":
      void open(order.path, order.at);
      return;
    case "close":
      void close().then(() => report({ kind: "closed" }));
      return;
    case "exit":
      endReload();
      void close().then(() => process.exit());
  }
});
process.on("disconnect", () => process.exit());
report({ kind: "online" });
