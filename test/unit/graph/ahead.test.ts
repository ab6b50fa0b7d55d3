import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  evaluationOrder,
  misfit,
  planAhead,
} from "../../../src/graph/index.js";
import type { AheadPlan, EvaluationNode } from "../../../src/graph/index.js";
import {
  changes,
  coldLog,
  dependentsOf,
  Evaluator,
  isInertIn,
  programs,
} from "./evaluator.js";
import type { Program } from "./evaluator.js";

const ENTRY = "n0";

/** A program, and which of its modules and packages are left. */
const programAndLeft = programs().chain((program) =>
  fc.tuple(
    fc.constant(program),
    fc
      .subarray([...program.keys(), "p0"], { maxLength: 2 })
      .map((left) => new Set([...left, ENTRY])),
  ),
);

function plan(program: Program, left: ReadonlySet<string>): AheadPlan {
  const isLeft = (path: string): boolean => left.has(path);
  return planAhead(program, ENTRY, { isLeft, isInert: isInertIn(program) });
}

/** The members of cycles with a `during` edge in them. */
function tangled(program: Program): string[] {
  return [...program.values()].flatMap(({ path, during }) =>
    during.flatMap((other) => {
      const above = dependentsOf(program, [path]);
      const isCycle = above.has(other);
      return isCycle ? [...cycleOf(program, path)] : [];
    }),
  );
}

function cycleOf(program: Program, path: string): string[] {
  return [...dependentsOf(program, [path])].filter((other) =>
    dependentsOf(program, [other]).has(path),
  );
}

/** A graph by name: what is before each, after a bar what it may load. */
function graph(
  nodes: Readonly<Record<string, string>>,
): Map<string, EvaluationNode> {
  const words = (text = ""): string[] => text.split(" ").filter(Boolean);
  return new Map(
    Object.entries(nodes).map(([path, text]) => {
      const [before, during] = text.split("|");
      return [path, { path, before: words(before), during: words(during) }];
    }),
  );
}

describe("evaluationOrder", () => {
  it("is the order in which modules are evaluated that load nothing themselves", () => {
    fc.assert(
      fc.property(programs(), (program) => {
        const plain = [...program].map(
          ([path, module]) =>
            [
              path,
              { ...module, isInert: false, loads: [], calls: [] },
            ] as const,
        );
        const log = coldLog(new Map(plain), ENTRY);
        expect(evaluationOrder(program, ENTRY)).toEqual(
          log.filter((line) => !line.startsWith("end of")),
        );
      }),
    );
  });
});

