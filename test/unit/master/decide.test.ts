import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../../src/master/decide.js";
import type { PlaceView, RollView } from "../../../src/master/decide.js";

function view(
  places: readonly (readonly [
    serving?: number | undefined,
    booting?: number | undefined,
    retryAt?: number,
  ])[],
  rest: Partial<RollView> = {},
): RollView {
  return {
    places: places.map(([serving, booting, retryAt = 0], index): PlaceView => ({
      index,
      serving,
      booting,
      retryAt,
    })),
    candidate: undefined,
    current: undefined,
    now: 100,
    replaceAt: 0,
    parallelBoots: 1,
    ...rest,
  };
}

const boot = (place: number, generation: number) =>
  ({ kind: "boot", place, generation }) as const;
const abandon = (place: number) => ({ kind: "abandon", place }) as const;

describe("decide", () => {
  test("the first generation starts with one process, its canary", () => {
    expect(decide(view([[], [], []], { candidate: 1 })).actions).toEqual([
      boot(0, 1),
    ]);
  });

  test("nothing more is booted while the canary boots", () => {
    expect(
      decide(view([[undefined, 1], [], []], { candidate: 1 })).actions,
    ).toEqual([]);
  });

  test("when the canary is ready the other places follow, as many at a time as allowed", () => {
    expect(decide(view([[1], [], []], { current: 1 })).actions).toEqual([
      boot(1, 1),
    ]);
    expect(
      decide(view([[1], [], []], { current: 1, parallelBoots: 2 })).actions,
    ).toEqual([boot(1, 1), boot(2, 1)]);
  });

  test("replacing goes one at a time, however many may boot", () => {
    const two = view([[2], [1], [1]], { current: 2, parallelBoots: 4 });
    expect(decide(two).actions).toEqual([boot(1, 2)]);
    expect(
      decide(view([[2], [1, 2], [1]], { current: 2, parallelBoots: 4 }))
        .actions,
    ).toEqual([]);
  });

  test("the canary goes to a place without a process first", () => {
    expect(
      decide(view([[1], []], { candidate: 2, current: 1 })).actions,
    ).toContainEqual(boot(1, 2));
  });

  test("a newer candidate abandons the older one's canary", () => {
    expect(
      decide(view([[1, 2], [1]], { candidate: 3, current: 1 })).actions,
    ).toEqual([abandon(0), boot(0, 3)]);
  });

  test("a newer candidate abandons the step in hand of the roll it supersedes", () => {
    expect(
      decide(view([[2], [1, 2]], { candidate: 3, current: 2 })).actions,
    ).toEqual([abandon(1), boot(0, 3)]);
  });

  test("an empty place that boots the current generation goes on when a candidate comes", () => {
    expect(
      decide(view([[1], [undefined, 1]], { candidate: 2, current: 1 })).actions,
    ).toEqual([boot(0, 2)]);
  });

  test("an empty place is refilled while a canary boots elsewhere", () => {
    expect(
      decide(view([[1, 2], []], { candidate: 2, current: 1 })).actions,
    ).toEqual([boot(1, 1)]);
  });

  test("a place that waits for its backoff is left alone and wakes the decision", () => {
    const decision = decide(
      view([[1], [undefined, undefined, 350]], { current: 1 }),
    );
    expect(decision).toEqual({ actions: [], wakeAt: 350 });
  });

  test("an outdated place is replaced when the first answers are out, an empty one at once", () => {
    const early = { current: 2, replaceAt: 130 };
    expect(decide(view([[2], [1]], early))).toEqual({
      actions: [],
      wakeAt: 130,
    });
    expect(decide(view([[2], []], early)).actions).toEqual([boot(1, 2)]);
    expect(
      decide(view([[2], [1]], { current: 2, replaceAt: 100 })).actions,
    ).toEqual([boot(1, 2)]);
  });

  test("one outdated place in backoff doesn't keep the next from being replaced", () => {
    const decision = decide(
      view([[2], [1, undefined, 350], [1]], { current: 2 }),
    );
    expect(decision.actions).toEqual([boot(2, 2)]);
  });
});

