import { expect, test, vi } from "vitest";
import { calmLog } from "../../../src/front/calm-log.js";

test("the first lines are told, the others counted, and then it begins anew", () => {
  vi.useFakeTimers();
  try {
    const told: string[] = [];
    const log = calmLog((line) => told.push(line));
    const say = (from: number, to: number): void => {
      for (let line = from; line <= to; line++) log(`line ${line}`);
    };
    say(1, 7);
    const five = [1, 2, 3, 4, 5].map((line) => `line ${line}`);
    expect(told).toEqual(five);
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([
      ...five,
      "2 more answers like these in the last 10 s",
    ]);
    told.length = 0;
    say(8, 8);
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual(["line 8"]);
  } finally {
    vi.useRealTimers();
  }
});