describe("planAhead", () => {
  it("lets nothing be noticed", () => {
    fc.assert(
      fc.property(programAndLeft, ([program, left]) => {
        const { steps } = plan(program, left);
        const process = new Evaluator();
        for (const { path } of steps) process.evaluate(program, path);
        process.evaluate(program, ENTRY);
        expect(process.log).toEqual(coldLog(program, ENTRY));
      }),
      { numRuns: 3_000 },
    );
  });

  it("evaluates nothing that is left, or that depends on what is left", () => {
    fc.assert(
      fc.property(programAndLeft, ([program, left]) => {
        const process = new Evaluator();
        for (const { path } of plan(program, left).steps) {
          process.evaluate(program, path);
        }
        const untouched = dependentsOf(program, left);
        expect([...process.entered].filter((p) => untouched.has(p))).toEqual(
          [],
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("goes up to the first left module that could be noticed", () => {
    fc.assert(
      fc.property(programAndLeft, ([program, left]) => {
        const { evaluated, rest, stoppedBy } = plan(program, left);
        const order = evaluationOrder(program, ENTRY);
        const isLeft = dependentsOf(program, [...left, ...tangled(program)]);
        const stop = order.findIndex(
          (path) => isLeft.has(path) && program.get(path)?.isInert !== true,
        );
        expect(stoppedBy).toBe(order[stop]);
        const ahead = order
          .slice(0, stop === -1 ? order.length : stop)
          .filter((path) => !isLeft.has(path));
        expect(evaluated).toEqual(ahead);
        expect(rest).toEqual(
          order.filter((path) => program.has(path) && !ahead.includes(path)),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("has steps for roots only, and knows who imports them", () => {
    const program = graph({
      entry: "a types b",
      a: "leaf pkg",
      leaf: "",
      types: "late",
      late: "leaf",
      b: "a other",
      other: "",
    });
    const found = planAhead(program, "entry", {
      isLeft: (path) => path === "types",
      isInert: (path) => path === "types",
    });
    expect(found.steps).toEqual([
      { path: "a", importer: "entry" },
      { path: "late", importer: "types" },
      { path: "b", importer: "entry" },
    ]);
    expect(found.evaluated).toEqual(["leaf", "pkg", "a", "late", "other", "b"]);
    expect(found.rest).toEqual(["types", "entry"]);
    expect(found.stoppedBy).toBe("entry");
  });

  it("leaves cycles that code closes by itself", () => {
    // Entered at `b`, `c` would be evaluated while `b` is: the same order, but another moment.
    const program = graph({ entry: "x c", x: "", c: "b", b: "| a", a: "c" });
    const options = { isLeft: () => false, isInert: () => false };
    expect(planAhead(program, "entry", options)).toMatchObject({
      evaluated: ["x"],
      stoppedBy: "b",
    });
  });

  it("stops at a package that is left, and leaves those that load a left source", () => {
    const program = graph({ entry: "a pkg b", a: "| b", b: "" });
    const isInert = (): boolean => true;
    const stopped = { isLeft: (path: string) => path === "pkg", isInert };
    expect(planAhead(program, "entry", stopped)).toMatchObject({
      evaluated: ["a"],
      stoppedBy: "pkg",
      rest: ["b", "entry"],
    });
    const loading = { isLeft: (path: string) => path === "b", isInert };
    expect(planAhead(program, "entry", loading)).toMatchObject({
      steps: [{ path: "pkg", importer: "entry" }],
      stoppedBy: undefined,
    });
  });
});

describe("misfit", () => {
  it("sees every difference that a change of a left module makes", () => {
    const changed = programAndLeft.chain(([program, left]) =>
      fc.tuple(
        fc.constant(program),
        fc.constant(left),
        changes(program, [
          ...[...dependentsOf(program, left)].filter((p) => program.has(p)),
        ]),
      ),
    );
    let fits = 0;
    fc.assert(
      fc.property(changed, ([before, left, after]) => {
        const { steps, evaluated } = plan(before, left);
        const order = evaluationOrder(after, ENTRY);
        if (misfit(evaluated, order, isInertIn(after)) !== undefined) return;
        if (evaluated.length > 0) fits++;
        const process = new Evaluator();
        for (const { path } of steps) process.evaluate(before, path);
        process.evaluate(after, ENTRY);
        expect(process.log).toEqual(coldLog(after, ENTRY));
      }),
      { numRuns: 5_000 },
    );
    // The test tests something.
    expect(fits).toBeGreaterThan(100);
  });

  it("has nothing against what was planned for the same graph", () => {
    fc.assert(
      fc.property(programAndLeft, ([program, left]) => {
        const order = evaluationOrder(program, ENTRY);
        const { evaluated } = plan(program, left);
        expect(misfit(evaluated, order, isInertIn(program))).toBeUndefined();
      }),
    );
  });

  it.each([
    ["a b", "a b c", undefined],
    ["a b", "b a c", { path: "b", why: "order" }],
    ["a b", "a c", { path: "b", why: "not evaluated any more" }],
    ["a b", "x a c", { path: "b", why: "not evaluated any more" }],
    ["a b", "a x b", { path: "x", why: "noticed" }],
    ["a b", "a inert b x", undefined],
    ["a b", "x b a", { path: "x", why: "noticed" }],
    ["", "x", undefined],
    ["a", "", { path: "a", why: "not evaluated any more" }],
  ])("of %j in %j is %j", (evaluated, order, expected) => {
    const words = (text: string): string[] => text.split(" ").filter(Boolean);
    const found = misfit(words(evaluated), words(order), (p) => p === "inert");
    expect(found).toEqual(expected);
  });
});
