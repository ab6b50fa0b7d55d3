import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../../src/master/decide.js";
import type { PlaceView, RollView } from "../../../src/master/decide.js";

function view(
  places: readonly (readonly [
    serving?: number | undefined,
    booting?: number | undefined,
    retryAt?: number,
    flags?: Partial<PlaceView>,
  ])[],
  rest: Partial<RollView> = {},
): RollView {
  return {
    places: places.map(
      ([serving, booting, retryAt = 0, flags = {}], index): PlaceView => ({
        index,
        serving,
        booting,
        retryAt,
        isHeld: false,
        isStale: false,
        ...flags,
      }),
    ),
    candidate: undefined,
    current: undefined,
    now: 100,
    replaceAt: 0,
    parallelBoots: 1,
    parallelReplacements: 1,
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

  test("standbys are activated as many at a time as allowed, what boots already included", () => {
    const three = view([[2], [1], [1], [1]], {
      current: 2,
      parallelReplacements: 2,
    });
    expect(decide(three).actions).toEqual([boot(1, 2), boot(2, 2)]);
    expect(
      decide(
        view([[2], [1, 2], [1], [1]], { current: 2, parallelReplacements: 2 }),
      ).actions,
    ).toEqual([boot(2, 2)]);
    expect(
      decide(
        view([[2], [1, 2], [1, 2], [1]], {
          current: 2,
          parallelReplacements: 2,
        }),
      ).actions,
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
    ).toEqual([abandon(1), boot(1, 3)]);
  });

  test("the canary replaces one of the oldest processes, the first of equals", () => {
    const places = [[3], [2], [1], [1]] as const;
    expect(decide(view(places, { candidate: 4, current: 3 })).actions).toEqual([
      boot(2, 4),
    ]);
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

  test("while outdated places wait for a standby, one that is stale and an empty one don't", () => {
    const waiting = { current: 2, replaceAt: Infinity };
    expect(decide(view([[2], [1]], waiting))).toEqual({
      actions: [],
      wakeAt: undefined,
    });
    const stale = [1, undefined, 0, { isStale: true }] as const;
    expect(decide(view([[2], [1], stale], waiting)).actions).toEqual([
      boot(2, 2),
    ]);
    expect(decide(view([[2], [1], []], waiting)).actions).toEqual([boot(2, 2)]);
  });

  test("one outdated place in backoff doesn't keep the next from being replaced", () => {
    const decision = decide(
      view([[2], [1, undefined, 350], [1]], { current: 2 }),
    );
    expect(decision.actions).toEqual([boot(2, 2)]);
  });

  test("a held place gets no process, neither as a canary nor otherwise", () => {
    const held = [undefined, undefined, 0, { isHeld: true }] as const;
    expect(decide(view([held, [1]], { current: 1 })).actions).toEqual([]);
    expect(
      decide(view([held, [1]], { candidate: 2, current: 1 })).actions,
    ).toEqual([boot(1, 2)]);
  });

  test("what boots in a place that is held from now on is given up", () => {
    const booting = [undefined, 2, 0, { isHeld: true }] as const;
    expect(decide(view([[2], booting], { current: 2 })).actions).toEqual([
      abandon(1),
    ]);
    expect(
      decide(view([[1], booting], { candidate: 2, current: 1 })).actions,
    ).toEqual([abandon(1), boot(0, 2)]);
  });

  test("a stale process is replaced although it runs the current generation, one at a time", () => {
    const stale = [1, undefined, 0, { isStale: true }] as const;
    expect(decide(view([stale, stale], { current: 1 })).actions).toEqual([
      boot(0, 1),
    ]);
    expect(
      decide(view([[1, 1, 0, { isStale: true }], stale], { current: 1 }))
        .actions,
    ).toEqual([]);
  });
});

const emptyPlace = () => ({
  serving: undefined,
  booting: undefined,
  retryAt: 0,
  isHeld: false,
  isStale: false,
});

/** A model of the master's shell: what `decide` asks for is done, and anything may happen in between. */
class Model {
  places: {
    serving: number | undefined;
    booting: number | undefined;
    retryAt: number;
    isHeld: boolean;
    isStale: boolean;
  }[];
  candidate: number | undefined;
  current: number | undefined;
  now = 0;
  last = 0;
  /** Workers behind the canary wait for a standby. */
  waits = false;
  /** As standbys come and go. */
  parallelReplacements = 1;
  constructor(count: number) {
    this.places = Array.from({ length: count }, emptyPlace);
  }
  step(): number | undefined {
    const { actions, wakeAt } = decide({
      places: this.places.map((place, index) => ({ index, ...place })),
      candidate: this.candidate,
      current: this.current,
      now: this.now,
      replaceAt: this.waits ? Infinity : 0,
      parallelBoots: 2,
      parallelReplacements: this.parallelReplacements,
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
        expect(place.isHeld).toBe(false);
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
      place.isStale = false;
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
  /** Never the last one that isn't held: the shell refuses that. */
  hold(index: number): void {
    const place = this.places[index % this.places.length];
    if (this.places.filter(({ isHeld }) => !isHeld).length < 2) return;
    if (place === undefined) return;
    place.isHeld = true;
    place.isStale = false;
    place.serving = undefined;
  }
  release(index: number): void {
    const place = this.places[index % this.places.length];
    if (place !== undefined) place.isHeld = false;
  }
  outlive(index: number): void {
    const place = this.places[index % this.places.length];
    if (place !== undefined) place.isStale = place.serving !== undefined;
  }
  /** One worker more, or the last one fewer, unless the others are held. */
  scale(more: boolean): void {
    if (more) this.places.push(emptyPlace());
    else if (this.places.slice(0, -1).some(({ isHeld }) => !isHeld))
      this.places.pop();
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
    fc.record({
      kind: fc.constantFrom(
        ...(["die", "hold", "release", "outlive"] as const),
      ),
      index: fc.nat(7),
    }),
    fc.record({ kind: fc.constant("scale" as const), more: fc.boolean() }),
    fc.record({
      kind: fc.constant("wait" as const),
      waits: fc.boolean(),
      parallelReplacements: fc.integer({ min: 1, max: 3 }),
    }),
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
          else if (each.kind === "pass") model.now += each.ms;
          else if (each.kind === "scale") model.scale(each.more);
          else if (each.kind === "wait") Object.assign(model, each);
          else model[each.kind](each.index);
          model.step();
          const after = model.places.filter(
            ({ serving }) => serving !== undefined,
          ).length;
          if (!["die", "hold", "scale"].includes(each.kind))
            expect(after).toBeGreaterThanOrEqual(ready);
        }
        // From here on all goes well.
        model.waits = false;
        for (let round = 0; round < 40; round++) {
          const wakeAt = model.step();
          if (wakeAt !== undefined) model.now = Math.max(model.now, wakeAt);
          model.places.forEach((_, index) => model.settle(index, true));
        }
        expect(model.candidate).toBeUndefined();
        expect(
          model.places.map(({ serving, booting }) => serving ?? booting),
        ).toEqual(
          model.places.map(({ isHeld }) =>
            isHeld ? undefined : model.current,
          ),
        );
        expect(model.places.some(({ isStale }) => isStale)).toBe(false);
      },
    ),
    { numRuns: 500 },
  );
});
