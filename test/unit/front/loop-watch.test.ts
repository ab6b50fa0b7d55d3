/** Whose event loop is blocked, and how little is asked to find out. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { LoopWatch } from "../../../src/front/loop-watch.js";
import { NumberBook } from "../../../src/front/numbers/number-book.js";
import { Target } from "../../../src/front/targets.js";
import type { Lease } from "../../../src/front/targets.js";

interface Watching {
  readonly target: Target;
  /** A request is given to it. */
  readonly lease: () => Lease;
  /** Answers the questions so far, and lets that be heard. */
  readonly answer: () => Promise<void>;
  /** What was asked and found, in order. */
  readonly told: string[];
}

function watch(): Watching {
  const info = {
    ...{ id: 1, worker: 0, generation: 1 },
    ...{ socketPath: "/nowhere", protocol: "http" as const },
  };
  const target = new Target(info, new NumberBook());
  const told: string[] = [];
  const waiting: (() => void)[] = [];
  const watching = new LoopWatch({
    targets: () => [target],
    probe: () => {
      told.push("asked");
      return new Promise((resolve) => waiting.push(resolve));
    },
    onBlocked: () => {
      if (told.at(-1) !== "blocked") told.push("blocked");
    },
    onTurning: () => told.push("turns"),
  });
  return {
    target,
    told,
    lease: () => {
      const holder = {
        abortUnanswered: () => undefined,
        abortUnsent: () => undefined,
      };
      const lease = target.lease(holder, () => undefined);
      watching.leased(target);
      return lease;
    },
    answer: async () => {
      for (const resolve of waiting.splice(0)) resolve();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("asks nothing of a process that answers, or has nothing to do", () => {
  const { told, lease } = watch();
  lease().release();
  vi.advanceTimersByTime(1_000);
  const slow = lease();
  vi.advanceTimersByTime(9);
  slow.answered();
  slow.release();
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

it("takes a process for blocked that is silent about a request and a question", async () => {
  const { told, lease, target, answer } = watch();
  lease();
  vi.advanceTimersByTime(10);
  expect([target.loop, ...told]).toEqual(["asked", "asked"]);
  vi.advanceTimersByTime(101);
  expect([target.loop, ...told]).toEqual(["blocked", "asked", "blocked"]);
  vi.advanceTimersByTime(60_000);
  expect(told).toHaveLength(2);
  await answer();
  expect([target.loop, ...told.slice(2)]).toEqual(["turns", "turns"]);
});

it("asks one that answers less and less often, until it gets another request", async () => {
  const { told, lease, target, answer } = watch();
  const slow = lease();
  for (let ms = 0; ms < 1_000; ms++) {
    vi.advanceTimersByTime(1);
    await answer();
  }
  expect(told.every((each) => each === "asked")).toBe(true);
  // 10, 20, 40, then every 80 to 90 ms.
  expect(told.length).toBeGreaterThan(10);
  expect(told.length).toBeLessThan(16);
  const before = told.length;
  lease();
  vi.advanceTimersByTime(10);
  expect(told.slice(before)).toEqual(["asked"]);
  vi.advanceTimersByTime(101);
  expect(target.loop).toBe("blocked");
  await answer();
  slow.release();
});

it("goes on asking while an answer is under way, but not for an open stream", () => {
  const { told, lease, target } = watch();
  const stream = lease();
  stream.answered();
  stream.becomeStream();
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([]);
  const answer = lease();
  answer.answered();
  vi.advanceTimersByTime(120);
  expect([target.loop, ...told]).toEqual(["blocked", "asked", "blocked"]);
});

it("reads what has arrived before it blames a process: it may be the master who was busy", async () => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const { told, lease, target, answer } = watch();
  lease();
  vi.advanceTimersByTime(110);
  // A turn of the loop that comes late: first its timers, then what has arrived.
  await answer();
  await new Promise((resolve) => setImmediate(resolve));
  expect([target.loop, ...told]).toEqual(["turns", "asked"]);
});

it("finds out about a blocked loop whose request was taken back meanwhile", async () => {
  const { lease, target, answer } = watch();
  const gone = lease();
  vi.advanceTimersByTime(10);
  gone.release();
  vi.advanceTimersByTime(101);
  expect(target.loop).toBe("blocked");
  await answer();
  expect(target.loop).toBe("turns");
});
