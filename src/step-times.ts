/** Where the time of a reload went: made of what each part measured. Pure but for one look at the saved file. */
import { statSync } from "node:fs";
import type { Canary } from "./master/types.js";
import type { StepTimes } from "./server-events.js";
import type { ChangeBatch } from "./watcher/types.js";

/** A file that was moved here, or unpacked, carries the time of another day. */
const LONGEST_EVENT_MS = 5_000;

/** Moments on the clock of `performance.now()`. */
export interface Moments {
  /** When it was asked for; the first event of a save. */
  readonly since: number;
  readonly batch: ChangeBatch | undefined;
  /** How long the manifest's steps ran; `undefined`: none was due. */
  readonly runMs: number | undefined;
  readonly builtAt: number;
  readonly linkMs: number;
  /** When the roll began. */
  readonly rolledAt: number;
  readonly canary: Canary | undefined;
  readonly firstAnswerAt: number | undefined;
}

export function stepTimes(moments: Moments): StepTimes {
  const { since, batch, runMs, builtAt, linkMs, rolledAt } = moments;
  const { canary, firstAnswerAt } = moments;
  const closedAt = batch?.closedAt ?? since;
  return {
    eventMs: batch && eventMs(batch),
    batchMs: batch && batch.closedAt - batch.firstEventAt,
    runMs,
    compileMs: builtAt - closedAt - linkMs - (runMs ?? 0),
    linkMs,
    activateMs: rolledAt - builtAt + (canary?.activateMs ?? 0),
    loadMs: canary?.loadMs ?? 0,
    listenMs: (canary?.listenMs ?? 0) + (canary?.connectMs ?? 0),
    firstAnswerMs:
      canary === undefined || firstAnswerAt === undefined
        ? undefined
        : firstAnswerAt - canary.admittedAt,
  };
}

function eventMs({ paths, firstEventAt }: ChangeBatch): number | undefined {
  const event = performance.timeOrigin + firstEventAt;
  for (const path of paths) {
    const mtimeMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (mtimeMs === undefined) continue;
    const elapsed = event - mtimeMs;
    // A file system's clock may be a tick behind.
    if (elapsed > -LONGEST_EVENT_MS && elapsed < LONGEST_EVENT_MS)
      return Math.max(0, elapsed);
  }
  return undefined;
}
