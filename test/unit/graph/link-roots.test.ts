import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  evaluationOrder,
  linkRoots,
  planAhead,
} from "../../../src/graph/index.js";
import { dependentsOf, programs } from "./evaluator.js";
import type { Program } from "./evaluator.js";

describe("linkRoots", () => {
  const cases = programs().chain((program) =>
    fc.tuple(
      fc.constant(program),
      fc.subarray([...program.keys()]),
      fc.subarray([...program.keys(), "p0"], { maxLength: 2 }),
    ),
  );

  function broughtBy(program: Program, roots: Iterable<string>): Set<string> {
    const brought = new Set(roots);
    for (const path of brought) {
      for (const other of program.get(path)?.before ?? []) brought.add(other);
    }
    return brought;
  }

  it("bring all that doesn't reach what is excluded, and each is needed", () => {
    fc.assert(
      fc.property(cases, ([program, paths, excluded]) => {
        const roots = linkRoots(program, paths, (p) => excluded.includes(p));
        const imports = [...program].map(
          ([path, module]) => [path, { ...module, during: [] }] as const,
        );
        const out = dependentsOf(new Map(imports), excluded);
        const wanted = [...broughtBy(program, paths)].filter(
          (path) => program.has(path) && !out.has(path),
        );
        const brought = broughtBy(program, roots);
        expect([...brought].filter((path) => out.has(path))).toEqual([]);
        expect([...brought].filter((p) => program.has(p)).sort()).toEqual(
          wanted.sort(),
        );
        for (const root of roots) {
          const others = roots.filter((other) => other !== root);
          expect(broughtBy(program, others).has(root)).toBe(false);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

it("stands a chain of 20,000", () => {
  const size = 20_000;
  const chain = new Map(
    Array.from({ length: size }, (_, n) => {
      const node = { path: `n${n}`, before: [`n${n + 1}`], during: [] };
      return [node.path, node];
    }),
  );
  expect(evaluationOrder(chain, "n0")).toHaveLength(size + 1);
  const options = { isLeft: () => false, isInert: () => false };
  expect(planAhead(chain, "n0", options).evaluated).toHaveLength(size);
  expect(linkRoots(chain, chain.keys(), () => false)).toEqual(["n0"]);
});
