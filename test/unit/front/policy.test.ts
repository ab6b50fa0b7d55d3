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
): Candidate => ({ id, generation, leases, lastUsed });

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
