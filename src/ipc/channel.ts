/**
 * The channel between the master and a process, from both ends.
 *
 * Relied on (Node 20 to 26): messages whose `cmd` starts with `NODE_` are
 * emitted as `internalMessage` on both sides, with the handle if one was sent,
 * and are delivered at once, to nobody if no listener is there. Therefore a
 * process says `hello` first and the master waits for it. node:cluster builds
 * on the same behaviour.
 */
import type { ChildProcess, SendHandle } from "node:child_process";
import process from "node:process";
import { COMMAND } from "./messages.js";
import type { MasterMessage, ProcessMessage } from "./messages.js";

interface Envelope<Body> {
  readonly cmd: typeof COMMAND;
  readonly body: Body;
}

function isEnvelope<Body>(message: unknown): message is Envelope<Body> {
  return (
    typeof message === "object" &&
    message !== null &&
    "cmd" in message &&
    message.cmd === COMMAND
  );
}

/** Sends to a process. A process that is gone is no error: its exit is handled where it's awaited. */
export function sendToProcess(
  child: ChildProcess,
  body: MasterMessage,
  handle?: unknown,
): void {
  if (!child.connected) return;
  child.send(
    { cmd: COMMAND, body },
    handle as SendHandle | undefined,
    () => undefined,
  );
}

/** Calls `listener` for each of our messages from a process. */
export function onProcessMessage(
  child: ChildProcess,
  listener: (body: ProcessMessage) => void,
): void {
  child.on("internalMessage", (message: unknown) => {
    if (isEnvelope<ProcessMessage>(message)) listener(message.body);
  });
}

/** Sends to the master; `sent` is called when the message has left, or can't. */
export function sendToMaster(
  body: ProcessMessage,
  sent: () => void = () => undefined,
): void {
  if (process.send === undefined || !process.connected) {
    sent();
    return;
  }
  process.send({ cmd: COMMAND, body }, undefined, undefined, sent);
}

/** Calls `listener` for each of our messages from the master, with the socket that came with it. */
export function onMasterMessage(
  listener: (body: MasterMessage, handle: unknown) => void,
): void {
  process.on("internalMessage", (message: unknown, handle: unknown) => {
    if (isEnvelope<MasterMessage>(message)) listener(message.body, handle);
  });
}
