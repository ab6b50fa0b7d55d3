/**
 * The synchronous channel to the master, from the process's end: one line
 * each way, with the event loop stopped while waiting.
 */
import fs from "node:fs";
import process from "node:process";
import type {
  Order,
  ResolveAnswer,
  ResolveRequest,
  StandingRequest,
  SyncRequest,
} from "../ipc/messages.js";
import { SYNC_FD } from "../ipc/messages.js";

function send(request: SyncRequest): void {
  fs.writeSync(SYNC_FD, `${JSON.stringify(request)}\n`);
}

/** The next line; `undefined` when the master is gone. */
function receive(): string | undefined {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536);
    const length = fs.readSync(SYNC_FD, chunk);
    if (length === 0) return undefined;
    chunks.push(chunk.subarray(0, length));
    if (chunk[length - 1] === 0x0a)
      return Buffer.concat(chunks).toString("utf8");
  }
}

/**
 * Asks what a computed specifier means, and waits.
 *
 * @throws Error with the master's message, when the source can't be compiled
 */
export function askForFile(request: ResolveRequest): ResolveAnswer {
  send(request);
  const line = receive();
  if (line === undefined) throw new Error("the master is gone");
  const answer = JSON.parse(line) as ResolveAnswer;
  if (answer.kind === "failed") throw new Error(answer.message);
  return answer;
}

/**
 * Stands by: waits for the next order, for as long as it takes. Without a master there is nothing to wait for.
 *
 * @param lastAct - done before the process ends because the master is gone
 */
export function askForOrder(
  refused: string | undefined,
  lastAct: () => void,
): Order {
  const rssBytes = process.memoryUsage.rss();
  const request: StandingRequest = {
    kind: "standing",
    rssBytes,
    ...(refused === undefined ? {} : { refused }),
  };
  try {
    send(request);
    const line = receive();
    if (line !== undefined) return JSON.parse(line) as Order;
  } catch {
    // The other end is closed.
  }
  lastAct();
  return endAtOnce();
}

/** Says why this process is of no use, and ends it before anything else can happen: no exit handler of the app's runs. */
export function giveUp(reason: string, file: string | undefined): never {
  try {
    send({
      kind: "trouble",
      reason,
      ...(file === undefined ? {} : { file }),
    });
  } catch {
    // The other end is closed.
  }
  return endAtOnce();
}

function endAtOnce(): never {
  process.kill(process.pid, "SIGKILL");
  // Not reached where SIGKILL exists.
  return process.abort();
}
