/** Errors that end this process, and what it says of them before: while the app is loaded, and uncaught later. */
import process from "node:process";
import { sendToMaster } from "../ipc/channel.js";
import type { ProcessMessage } from "../ipc/messages.js";
import { diagnosticOf } from "../runtime/diagnostic-of.js";

/** An exit that waits for a message to leave waits no longer than this. */
const FLUSH_MS = 500;

/** Sends a last message, then exits. */
export function exitAfter(message: ProcessMessage, code: number): void {
  const exit = (): void => process.exit(code);
  setTimeout(exit, FLUSH_MS);
  sendToMaster(message, exit);
}

/** Reports an exception that nobody caught, and exits as Node would. An app with its own handler keeps it. */
export function reportFaults(): void {
  process.on("uncaughtException", (error) => {
    if (process.listenerCount("uncaughtException") > 1) return;
    exitAfter({ type: "fault", diagnostic: diagnosticOf(error) }, 1);
  });
}
