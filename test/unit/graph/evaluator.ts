import fc from "fast-check";
import type {
  EvaluationGraph,
  EvaluationNode,
} from "../../../src/graph/index.js";

/** A module with what its code does when it is evaluated. */
export interface Module extends EvaluationNode {
  readonly isInert: boolean;
  /** Those of `during` that are loaded while it is evaluated; the others wait until somebody calls it. */
  readonly loads: readonly string[];
  /** Those of `before` that its code calls: these load all of their `during`. */
  readonly calls: readonly string[];
}

export type Program = ReadonlyMap<string, Module>;

/** A process: what was entered, and what could be noticed so far. */
export class Evaluator {
  readonly log: string[] = [];
  readonly entered = new Set<string>();

  /** Evaluates as Node does, ES modules and CommonJS alike. Plain recursion, to check against. */
  evaluate(program: Program, path: string): void {
    if (this.entered.has(path)) return;
    this.entered.add(path);
    const module = program.get(path);
    for (const dependency of module?.before ?? []) {
      this.evaluate(program, dependency);
    }
    if (module === undefined) this.log.push(path);
    if (module === undefined || module.isInert) return;
    this.log.push(path);
    const loaded = module.calls.flatMap(
      (called) => program.get(called)?.during ?? [],
    );
    for (const other of [...module.loads, ...loaded]) {
      this.evaluate(program, other);
    }
    this.log.push(`end of ${path}`);
  }
}

/** What a cold boot of a program lets be noticed. */
export function coldLog(program: Program, entry: string): string[] {
  const evaluator = new Evaluator();
  evaluator.evaluate(program, entry);
  return evaluator.log;
}

const PACKAGES = 3;

/** A module of a program of `size`: any edges, so cycles, self edges, repeated edges and packages (`p0`, …). */
function modules(
  path: string,
  size: number,
  inertOdds: number,
): fc.Arbitrary<Module> {
  const source = fc.integer({ min: 0, max: size - 1 }).map((n) => `n${n}`);
  const installed = fc
    .integer({ min: 0, max: PACKAGES - 1 })
    .map((n) => `p${n}`);
  return fc
    .record({
      before: fc.array(
        fc.oneof(
          { weight: 4, arbitrary: source },
          { weight: 1, arbitrary: installed },
        ),
        { maxLength: 4 },
      ),
      during: fc.oneof(
        { weight: 3, arbitrary: fc.constant<string[]>([]) },
        { weight: 1, arbitrary: fc.array(source, { maxLength: 2 }) },
      ),
      isInert: fc.integer({ min: 0, max: 9 }).map((n) => n < inertOdds),
    })
    .chain(({ before, during, isInert }) =>
      fc.record({
        path: fc.constant(path),
        before: fc.constant(before),
        during: fc.constant(during),
        isInert: fc.constant(isInert),
        loads: fc.subarray<string>(during),
        calls: fc.subarray<string>(before),
      }),
    );
}

/** Random programs of modules `n0`, `n1`, …, the entry being `n0`. */
export function programs(maxSize = 10): fc.Arbitrary<Map<string, Module>> {
  return fc
    .tuple(
      fc.integer({ min: 1, max: maxSize }),
      fc.constantFrom(0, 3, 6),
      fc.boolean(),
    )
    .chain(([size, inertOdds, isLayered]) =>
      fc
        .tuple(
          ...Array.from({ length: size }, (_, index) =>
            modules(`n${index}`, size, inertOdds),
          ),
        )
        .map((list) => (isLayered ? list.map(onlyDownwards) : list)),
    )
    .map((list) => new Map(list.map((module) => [module.path, module])));
}

/** Most programs have few cycles; without any, far more can be evaluated ahead. */
function onlyDownwards(module: Module): Module {
  const own = Number(module.path.slice(1));
  const isBelow = (path: string): boolean =>
    path.startsWith("p") || Number(path.slice(1)) > own;
  return {
    ...module,
    before: module.before.filter(isBelow),
    during: module.during.filter(isBelow),
    loads: module.loads.filter(isBelow),
    calls: module.calls.filter(isBelow),
  };
}

/** A program with one module made anew. */
export function changes(
  program: Program,
  paths: readonly string[],
): fc.Arbitrary<Program> {
  return fc
    .constantFrom(...paths)
    .chain((path) => modules(path, program.size, 5))
    .map((module) => new Map(program).set(module.path, module));
}

export function isInertIn(program: Program): (path: string) => boolean {
  return (path) => program.get(path)?.isInert ?? false;
}

/** What reaches one of `meant` over `before` and `during`, these included. By plain repetition, to check against. */
export function dependentsOf(
  graph: EvaluationGraph,
  meant: Iterable<string>,
): Set<string> {
  const found = new Set(meant);
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const { path, before, during } of graph.values()) {
      if ([...before, ...during].some((other) => found.has(other))) {
        found.add(path);
      }
    }
  }
  return found;
}