/** A model of the master's shell: what `decide` asks for is done, and anything may happen in between. */
class Model {
  places: {
    serving: number | undefined;
    booting: number | undefined;
    retryAt: number;
  }[];
  candidate: number | undefined;
  current: number | undefined;
  now = 0;
  last = 0;
  constructor(count: number) {
    this.places = Array.from({ length: count }, () => ({
      serving: undefined,
      booting: undefined,
      retryAt: 0,
    }));
  }
  step(): number | undefined {
    const { actions, wakeAt } = decide({
      places: this.places.map((place, index) => ({ index, ...place })),
      candidate: this.candidate,
      current: this.current,
      now: this.now,
      replaceAt: 0,
      parallelBoots: 2,
    });
    for (const action of actions) {
      const place = this.places[action.place];
      if (place === undefined) throw new Error("no such place");
      if (action.kind === "abandon") {
        expect(place.booting).toBeDefined();
        place.booting = undefined;
      } else {
        expect(place.booting).toBeUndefined();
        expect(place.retryAt).toBeLessThanOrEqual(this.now);
        expect([this.candidate, this.current]).toContain(action.generation);
        place.booting = action.generation;
      }
    }
    const canaries = this.places.filter(
      ({ booting }) => booting !== undefined && booting === this.candidate,
    );
    expect(canaries.length).toBeLessThanOrEqual(1);
    return wakeAt;
  }
  save(): void {
    this.candidate = ++this.last;
    for (const place of this.places) place.retryAt = 0;
  }
  settle(index: number, good: boolean): void {
    const place = this.places[index % this.places.length];
    if (place?.booting === undefined) return;
    const generation = place.booting;
    place.booting = undefined;
    if (good) {
      place.serving = generation;
      if (generation === this.candidate) {
        this.current = generation;
        this.candidate = undefined;
      }
    } else if (generation === this.candidate && this.current !== undefined)
      this.candidate = undefined;
    else place.retryAt = this.now + 250;
  }
  die(index: number): void {
    const place = this.places[index % this.places.length];
    if (place !== undefined) place.serving = undefined;
  }
}

test("property: whatever happens, ready processes are only lost by dying, and in the end all run the newest good generation", () => {
  const event = fc.oneof(
    fc.constant({ kind: "save" as const }),
    fc.record({
      kind: fc.constant("settle" as const),
      index: fc.nat(7),
      good: fc.boolean(),
    }),
    fc.record({ kind: fc.constant("die" as const), index: fc.nat(7) }),
    fc.record({
      kind: fc.constant("pass" as const),
      ms: fc.integer({ min: 1, max: 400 }),
    }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(event, { maxLength: 60 }),
      (count, events) => {
        const model = new Model(count);
        model.save();
        model.step();
        for (const each of events) {
          const ready = model.places.filter(
            ({ serving }) => serving !== undefined,
          ).length;
          if (each.kind === "save") model.save();
          else if (each.kind === "settle") model.settle(each.index, each.good);
          else if (each.kind === "die") model.die(each.index);
          else model.now += each.ms;
          model.step();
          const after = model.places.filter(
            ({ serving }) => serving !== undefined,
          ).length;
          if (each.kind !== "die") expect(after).toBeGreaterThanOrEqual(ready);
        }
        // From here on all goes well.
        for (let round = 0; round < 40; round++) {
          const wakeAt = model.step();
          if (wakeAt !== undefined) model.now = Math.max(model.now, wakeAt);
          for (let index = 0; index < count; index++) model.settle(index, true);
        }
        expect(model.candidate).toBeUndefined();
        expect(model.places.map(({ serving }) => serving)).toEqual(
          model.places.map(() => model.current),
        );
      },
    ),
    { numRuns: 500 },
  );
});
