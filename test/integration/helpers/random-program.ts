/**
 * Random programs for the question whether anything about a program lets it notice that a part of it was
 * evaluated ahead. Only what they are; `program-text.ts` writes them as files.
 */
import fc from "fast-check";

/** What a module can leave for later while it is evaluated. */
export const LEFTOVERS = [
  "then",
  "tick",
  "microtask",
  "immediate",
  "timeout",
] as const;
export type Leftover = (typeof LEFTOVERS)[number];

/** How a module is written; it's part of its file's name. */
export type Format =
  /** An ES module. */
  | "esm"
  /** CommonJS made of import syntax. */
  | "transpiled"
  /** CommonJS by hand, with code between requires. */
  | "handwritten";

/** A `require` of CommonJS code. */
interface Load {
  /** Index of the module. */
  readonly target: number;
  readonly how: "literal" | "computed" | "when it is called";
}

/** A module without its place in the program. */
export interface Module {
  /** It has nothing but imports and declarations: what is below is not written then. */
  readonly isInert: boolean;
  /** Imports, or requires at the start: indices of modules, names of packages. */
  readonly before: readonly (number | string)[];
  /** Indices of modules in `before` whose exported function it calls. */
  readonly calls: readonly number[];
  /** Hand-written CommonJS only. */
  readonly loads: readonly Load[];
  readonly leaves: readonly Leftover[];
  /** ES modules only: `await` at the top. */
  readonly waits: "no" | "for a microtask" | "for an immediate";
}

/** A program: module 0 is where it begins. */
export interface RandomProgram {
  readonly formats: readonly Format[];
  readonly modules: readonly Module[];
}

/** A save: a module written anew. */
export interface Save {
  readonly index: number;
  readonly module: Module;
  /** Most saves leave the imports as they are. */
  readonly keepsImports: boolean;
}

/** What kinds of programs there are to be. */
export interface ProgramKind {
  readonly formats: readonly Format[];
  /** Whether modules may have a top-level await. */
  readonly isAsync: boolean;
  /** What modules may leave for later. */
  readonly leftovers: readonly Leftover[];
  /** The packages that they may import. */
  readonly packages: readonly string[];
}

const MOST_MODULES = 9;

/** A program, and saves of it. */
export function programsAndSaves(
  kind: ProgramKind,
  saves: number,
): fc.Arbitrary<{ program: RandomProgram; saves: Save[] }> {
  const shape = fc.record({
    size: fc.integer({ min: 3, max: MOST_MODULES }),
    // Few programs have cycles; without any, far more can be evaluated ahead. In Node, an ES module and CommonJS
    // code can't be in one cycle.
    isLayered: fc
      .integer({ min: 0, max: 3 })
      .map((n) => n > 0 || kind.formats.length > 1),
    inertOdds: fc.constantFrom(0, 3, 6),
  });
  return shape.chain(({ size, isLayered, inertOdds }) => {
    const one = (index: number): fc.Arbitrary<Module> =>
      modules(size, isLayered ? index + 1 : 0, inertOdds, kind);
    const save = (index: number): fc.Arbitrary<Save> =>
      fc.record({
        index: fc.constant(index),
        module: one(index),
        keepsImports: fc.integer({ min: 0, max: 2 }).map((n) => n > 0),
      });
    const any = fc.integer({ min: 0, max: size - 1 });
    return fc.record({
      program: fc.record({
        formats: fc.array(fc.constantFrom(...kind.formats), {
          minLength: size,
          maxLength: size,
        }),
        modules: fc
          .tuple(...Array.from({ length: size }, (_, i) => one(i)))
          .chain((list) => parents(size).map((by) => connected(list, by))),
      }),
      // Somebody who works on something: what was saved last is likely to be saved next.
      saves: fc
        .uniqueArray(any, { minLength: 1, maxLength: 2 })
        .chain((indices) =>
          fc.array(fc.constantFrom(...indices).chain(save), {
            minLength: saves,
            maxLength: saves,
          }),
        ),
    });
  });
}

/** A program after a save. */
export function saved(
  { formats, modules: before }: RandomProgram,
  { index, module, keepsImports }: Save,
): RandomProgram {
  const modules = [...before];
  const imports = (keepsImports ? before[index] : module) ?? module;
  const { calls } = imports;
  modules[index] = { ...module, before: imports.before, calls };
  return { formats, modules };
}

/** For each module but the first, one that comes before it. */
function parents(size: number): fc.Arbitrary<number[]> {
  const one = (_: unknown, index: number): fc.Arbitrary<number> =>
    fc.integer({ min: 0, max: index });
  return fc.tuple(...Array.from({ length: size - 1 }, one));
}

/** The modules, each imported by the one meant. */
function connected(
  list: readonly Module[],
  importers: readonly number[],
): Module[] {
  return list.map((module, index) => {
    const imported = importers.flatMap((by, at) =>
      by === index ? at + 1 : [],
    );
    const before = [...new Set([...module.before, ...imported])];
    return { ...module, before };
  });
}

/** Indices of the modules that are sources of the project for sure: a save of another one changes nothing. */
export function sourcesOf({ formats, modules }: RandomProgram): Set<number> {
  const evaluated = new Set([0]);
  for (const index of evaluated) {
    const module = modules[index];
    for (const each of module?.before ?? [])
      if (typeof each === "number") evaluated.add(each);
    if (module?.isInert !== false || formats[index] !== "handwritten") continue;
    for (const { target, how } of module.loads)
      if (how !== "when it is called") evaluated.add(target);
  }
  return evaluated;
}

/** A module that imports only those from `least` on. */
function modules(
  size: number,
  least: number,
  inertOdds: number,
  { isAsync, leftovers, packages }: ProgramKind,
): fc.Arbitrary<Module> {
  const odds = (of10: number): fc.Arbitrary<boolean> =>
    fc.integer({ min: 0, max: 9 }).map((n) => n < of10);
  const other = fc.integer({ min: Math.min(least, size - 1), max: size - 1 });
  const target = least < size ? [other] : [];
  const imported = fc.oneof(
    fc.constantFrom(...packages),
    ...target.map((arbitrary) => ({ weight: 5, arbitrary })),
  );
  const load = fc.record({
    target: other,
    how: fc.constantFrom<Load["how"]>(
      "literal",
      "computed",
      "when it is called",
    ),
  });
  return fc
    .record({
      isInert: odds(inertOdds),
      before: fc.uniqueArray(imported, { minLength: 1, maxLength: 4 }),
      loads:
        target.length > 0 ? fc.array(load, { maxLength: 2 }) : fc.constant([]),
      leaves: fc.subarray([...leftovers]),
      waits: isAsync
        ? fc.constantFrom<Module["waits"]>(
            ...(["no", "no", "no", "no"] as const),
            ...(["for a microtask", "for an immediate"] as const),
          )
        : fc.constant<Module["waits"]>("no"),
      called: fc.array(odds(5), { minLength: 4, maxLength: 4 }),
    })
    .map(({ called, ...module }) => ({
      ...module,
      calls: module.before.filter(
        (each, at): each is number =>
          typeof each === "number" && called[at] === true,
      ),
    }));
}
