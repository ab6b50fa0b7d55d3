import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UpstreamKeepers } from "../../../src/upstream/keep-all.js";
import { UpstreamKeeper } from "../../../src/upstream/keep-in-step.js";
import type { Upstream, UpstreamServer } from "../../../src/upstream/types.js";

/** One `apply` that a test answers. */
interface Call {
  readonly workers: readonly number[];
  readonly signal: AbortSignal;
  readonly confirm: () => void;
  readonly fail: (message: string) => void;
}

class FakeFront implements Upstream {
  readonly name = "fake";
  readonly recheckMs: number | undefined;
  readonly calls: Call[] = [];
  closed = 0;

  constructor(recheckMs?: number) {
    this.recheckMs = recheckMs;
  }

  apply(
    servers: readonly UpstreamServer[],
    signal: AbortSignal,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.calls.push({
        workers: servers.map(({ worker }) => worker),
        signal,
        confirm: resolve,
        fail: (message) => reject(new Error(message)),
      });
      // As the real ones do.
      signal.addEventListener("abort", () => reject(new Error("given up")));
    });
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }

  /** What was applied so far, and the last one to be answered. */
  get lists(): readonly (readonly number[])[] {
    return this.calls.map(({ workers }) => workers);
  }

  get last(): Call {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error("nothing was applied yet");
    return call;
  }
}

function servers(...workers: number[]): UpstreamServer[] {
  return workers.map((worker) => ({
    worker,
    host: "127.0.0.1",
    port: 3001 + worker,
  }));
}

/** What a promise has come to by now, or `"pending"`. */
async function now<Value>(promise: Promise<Value>): Promise<Value | "pending"> {
  await vi.advanceTimersByTimeAsync(0);
  return await Promise.race([promise, Promise.resolve("pending" as const)]);
}

let warnings: string[] = [];

function keeperOf(front: FakeFront): UpstreamKeeper {
  return new UpstreamKeeper({
    upstream: front,
    onWarning: (message) => warnings.push(message),
  });
}

beforeEach(() => {
  warnings = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe("a front that works", () => {
  it("is given the list, and its confirmation is the caller's", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    expect(keeper.status().state).toBe("idle");
    const confirmed = keeper.set(servers(0, 1));
    expect(await now(confirmed)).toBe("pending");
    expect(keeper.status()).toMatchObject({ name: "fake", state: "applying" });
    front.last.confirm();
    expect(await now(confirmed)).toBe(true);
    expect(keeper.status()).toEqual({
      name: "fake",
      state: "in-step",
      servers: servers(0, 1),
      error: undefined,
      failures: 0,
    });
    expect(front.lists).toEqual([[0, 1]]);
    expect(warnings).toEqual([]);
    await keeper.close();
  });

  it("gets one list at a time, and of those that wait only the newest", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    const all = [
      keeper.set(servers(0)),
      keeper.set(servers(0, 1)),
      keeper.set(servers(0, 1, 2)),
    ];
    expect(front.lists).toEqual([[0]]);
    await vi.advanceTimersByTimeAsync(0);
    expect(front.lists).toEqual([[0], [0, 1, 2]]);
    expect(front.calls.map(({ signal }) => signal.aborted)).toEqual([
      true,
      false,
    ]);
    front.last.confirm();
    expect(await Promise.all(all)).toEqual([true, true, true]);
    await keeper.close();
  });

  it("confirms who waits for an older list whose removals are in the newer one", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    const first = keeper.set(servers(0, 1, 2, 3));
    await now(first);
    front.last.confirm();
    const without3 = keeper.set(servers(0, 1, 2));
    const without23 = keeper.set(servers(0, 1));
    expect(await now(without3)).toBe("pending");
    front.last.confirm();
    expect(await now(without3)).toBe(true);
    expect(await now(without23)).toBe(true);
    await keeper.close();
  });

  it("doesn't confirm that a server is gone that a newer list has again", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    void keeper.set(servers(0, 1, 2));
    front.last.confirm();
    await vi.advanceTimersByTimeAsync(0);
    const without12 = keeper.set(servers(0));
    const with1 = keeper.set(servers(0, 1));
    expect(await now(without12)).toBe(false);
    expect(await now(with1)).toBe("pending");
    front.last.confirm();
    expect(await now(with1)).toBe(true);
    await keeper.close();
  });

  it("takes the same worker on another port for another server", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    void keeper.set([{ worker: 0, host: "127.0.0.1", port: 1 }]);
    front.last.confirm();
    await vi.advanceTimersByTimeAsync(0);
    const moved = keeper.set([{ worker: 0, host: "127.0.0.1", port: 2 }]);
    void keeper.set([{ worker: 0, host: "127.0.0.1", port: 1 }]);
    expect(await now(moved)).toBe(false);
    await keeper.close();
  });

  it("isn't confirmed by a list that may have put a removed server back half-way", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    void keeper.set(servers(0));
    front.last.confirm();
    await vi.advanceTimersByTimeAsync(0);
    // Given up, but it may have had its effect.
    void keeper.set(servers(0, 1));
    const back = keeper.set(servers(0));
    expect(await now(back)).toBe("pending");
    const again = keeper.set(servers(0, 1));
    expect(await now(back)).toBe(false);
    front.last.confirm();
    expect(await now(again)).toBe(true);
    await keeper.close();
  });

  it("is looked at again when it asks for that, and nothing is said about it", async () => {
    const front = new FakeFront(2_000);
    const keeper = keeperOf(front);
    void keeper.set(servers(0));
    front.last.confirm();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(front.calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(front.lists).toEqual([[0], [0]]);
    expect(keeper.status().state).toBe("in-step");
    front.last.confirm();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(front.calls).toHaveLength(3);
    expect(warnings).toEqual([]);
    await keeper.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(front.calls).toHaveLength(3);
  });
});

