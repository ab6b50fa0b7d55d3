/** Eyes for directories without events: looks at them and at their files of interest, again and again. */
import { stat } from "node:fs";
import type { Stats } from "node:fs";
import path from "node:path";
import type { EyeListener, OpenEye } from "./eye.js";
import { isRacy, isSameStamp, stampOf, statOf, toStamp } from "./stamp.js";
import type { FileStamp } from "./types.js";

interface PolledDirectory {
  readonly directory: string;
  readonly listener: EyeListener;
  readonly stamps: Map<string, FileStamp | undefined>;
  self: string;
}

/** Files asked for at once: no more, so that others get their turn in Node's thread pool. */
const AT_ONCE = 32;
/** A round may take a fifth of the time, and no more, however slow the mount is. */
const PAUSE_FACTOR = 4;

/** Differs when something has come to the directory or gone from it, and when that can't be ruled out. */
function directoryStamp(stats: Stats | undefined): string {
  if (stats?.isDirectory() !== true) return "";
  const { dev, ino, mtimeMs } = stats;
  const now = Date.now();
  return `${dev}:${ino}:${mtimeMs}${isRacy(stats, now) ? `?${now}` : ""}`;
}

/** `stat` in the thread pool: a mount that has to be polled may well be slow. */
function look(file: string): Promise<Stats | undefined> {
  return new Promise((resolve) => {
    stat(file, (error, stats) => resolve(error === null ? stats : undefined));
  });
}

/**
 * Makes the function that opens polling eyes. They share one round, which runs as long as there are any.
 *
 * @param intervalMs - the least pause between two rounds, in milliseconds
 */
export function createPoller(intervalMs: number): OpenEye {
  const polled = new Set<PolledDirectory>();
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;

  async function lookAt(eye: PolledDirectory): Promise<void> {
    const names = [...eye.stamps.keys()];
    const changed: string[] = [];
    for (let from = 0; from < names.length; from += AT_ONCE) {
      const some = names.slice(from, from + AT_ONCE);
      const found = await Promise.all(
        some.map((name) => look(path.join(eye.directory, name))),
      );
      some.forEach((name, index) => {
        const now = toStamp(found[index]);
        if (isSameStamp(eye.stamps.get(name), now)) return;
        eye.stamps.set(name, now);
        changed.push(name);
      });
    }
    const self = directoryStamp(await look(eye.directory));
    const isOther = self !== eye.self;
    eye.self = self;
    if (isOther && polled.has(eye)) eye.listener.hint(undefined, true);
    for (const name of changed)
      if (polled.has(eye)) eye.listener.hint(name, true);
  }

  async function round(): Promise<void> {
    const startedAt = performance.now();
    for (const eye of [...polled]) if (polled.has(eye)) await lookAt(eye);
    isRunning = false;
    const tookMs = performance.now() - startedAt;
    schedule(Math.max(intervalMs, tookMs * PAUSE_FACTOR));
  }

  function schedule(pauseMs: number): void {
    if (isRunning || polled.size === 0) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      isRunning = true;
      void round();
    }, pauseMs);
  }

  return (directory, names, listener) => {
    const stamps = new Map<string, FileStamp | undefined>();
    const add = (more: readonly string[]): void => {
      // At once, unlike all later looks: from here on, nothing is missed.
      for (const name of more)
        if (!stamps.has(name))
          stamps.set(name, stampOf(path.join(directory, name)));
    };
    add(names);
    const self = directoryStamp(statOf(directory));
    const eye = { directory, listener, stamps, self };
    polled.add(eye);
    if (polled.size === 1) schedule(intervalMs);
    return {
      add,
      close: () => {
        polled.delete(eye);
        if (polled.size === 0) clearTimeout(timer);
      },
    };
  };
}
