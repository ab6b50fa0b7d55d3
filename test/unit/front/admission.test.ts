import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Admission } from "../../../src/front/admission.js";
import type { Consistency, FrontTarget } from "../../../src/front/types.js";

const limits = {
  holdTimeoutMs: 30_000,
  freshTimeoutMs: 10_000,
  deathNoticeMs: 1_000,
};
const info = (id: number, generation: number): FrontTarget => ({
  id,
  worker: 0,
  generation,
  socketPath: `/nowhere/${id}`,
  protocol: "http",
});

/** A request that waits, and what came of it. */
function seek(
  admission: Admission,
  hint: {
    avoid?: ReadonlySet<number>;
    suspect?: number;
    crowded?: number;
  } = {},
): { outcome: () => number | "timeout" | undefined; leave: () => void } {
  let outcome: number | "timeout" | undefined;
  const leave = admission.wait({
    avoid: undefined,
    ...hint,
    onTarget: (target) => (outcome = target.id),
    onTimeout: () => (outcome = "timeout"),
  });
  return { outcome: () => outcome, leave };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("Admission", () => {
  it("lets requests wait for the first process, in order, and gives up in time", () => {
    const admission = new Admission("fresh", limits);
    const early = seek(admission);
    vi.advanceTimersByTime(29_999);
    const late = seek(admission);
    const left = seek(admission);
    left.leave();
    vi.advanceTimersByTime(1);
    expect([early.outcome(), late.outcome()]).toEqual(["timeout", undefined]);
    admission.admit(info(1, 1), undefined);
    expect([late.outcome(), left.outcome()]).toEqual([1, undefined]);
    expect(admission.held).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("swaps in one step", () => {
    const admission = new Admission("available", limits);
    admission.admit(info(1, 1), undefined);
    admission.admit(info(2, 1), 1);
    expect(admission.find(undefined)?.id).toBe(2);
    expect(admission.find(new Set([2]))).toBeUndefined();
  });

  it("holds while any window is open, then gives the newest", () => {
    const admission = new Admission("fresh", limits);
    admission.admit(info(1, 1), undefined);
    const release = [admission.hold(), admission.hold()];
    expect(admission.find(undefined)).toBeUndefined();
    const waiting = seek(admission);
    release[0]?.();
    release[0]?.();
    expect(waiting.outcome()).toBeUndefined();
    admission.admit(info(2, 2), undefined);
    release[1]?.();
    expect(waiting.outcome()).toBe(2);
    expect(admission.find(undefined)?.id).toBe(2);
  });

  it("holds nobody longer than the limit: then the newest that is ready will do", () => {
    const admission = new Admission("fresh", limits);
    admission.admit(info(1, 1), undefined);
    admission.hold();
    const waiting = seek(admission);
    vi.advanceTimersByTime(9_999);
    const second = seek(admission);
    vi.advanceTimersByTime(1);
    expect([waiting.outcome(), second.outcome()]).toEqual([1, undefined]);
    second.leave();
  });

  it("never holds for the sake of freshness when told so", () => {
    const admission = new Admission("available", limits);
    admission.admit(info(1, 1), undefined);
    admission.hold();
    expect(admission.find(undefined)?.id).toBe(1);
  });

  it("doesn't fall back to an older generation at once when the newest dies", () => {
    const older = (consistency: Consistency): Admission => {
      const admission = new Admission(consistency, limits);
      admission.admit(info(1, 1), undefined);
      admission.admit(info(2, 2), undefined);
      admission.forget(2);
      return admission;
    };
    expect(older("available").find(undefined)?.id).toBe(1);
    const fresh = older("fresh");
    expect(fresh.find(undefined)).toBeUndefined();
    const [one, two] = [seek(fresh), seek(fresh)];
    vi.advanceTimersByTime(10_000);
    expect([one.outcome(), two.outcome()]).toEqual([1, 1]);
    const three = seek(fresh);
    fresh.admit(info(3, 2), undefined);
    expect(three.outcome()).toBe(3);
  });

  it("takes a process for alive when its death isn't known soon", () => {
    const admission = new Admission("fresh", limits);
    admission.admit(info(1, 1), undefined);
    const hint = { avoid: new Set([1]), suspect: 1 };
    const alive = seek(admission, hint);
    vi.advanceTimersByTime(1_000);
    expect(alive.outcome()).toBe("timeout");
    const dead = seek(admission, hint);
    admission.forget(1);
    vi.advanceTimersByTime(5_000);
    expect(dead.outcome()).toBeUndefined();
    admission.admit(info(2, 1), undefined);
    expect(dead.outcome()).toBe(2);
  });

  it("gives a crowded process another chance when one of its leases is back", () => {
    const admission = new Admission("fresh", limits);
    admission.admit(info(1, 1), undefined);
    const target = admission.get(1);
    const holder = { abort: () => undefined, abortUnanswered: () => undefined };
    const lease = target?.lease(holder, (released) =>
      admission.released(released),
    );
    const waiting = seek(admission, { avoid: new Set([1]), crowded: 1 });
    expect(waiting.outcome()).toBeUndefined();
    lease?.release();
    lease?.release();
    expect(waiting.outcome()).toBe(1);
  });

  it("gives out what it can when it closes, and nothing after that", () => {
    const admission = new Admission("fresh", limits);
    const none = seek(admission);
    admission.close();
    expect(none.outcome()).toBe("timeout");
    const late = seek(admission);
    vi.advanceTimersByTime(0);
    expect(late.outcome()).toBe("timeout");

    const held = new Admission("fresh", limits);
    held.admit(info(1, 1), undefined);
    held.hold();
    const waiting = seek(held);
    held.close();
    expect(waiting.outcome()).toBe(1);
  });
});