describe("a front that fails", () => {
  it("is tried again after a growing pause, told once, and once when it is well again", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    const confirmed = keeper.set(servers(0));
    front.last.fail("connection refused, process 17");
    await vi.advanceTimersByTimeAsync(249);
    expect(front.calls).toHaveLength(1);
    expect(keeper.status()).toMatchObject({
      state: "failing",
      error: "connection refused, process 17",
      failures: 1,
    });
    await vi.advanceTimersByTimeAsync(1);
    expect(front.calls).toHaveLength(2);
    front.last.fail("connection refused, process 18");
    await vi.advanceTimersByTimeAsync(499);
    expect(front.calls).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(front.calls).toHaveLength(3);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("fake is not in step");
    expect(warnings[0]).toContain("connection refused, process 17");
    front.last.confirm();
    expect(await now(confirmed)).toBe(true);
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain("in step again");
    expect(warnings[1]).toContain("worker 0");
    expect(keeper.status()).toMatchObject({ state: "in-step", failures: 0 });
    await keeper.close();
  });

  it("is told about again when it fails for another reason", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    void keeper.set(servers(0));
    front.last.fail("connection refused");
    await vi.advanceTimersByTimeAsync(250);
    front.last.fail("permission denied");
    await vi.advanceTimersByTimeAsync(0);
    expect(warnings).toHaveLength(2);
    await keeper.close();
  });

  it("never waits longer than the cap", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    void keeper.set(servers(0));
    for (let failed = 1; failed <= 12; failed++) {
      front.last.fail("down");
      await vi.advanceTimersByTimeAsync(15_000);
      expect(front.calls).toHaveLength(failed + 1);
    }
    await keeper.close();
  });

  it("is tried as often as it's looked at, if that is more", async () => {
    const front = new FakeFront(2_000);
    const keeper = keeperOf(front);
    void keeper.set(servers(0));
    for (let failed = 1; failed <= 8; failed++) {
      front.last.fail("down");
      await vi.advanceTimersByTimeAsync(2_000);
      expect(front.calls).toHaveLength(failed + 1);
    }
    await keeper.close();
  });

  it("gets a newer list at once, not after the pause", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    void keeper.set(servers(0));
    for (let failures = 0; failures < 6; failures++) {
      front.last.fail("down");
      await vi.advanceTimersByTimeAsync(15_000);
    }
    front.last.fail("down");
    await vi.advanceTimersByTimeAsync(0);
    const before = front.calls.length;
    void keeper.set(servers(0, 1));
    await vi.advanceTimersByTimeAsync(0);
    expect(front.calls).toHaveLength(before + 1);
    expect(front.last.workers).toEqual([0, 1]);
    await keeper.close();
  });

  it("keeps nobody waiting longer than the timeout, and is applied all the same", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    void keeper.set(servers(0, 1));
    front.last.confirm();
    await vi.advanceTimersByTimeAsync(0);
    const late = keeper.set(servers(0));
    await vi.advanceTimersByTimeAsync(4_999);
    expect(await now(late)).toBe("pending");
    await vi.advanceTimersByTimeAsync(1);
    expect(await now(late)).toBe(false);
    expect(warnings).toEqual([
      "fake has not confirmed within 5000 ms that it sends no new requests to worker 1",
    ]);
    expect(front.last.signal.aborted).toBe(false);
    front.last.confirm();
    await vi.advanceTimersByTimeAsync(0);
    expect(keeper.status().state).toBe("in-step");
    expect(warnings).toHaveLength(2);
    await keeper.close();
  });
});

describe("close", () => {
  it("gives up what is under way, answers who waits, and is the same promise each time", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    const waiting = keeper.set(servers(0));
    const closing = keeper.close();
    expect(keeper.close()).toBe(closing);
    expect(await waiting).toBe(false);
    await closing;
    expect(front.last.signal.aborted).toBe(true);
    expect(front.closed).toBe(1);
    expect(await keeper.set(servers(0))).toBe(false);
    expect(front.calls).toHaveLength(1);
    expect(keeper.status().state).toBe("closed");
    expect(warnings).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends the pause before a retry", async () => {
    const front = new FakeFront();
    const keeper = keeperOf(front);
    const waiting = keeper.set(servers(0));
    front.last.fail("down");
    await vi.advanceTimersByTimeAsync(0);
    await keeper.close();
    expect(await waiting).toBe(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(front.calls).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("several fronts", () => {
  it("are confirmed when each is", async () => {
    const [one, other] = [new FakeFront(), new FakeFront()];
    const keepers = new UpstreamKeepers([one, other], {
      onWarning: (message) => warnings.push(message),
    });
    const confirmed = keepers.set(servers(0));
    one.last.confirm();
    expect(await now(confirmed)).toBe("pending");
    expect(keepers.status().map(({ state }) => state)).toEqual([
      "in-step",
      "applying",
    ]);
    other.last.fail("down");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await now(confirmed)).toBe(false);
    await keepers.close();
    expect(one.closed + other.closed).toBe(2);
  });

  it("are confirmed at once when there are none", async () => {
    const keepers = new UpstreamKeepers([], { onWarning: () => undefined });
    expect(await keepers.set(servers(0))).toBe(true);
    await keepers.close();
  });
});
