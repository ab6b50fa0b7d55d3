import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  changedIdentities,
  closureOf,
  GraphStructure,
  identities,
  importCycles,
  loadOrder,
} from "../../../src/graph/index.js";
import type { SourceNode } from "../../../src/graph/index.js";
import { graphOf, graphs, reachableFrom } from "./arbitrary.js";

const graphAndNode = graphs().chain((graph) =>
  fc.tuple(fc.constant(graph), fc.constantFrom(...graph.keys())),
);

function withPart(
  graph: ReadonlyMap<string, SourceNode>,
  path: string,
  part: string,
): Map<string, SourceNode> {
  const node = graph.get(path);
  if (node === undefined) throw new Error(`no node ${path}`);
  return new Map(graph).set(path, { ...node, part });
}

describe("identities", () => {
  it("are 16 hexadecimal characters, one for each node", () => {
    fc.assert(
      fc.property(graphs(), (graph) => {
        const found = identities(graph);
        expect([...found.keys()].sort()).toEqual([...graph.keys()].sort());
        expect([...found.values()].join(" ")).toMatch(
          /^[0-9a-f]{16}(?: [0-9a-f]{16})*$/,
        );
      }),
    );
  });

  it("change for exactly the closure of a changed part", () => {
    fc.assert(
      fc.property(graphAndNode, ([graph, path]) => {
        const before = identities(graph);
        const after = identities(withPart(graph, path, "something else"));
        const changed = [...graph.keys()].filter(
          (key) => before.get(key) !== after.get(key),
        );
        expect(changed.sort()).toEqual([...closureOf(graph, [path])].sort());
      }),
    );
  });

  it("come back when the part comes back", () => {
    fc.assert(
      fc.property(graphAndNode, ([graph, path]) => {
        const part = graph.get(path)?.part ?? "";
        const there = withPart(graph, path, "something else");
        expect(identities(withPart(there, path, part))).toEqual(
          identities(graph),
        );
      }),
    );
  });

  it("don't depend on the order in which the graph was filled", () => {
    const shuffled = graphs().chain((graph) =>
      fc.tuple(
        fc.constant(graph),
        fc.shuffledSubarray([...graph], {
          minLength: graph.size,
          maxLength: graph.size,
        }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([graph, entries]) => {
        const expected = [...identities(graph)].sort();
        expect([...identities(new Map(entries))].sort()).toEqual(expected);
      }),
    );
  });

  it("are the same when those of an earlier graph are at hand", () => {
    // Two versions of a graph that share the nodes that are alike, as builds do.
    const versions = graphs().chain((graph) =>
      fc.tuple(
        fc.constant(graph),
        fc.subarray([...graph.keys()]),
        fc.array(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 4 }), {
          minLength: 12,
          maxLength: 12,
        }),
        fc.subarray([...graph.keys()]),
      ),
    );
    fc.assert(
      fc.property(versions, ([before, changed, edges, removed]) => {
        const after = new Map(before);
        changed.forEach((path, index) => {
          const dependencies = (edges[index] ?? []).map((edge) => `n${edge}`);
          const part = before.get(path)?.part ?? "";
          after.set(path, { path, part, dependencies });
        });
        for (const path of removed) after.delete(path);
        const known = { graph: before, identities: identities(before) };
        expect(identities(after, known)).toEqual(identities(after));
      }),
      { numRuns: 1_000 },
    );
  });

  it("are found from the closure alone when no edge is different", () => {
    const changed = graphs().chain((graph) =>
      fc.tuple(fc.constant(graph), fc.subarray([...graph.keys()])),
    );
    fc.assert(
      fc.property(changed, ([before, paths]) => {
        let after = new Map(before);
        for (const path of paths) after = withPart(after, path, `new ${path}`);
        const known = { graph: before, identities: identities(before) };
        const structure = new GraphStructure(before);
        const different = changedIdentities(after, known, structure, paths);
        const expected = identities(after);
        expect(new Map([...known.identities, ...different])).toEqual(expected);
        const closure = closureOf(before, paths);
        expect([...different.keys()].sort()).toEqual([...closure].sort());
        const groups = structure.closureOf(paths);
        expect(
          groups.flatMap((group) => structure.groups[group] ?? []).sort(),
        ).toEqual([...closure].sort());
      }),
      { numRuns: 1_000 },
    );
  });

  it("are shared by the members of a cycle and by nobody else", () => {
    fc.assert(
      fc.property(graphs(), (graph) => {
        const found = identities(graph);
        const pairs = [...graph.keys()].flatMap((a) =>
          [...graph.keys()].map((b) => [a, b] as const),
        );
        const shared = pairs.filter(([a, b]) => found.get(a) === found.get(b));
        const together = pairs.filter(
          ([a, b]) =>
            a === b ||
            (reachableFrom(graph, a).has(b) && reachableFrom(graph, b).has(a)),
        );
        expect(shared).toEqual(together);
      }),
    );
  });

  it("change when the order of dependencies does", () => {
    const one = graphOf([{ edges: [1, 2] }, { edges: [] }, { edges: [] }]);
    const two = graphOf([{ edges: [2, 1] }, { edges: [] }, { edges: [] }]);
    expect(identities(one).get("n0")).not.toBe(identities(two).get("n0"));
    expect(identities(one).get("n1")).toBe(identities(two).get("n1"));
  });

  it("ignore a dependency that is not in the graph", () => {
    const one = graphOf([{ edges: [7] }]);
    const two = graphOf([{ edges: [] }]);
    expect(identities(one)).toEqual(identities(two));
  });

  it("stand a chain of 10,000, and a ring", () => {
    const size = 10_000;
    const chain = graphOf(
      Array.from({ length: size }, (_, index) => ({ edges: [index + 1] })),
    );
    expect(new Set(identities(chain).values()).size).toBe(size);
    const ring = graphOf(
      Array.from({ length: size }, (_, index) => ({
        edges: [(index + 1) % size],
      })),
    );
    expect(new Set(identities(ring).values()).size).toBe(1);
    expect(loadOrder(chain, ["n0"])[0]).toBe(`n${size - 1}`);
    expect(closureOf(chain, [`n${size - 1}`]).size).toBe(size);
    expect(importCycles(ring)).toHaveLength(1);
  });
});

