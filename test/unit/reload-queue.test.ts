import { describe, expect, test, vi } from "vitest";
import { ReloadQueue } from "../../src/reload-queue.js";
import type { Cycle, MergedRequest } from "../../src/reload-queue.js";

interface Step {
  readonly request: MergedRequest;
  readonly finish: (outcome: string) => void;
}

/** A queue whose cycles wait for the test, and a way to await each cycle's start. */
function steppedQueue() {
  const steps: Step[] = [];
  let started: (() => void) | undefined;
  const queue = new ReloadQueue<string>(
    (request) =>
      new Promise<Cycle<string>>((resolve) => {
        steps.push({
          request,
          finish: (outcome) => resolve({ outcome: Promise.resolve(outcome) }),
        });
        started?.();
      }),
  );
  const step = async (index: number): Promise<Step> => {
    while (steps[index] === undefined) {
      await new Promise<void>((resolve) => {
        started = resolve;
      });
    }
    return steps[index];
  };
  return { queue, step, count: () => steps.length };
}

const release = (): void => undefined;
const change = (since: number, ...paths: string[]) => ({
  paths: new Set(paths),
  since,
  batch: undefined,
  release,
});

describe("ReloadQueue", () => {
  test("requests that come while a cycle runs share the next one", async () => {
    const { queue, step, count } = steppedQueue();
    const first = queue.add(change(1, "a"));
    const { request, finish } = await step(0);
    expect([...request.paths]).toEqual(["a"]);
    const second = queue.add(change(5, "b"));
    const third = queue.add(change(3, "c"));
    finish("one");
    expect(await first).toBe("one");
    const next = await step(1);
    expect([...next.request.paths]).toEqual(["b", "c"]);
    expect(next.request.since).toBe(3);
    expect(next.request.forced).toBe(false);
    next.finish("two");
    expect(await Promise.all([second, third])).toEqual(["two", "two"]);
    await queue.idle();
    expect(count()).toBe(2);
  });

  test("a request without paths forces, also when it is merged", async () => {
    const { queue, step } = steppedQueue();
    const first = queue.add(change(1, "a"));
    const running = await step(0);
    const merged = queue.add(change(2, "b"));
    void queue.add({ paths: undefined, since: 2, batch: undefined, release });
    running.finish("");
    await first;
    const { request, finish } = await step(1);
    expect(request.forced).toBe(true);
    expect([...request.paths]).toEqual(["b"]);
    finish("");
    await merged;
  });

  test("releasing a merged request releases every hold", async () => {
    const { queue, step } = steppedQueue();
    const running = queue.add(change(1, "a"));
    const first = await step(0);
    const holds = [vi.fn(), vi.fn()];
    for (const hold of holds)
      void queue.add({ ...change(2, "b"), release: hold });
    first.finish("");
    await running;
    const second = await step(1);
    second.request.release();
    for (const hold of holds) expect(hold).toHaveBeenCalledOnce();
    second.finish("");
    await queue.idle();
  });
});
