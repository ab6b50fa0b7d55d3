import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Admission } from "../../../src/front/admission.js";
import type { AdmissionLimits } from "../../../src/front/admission.js";
import type { Lease } from "../../../src/front/targets.js";
import type { Consistency, FrontTarget } from "../../../src/front/types.js";

const limits: AdmissionLimits = {
  holdTimeoutMs: 30_000,
  freshTimeoutMs: 10_000,
  deathNoticeMs: 1_000,
  maxHeld: 1_000,
  concurrency: Infinity,
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
    isRepeated?: boolean;
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

/** A request that a process has in hand. */
function lease(admission: Admission, id: number): Lease {
  const target = admission.get(id);
  if (target === undefined) throw new Error(`no process ${id}`);
  return admission.lease(target, {
    abortUnanswered: () => undefined,
    abortUnsent: () => undefined,
  });
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
    const inHand = lease(admission, 1);
    const waiting = seek(admission, { avoid: new Set([1]), crowded: 1 });
    expect(waiting.outcome()).toBeUndefined();
    inHand.release();
    inHand.release();
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

describe("concurrency", () => {
  /** Requests that take their process's lease, as exchanges do. */
  function queue(admission: Admission): {
    ask: (name: string, isRepeated?: boolean) => () => void;
    /** Who has which process. */
    given: string[];
    leases: Map<string, Lease>;
  } {
    const given: string[] = [];
    const leases = new Map<string, Lease>();
    return {
      given,
      leases,
      ask: (name, isRepeated = false) => {
        const take = (id: number): void => {
          given.push(`${name}:${id}`);
          leases.set(name, lease(admission, id));
        };
        const found = admission.find(undefined);
        if (found !== undefined) {
          take(found.id);
          return () => undefined;
        }
        return admission.wait({
          avoid: undefined,
          isRepeated,
          onTarget: (target) => take(target.id),
          onTimeout: () => given.push(`${name}:none`),
        });
      },
    };
  }

  it("lets the rest wait, first come first served, each for the next free process", () => {
    const admission = new Admission("fresh", { ...limits, concurrency: 1 });
    admission.admit(info(1, 1), undefined);
    admission.admit(info(2, 1), undefined);
    const { ask, given, leases } = queue(admission);
    const names = ["a", "b", "c", "d", "e"];
    const leave = names.map((name) => ask(name));
    expect(given).toEqual(["a:1", "b:2"]);
    leave[2]?.();
    leases.get("b")?.release();
    leases.get("b")?.release();
    expect(given.slice(2)).toEqual(["d:2"]);
    leases.get("a")?.release();
    expect(given.slice(3)).toEqual(["e:1"]);
    expect(admission.held).toBe(0);
  });

  it("a stream that has opened doesn't count, and its end frees nobody's place", () => {
    const admission = new Admission("fresh", { ...limits, concurrency: 1 });
    admission.admit(info(1, 1), undefined);
    const { ask, given, leases } = queue(admission);
    for (const name of ["stream", "b", "c"]) ask(name);
    expect(given).toEqual(["stream:1"]);
    leases.get("stream")?.becomeStream();
    expect(given).toEqual(["stream:1", "b:1"]);
    expect(admission.get(1)).toMatchObject({ leases: 2, busy: 1 });
    leases.get("stream")?.release();
    expect(given).toEqual(["stream:1", "b:1"]);
    leases.get("b")?.release();
    expect(given).toEqual(["stream:1", "b:1", "c:1"]);
  });

  it("a scale up, a roll and a death let those that wait go on at once", () => {
    const admission = new Admission("fresh", { ...limits, concurrency: 1 });
    admission.admit(info(1, 1), undefined);
    const { ask, given } = queue(admission);
    for (const name of ["a", "b", "c", "d", "e"]) ask(name);
    admission.admit(info(2, 1), undefined);
    expect(given).toEqual(["a:1", "b:2"]);
    admission.admit(info(3, 2), 1);
    expect(given.slice(2)).toEqual(["c:3"]);
    admission.forget(3);
    admission.wake();
    // The newest generation is 2: what runs 1 is not for them.
    expect(given.slice(3)).toEqual([]);
    admission.admit(info(4, 2), 2);
    expect(given.slice(3)).toEqual(["d:4"]);
  });

  it("can be raised while requests wait", () => {
    const mutable = { ...limits, concurrency: 1 };
    const admission = new Admission("fresh", mutable);
    admission.admit(info(1, 1), undefined);
    const { ask, given } = queue(admission);
    for (const name of ["a", "b", "c", "d"]) ask(name);
    mutable.concurrency = 3;
    admission.wake();
    expect(given).toEqual(["a:1", "b:1", "c:1"]);
    mutable.concurrency = Infinity;
    admission.wake();
    expect(given).toHaveLength(4);
  });

  it("is bounded in time, and what was repeated goes first", () => {
    const admission = new Admission("fresh", { ...limits, concurrency: 1 });
    admission.admit(info(1, 1), undefined);
    const { ask, given, leases } = queue(admission);
    ask("a");
    ask("b");
    vi.advanceTimersByTime(20_000);
    ask("c");
    ask("again", true);
    vi.advanceTimersByTime(10_000);
    expect(given).toEqual(["a:1", "b:none"]);
    expect(admission.isBusy(undefined)).toBe(true);
    leases.get("a")?.release();
    leases.get("again")?.release();
    expect(given.slice(2)).toEqual(["again:1", "c:1"]);
  });

  it("is bounded in number: who is too many gets what is ready, or nothing, at once", () => {
    const few = { ...limits, maxHeld: 1 };
    const full = new Admission("fresh", { ...few, concurrency: 1 });
    full.admit(info(1, 1), undefined);
    const { ask, given } = queue(full);
    for (const name of ["a", "b", "c"]) ask(name);
    vi.advanceTimersByTime(0);
    expect(given).toEqual(["a:1", "c:none"]);
    expect(full.held).toBe(1);

    const fresh = new Admission("fresh", few);
    fresh.admit(info(1, 1), undefined);
    const release = fresh.hold();
    const [one, two] = [seek(fresh), seek(fresh)];
    vi.advanceTimersByTime(0);
    expect([one.outcome(), two.outcome()]).toEqual([undefined, 1]);
    release();
    expect(one.outcome()).toBe(1);
  });

  it("a close gives up nobody who waits for a process that is busy", () => {
    const admission = new Admission("fresh", { ...limits, concurrency: 1 });
    admission.admit(info(1, 1), undefined);
    const { ask, given, leases } = queue(admission);
    ask("a");
    ask("b");
    admission.close();
    ask("c");
    leases.get("a")?.release();
    expect(given).toEqual(["a:1", "b:1"]);
    admission.forget(1);
    admission.wake();
    expect(given.slice(2)).toEqual(["c:none"]);
  });

  it("is no reason to give up what a process dropped that is still alive, while others are only busy", () => {
    const admission = new Admission("fresh", { ...limits, concurrency: 1 });
    admission.admit(info(1, 1), undefined);
    admission.admit(info(2, 1), undefined);
    const inHand = lease(admission, 2);
    const dropped = seek(admission, { avoid: new Set([1]), suspect: 1 });
    vi.advanceTimersByTime(5_000);
    expect(dropped.outcome()).toBeUndefined();
    inHand.release();
    expect(dropped.outcome()).toBe(2);
  });
});

describe("blocked event loops", () => {
  it("get nothing before the wait is over, and others do at once", () => {
    const admission = new Admission("fresh", limits);
    admission.admit(info(1, 1), undefined);
    const blocked = admission.get(1);
    if (blocked === undefined) throw new Error("not known");
    blocked.loop = "blocked";
    const early = seek(admission);
    vi.advanceTimersByTime(20_000);
    const late = seek(admission);
    vi.advanceTimersByTime(10_000);
    expect([early.outcome(), late.outcome()]).toEqual([1, undefined]);
    admission.admit(info(2, 1), undefined);
    expect(late.outcome()).toBe(2);
  });
});