describe("closureOf", () => {
  it("is the changed and whatever reaches them", () => {
    fc.assert(
      fc.property(graphAndNode, ([graph, path]) => {
        const expected = [...graph.keys()].filter(
          (key) => key === path || reachableFrom(graph, key).has(path),
        );
        expect([...closureOf(graph, [path])].sort()).toEqual(expected.sort());
      }),
    );
  });

  it("ignores paths that aren't in the graph", () => {
    const graph = graphOf([{ edges: [9] }]);
    expect(closureOf(graph, ["n9"]).size).toBe(0);
  });
});

describe("importCycles", () => {
  it("holds exactly the nodes that reach themselves", () => {
    fc.assert(
      fc.property(graphs(), (graph) => {
        const cyclic = [...graph.keys()].filter((key) =>
          reachableFrom(graph, key).has(key),
        );
        const cycles = importCycles(graph);
        expect(cycles.flat().sort()).toEqual(cyclic.sort());
        expect(cycles).toEqual(importCycles(new Map([...graph].toReversed())));
      }),
    );
  });
});

describe("loadOrder", () => {
  it("has each reachable node once, dependencies first but for cycles", () => {
    fc.assert(
      fc.property(graphAndNode, ([graph, root]) => {
        const order = loadOrder(graph, [root]);
        const expected = reachableFrom(graph, root).add(root);
        expect([...order].sort()).toEqual([...expected].sort());
        const place = new Map(order.map((path, index) => [path, index]));
        for (const path of order) {
          for (const dependency of graph.get(path)?.dependencies ?? []) {
            if (!graph.has(dependency)) continue;
            if (reachableFrom(graph, dependency).has(path)) continue;
            expect(place.get(dependency)).toBeLessThan(place.get(path) ?? -1);
          }
        }
      }),
    );
  });

  it("takes the remaining roots after the first one's", () => {
    const graph = graphOf([{ edges: [1] }, { edges: [] }, { edges: [1] }]);
    expect(loadOrder(graph, ["n0", "n2", "n9"])).toEqual(["n1", "n0", "n2"]);
  });
});
