import fc from "fast-check";
import { expect, test } from "vitest";
import { nextStep, readersOf } from "../../../src/steps/plan.js";

interface Step {
  readonly key: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const step = (key: string, inputs: string, outputs: string): Step => ({
  key,
  inputs: inputs.split(" "),
  outputs: outputs.split(" "),
});

/** The order in which all these run. */
function orderOf(steps: readonly Step[], due: readonly string[]): string[] {
  const left = new Set(due);
  const order: string[] = [];
  for (;;) {
    const next = nextStep(
      steps,
      ({ outputs }) => outputs,
      ({ key }) => left.has(key),
    );
    if (next === undefined) return order;
    left.delete(next.key);
    order.push(next.key);
  }
}

test("steps run in the order of the list", () => {
  const steps = [step("b", "1", "2"), step("a", "3", "4"), step("c", "5", "6")];
  expect(orderOf(steps, ["a", "b", "c"])).toEqual(["b", "a", "c"]);
  expect(orderOf(steps, ["c", "a"])).toEqual(["a", "c"]);
  expect(orderOf(steps, [])).toEqual([]);
});

test("one that reads what another makes comes behind it, also through one that isn't due yet", () => {
  const steps = [step("c", "2", "3"), step("b", "1", "2"), step("a", "0", "1")];
  expect(orderOf(steps, ["a", "b", "c"])).toEqual(["a", "b", "c"]);
  expect(orderOf(steps, ["a", "c"])).toEqual(["a", "c"]);
  expect(orderOf(steps, ["c", "b"])).toEqual(["b", "c"]);
});

test("a circle ends", () => {
  const steps = [step("a", "2", "1"), step("b", "1", "2")];
  expect(orderOf(steps, ["a", "b"])).toEqual(["a", "b"]);
});

test("who reads is found by what changed", () => {
  const steps = [step("a", "1 2", "3"), step("b", "3", "4")];
  const keys = (...files: string[]): string[] =>
    readersOf(steps, new Set(files)).map(({ key }) => key);
  expect(keys("2")).toEqual(["a"]);
  expect(keys("3", "1")).toEqual(["a", "b"]);
  expect(keys("4")).toEqual([]);
});

test("random steps: each due one runs once, nobody before who makes what it reads, else in the order of the list", () => {
  const count = 7;
  // Step `i` makes file `i`, and reads some with smaller numbers; the list is shuffled.
  const world = fc.record({
    reads: fc.array(fc.subarray([...Array(count).keys()]), {
      minLength: count,
      maxLength: count,
    }),
    order: fc.shuffledSubarray([...Array(count).keys()], {
      minLength: count,
    }),
    due: fc.subarray([...Array(count).keys()]),
  });
  fc.assert(
    fc.property(world, ({ reads, order, due }) => {
      const steps = order.map((index) => ({
        key: String(index),
        inputs: (reads[index] ?? [])
          .filter((other) => other < index)
          .map(String),
        outputs: [String(index)],
      }));
      const ran = orderOf(steps, due.map(String));
      expect([...ran].sort()).toEqual(due.map(String).sort());
      const upstream = (key: string): string[] => {
        const inputs = steps.find((each) => each.key === key)?.inputs ?? [];
        return inputs.flatMap((input) => [input, ...upstream(input)]);
      };
      ran.forEach((key, place) => {
        const before = new Set(ran.slice(0, place));
        for (const maker of upstream(key))
          if (ran.includes(maker)) expect(before).toContain(maker);
        // It's the first of the list that could have run then.
        const left = ran.slice(place);
        const free = steps.find(
          (each) =>
            left.includes(each.key) &&
            !upstream(each.key).some((maker) => left.includes(maker)),
        );
        expect(free?.key).toBe(key);
      });
    }),
  );
});
