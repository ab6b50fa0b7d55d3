import fc from "fast-check";
import { expect, it } from "vitest";
import { overlaid } from "../../../src/compiler/overlaid.js";

it("is like a copy with other values, whatever was laid over it before", () => {
  const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
  const others = fc.dictionary(fc.constantFrom(...keys), fc.integer(), {
    maxKeys: 6,
  });
  fc.assert(
    fc.property(fc.array(others, { maxLength: 8 }), (saves) => {
      const expected = new Map(keys.map((key, index) => [key, index]));
      let map: ReadonlyMap<string, number> = new Map(expected);
      const former: [ReadonlyMap<string, number>, [string, number][]][] = [];
      for (const save of saves) {
        former.push([map, [...expected]]);
        const changes = new Map(Object.entries(save));
        map = overlaid(map, changes);
        for (const [key, value] of changes) expected.set(key, value);
        expect([...map]).toEqual([...expected]);
      }
      expect(map.size).toBe(expected.size);
      expect([...map.keys()]).toEqual([...expected.keys()]);
      expect([...map.values()]).toEqual([...expected.values()]);
      for (const key of [...keys, "other"]) {
        expect(map.get(key)).toBe(expected.get(key));
        expect(map.has(key)).toBe(expected.has(key));
      }
      const told: [string, number][] = [];
      map.forEach((value, key) => told.push([key, value]));
      expect(told).toEqual([...expected]);
      // What earlier builds hold stays as it was.
      for (const [earlier, entries] of former)
        expect([...earlier]).toEqual(entries);
    }),
    { numRuns: 30 },
  );
});
