import { expect, it } from "vitest";
import { BarredModules } from "../../../src/pool/barred-modules.js";
import type { Program } from "../../../src/pool/types.js";

/** A program of modules with these identities. */
function program(identities: Readonly<Record<string, string>>): Program {
  return {
    generation: 1,
    output: "/out",
    entry: "/entry",
    mixins: [],
    env: {},
    codeCache: "/code",
    resolve: () => Promise.resolve({ kind: "node" }),
    ahead: {
      surroundings: "",
      isModule: true,
      plan: () => Promise.reject(new Error("not asked for")),
      misfit: () => Promise.resolve(undefined),
      identityOf: (path) => identities[path],
    },
  };
}

it("bars a module until it changes", () => {
  const barred = new BarredModules();
  const first = program({ a: "1", b: "1" });
  expect(barred.add("a", "throws", first)).toBe(true);
  expect(barred.has("a", first)).toBe(true);
  expect(barred.has("b", first)).toBe(false);
  expect(barred.has("a", program({ a: "2" }))).toBe(false);
  expect(barred.of(first)).toEqual([{ path: "a", reason: "throws" }]);
  expect(barred.of(program({ a: "2" }))).toEqual([]);
});

it("says whether that is news", () => {
  const barred = new BarredModules();
  const first = program({ a: "1" });
  expect(barred.add("a", "throws", first)).toBe(true);
  expect(barred.add("a", "throws again", first)).toBe(false);
});

it("bars for good what misbehaved in three versions", () => {
  const barred = new BarredModules();
  for (const version of ["1", "2", "3"]) {
    expect(barred.has("a", program({ a: version }))).toBe(false);
    barred.add("a", "throws", program({ a: version }));
  }
  expect(barred.has("a", program({ a: "4" }))).toBe(true);
});

it("doesn't name modules that a program hasn't", () => {
  const barred = new BarredModules();
  barred.add("a", "throws", program({ a: "1" }));
  expect(barred.of(program({}))).toEqual([]);
});
