import { describe, expect, it } from "vitest";

import {
  afterFailure,
  isRepeatable,
  pickTarget,
} from "../../../src/front/policy.js";
import type { Candidate } from "../../../src/front/policy.js";

const candidate = (
  id: number,
  generation: number,
  leases = 0,
  lastUsed = 0,
  more: Partial<Candidate> = {},
): Candidate => ({
  ...{ id, generation, leases, lastUsed },
  ...{ busy: leases, loop: "turns", ...more },
});

describe("pickTarget", () => {
  it("gives fresh requests to the newest generation alone, however busy", () => {
    const all = [candidate(1, 1), candidate(2, 2, 9), candidate(3, 2, 8)];
    expect(pickTarget(all, { consistency: "fresh", floor: 2 })?.id).toBe(3);
  });

  it("never goes under the floor", () => {
    const rule = { consistency: "fresh", floor: 2 } as const;
    expect(pickTarget([candidate(1, 1)], rule)).toBeUndefined();
    expect(
      pickTarget([candidate(1, 1)], { ...rule, floor: -Infinity })?.id,
    ).toBe(1);
  });

  it("lets all generations answer when they only need to be available", () => {
    const all = [candidate(1, 1, 0), candidate(2, 2, 1)];
    expect(pickTarget(all, { consistency: "available", floor: 2 })?.id).toBe(1);
  });

  it("takes the fewest leases, then the one unused the longest", () => {
    const rule = { consistency: "fresh", floor: 1 } as const;
    const all = [
      candidate(1, 1, 2, 1),
      candidate(2, 1, 1, 7),
      candidate(3, 1, 1, 5),
    ];
    expect(pickTarget(all, rule)?.id).toBe(3);
  });

  it("counts requests in hand before streams", () => {
    const rule = { consistency: "fresh", floor: 1 } as const;
    const streaming = candidate(1, 1, 50, 1, { busy: 0 });
    const busy = candidate(2, 1, 1, 2);
    const idle = candidate(3, 1, 2, 3, { busy: 0 });
    expect(pickTarget([streaming, busy], rule)?.id).toBe(1);
    expect(pickTarget([streaming, busy, idle], rule)?.id).toBe(3);
  });

  it("gives nobody more requests than it may have", () => {
    const rule = { consistency: "fresh", floor: 1, concurrency: 2 } as const;
    const full = candidate(1, 1, 2);
    const streaming = candidate(2, 1, 7, 0, { busy: 1 });
    expect(pickTarget([full, streaming], rule)?.id).toBe(2);
    expect(pickTarget([full], rule)).toBeUndefined();
    expect(pickTarget([full], { ...rule, concurrency: 3 })?.id).toBe(1);
  });

  it("prefers loops that turn, and takes blocked ones only as a last resort", () => {
    const rule = { consistency: "fresh", floor: 1 } as const;
    const turning = candidate(1, 1, 9);
    const asked = candidate(2, 1, 1, 0, { loop: "asked" });
    const blocked = candidate(3, 1, 0, 0, { loop: "blocked" });
    const last = { ...rule, isLastResort: true };
    expect(pickTarget([blocked, asked, turning], rule)?.id).toBe(1);
    expect(pickTarget([blocked, asked], rule)?.id).toBe(2);
    expect(pickTarget([blocked], rule)).toBeUndefined();
    expect(pickTarget([blocked, asked], last)?.id).toBe(2);
    expect(pickTarget([blocked], last)?.id).toBe(3);
  });

  it("doesn't take an older generation because the newest has much to do", () => {
    const all = [
      candidate(1, 1),
      candidate(2, 2, 1),
      candidate(3, 2, 0, 0, { loop: "blocked" }),
    ];
    const rule = { floor: -Infinity, concurrency: 1 } as const;
    const fresh = { ...rule, consistency: "fresh" } as const;
    const available = { ...rule, consistency: "available" } as const;
    for (const order of [all, all.toReversed()]) {
      expect(pickTarget(order, fresh)).toBeUndefined();
      expect(pickTarget(order, available)?.id).toBe(1);
    }
  });

  it("avoids those that failed", () => {
    const rule = { consistency: "fresh", floor: 1 } as const;
    const all = [candidate(1, 1), candidate(2, 1, 5)];
    expect(pickTarget(all, { ...rule, avoid: new Set([1]) })?.id).toBe(2);
    expect(
      pickTarget(all, { ...rule, avoid: new Set([1, 2]) }),
    ).toBeUndefined();
  });
});

describe("repeating", () => {
  it("is for safe methods without a body", () => {
    expect(isRepeatable("GET", false)).toBe(true);
    expect(isRepeatable("HEAD", false)).toBe(true);
    expect(isRepeatable("OPTIONS", false)).toBe(true);
    expect(isRepeatable("GET", true)).toBe(false);
    expect(isRepeatable("POST", false)).toBe(false);
    expect(isRepeatable("PUT", false)).toBe(false);
    expect(isRepeatable(undefined, false)).toBe(false);
  });

  it("happens once after a death, and freely before anything was sent", () => {
    const sent = { sent: true, repeatable: true, repeats: 0 };
    expect(afterFailure(sent)).toBe("elsewhere");
    expect(afterFailure({ ...sent, repeats: 1 })).toBe("give-up");
    expect(afterFailure({ ...sent, repeatable: false })).toBe("give-up");
    expect(afterFailure({ sent: false, repeatable: false, repeats: 1 })).toBe(
      "elsewhere",
    );
  });
});
