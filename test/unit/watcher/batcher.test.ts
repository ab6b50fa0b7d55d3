import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createBatcher, quietFor } from "../../../src/watcher/batcher.js";
import type { Batcher } from "../../../src/watcher/batcher.js";
import type { ChangeBatch } from "../../../src/watcher/types.js";

let batches: ChangeBatch[];
let dirty: string[];
let missing: Set<string>;
let busy: Set<string>;
let batcher: Batcher;

beforeEach(() => {
  vi.useFakeTimers();
  batches = [];
  dirty = [];
  missing = new Set();
  busy = new Set();
  batcher = createBatcher({
    quietMs: 10,
    capMs: 200,
    missingMs: 100,
    isMissing: (paths) => [...paths].some((path) => missing.has(path)),
    isBusy: (path) => busy.has(path),
    onDirty: (path) => dirty.push(path),
    onBatch: (batch) => batches.push(batch),
  });
});
afterEach(() => {
  batcher.close();
  vi.useRealTimers();
});

/** How long after its first event a batch was closed. The fake clock gives `setImmediate` a millisecond of its own. */
const lengths = (): number[] =>
  batches.map(({ firstEventAt, closedAt }) =>
    Math.round(closedAt - firstEventAt - 1),
  );

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe("a batch", () => {
  it("of one save is closed as soon as it is quiet", async () => {
    batcher.add("a");
    expect(dirty).toEqual(["a"]);
    expect(batcher.has("a")).toBe(true);
    await pass(50);
    expect(lengths()).toEqual([10]);
    expect(batcher.has("a")).toBe(false);
  });

  it("is kept open by more events, and tells each path once", async () => {
    batcher.add("a");
    await pass(6);
    batcher.add("a");
    await pass(6);
    batcher.prolong();
    await pass(50);
    expect(dirty).toEqual(["a"]);
    expect(lengths()).toEqual([22]);
    batcher.add("a");
    await pass(50);
    expect(dirty).toEqual(["a", "a"]);
    expect(lengths()).toEqual([22, 10]);
  });

  it("waits for a tool that is at work, but not beyond the cap", async () => {
    busy.add("a");
    batcher.add("a");
    await pass(100);
    expect(batches).toEqual([]);
    busy.clear();
    await pass(20);
    expect(batches).toHaveLength(1);

    busy.add("b");
    batcher.add("b");
    await pass(400);
    expect(lengths()[1]).toBe(200);
  });

  it("of many files waits longer", async () => {
    for (const path of ["a", "b", "c", "d", "e", "f"]) batcher.add(path);
    await pass(100);
    expect(lengths()).toEqual([quietFor(10, 6)]);
    expect(quietFor(10, 1)).toBe(10);
    expect(quietFor(10, 1000)).toBe(100);
  });

  it("is closed at the cap, however many events there are", async () => {
    for (let ms = 0; ms < 500; ms += 5) {
      batcher.add("a");
      await pass(5);
    }
    expect(lengths().slice(0, 2)).toEqual([200, 200]);
  });

  it("goes on while new files keep coming, up to eight caps", async () => {
    for (let ms = 0; ms < 2000; ms += 5) {
      batcher.add(`file ${ms}`);
      await pass(5);
    }
    expect(lengths()).toEqual([1600]);
  });

  it("waits for a file that is gone, and closes soon after it is back", async () => {
    missing.add("a");
    batcher.add("a");
    await pass(70);
    expect(batches).toEqual([]);
    missing.delete("a");
    batcher.prolong();
    await pass(50);
    expect(lengths()).toEqual([80]);
  });

  it("doesn't wait for ever", async () => {
    missing.add("a");
    batcher.add("a");
    await pass(150);
    expect(lengths()).toEqual([100]);
  });

  it("waits for a file that is gone no longer than the cap", async () => {
    missing.add("a");
    batcher.add("a");
    for (let count = 0; count < 5; count++) {
      await pass(60);
      batcher.prolong();
    }
    expect(lengths()).toEqual([200]);
  });

  it("that is open is dropped by close", async () => {
    batcher.add("a");
    batcher.close();
    await pass(50);
    expect(batches).toEqual([]);
  });
});
