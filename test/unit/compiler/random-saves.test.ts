import fc from "fast-check";
import { expect, it } from "vitest";
import { changed, testProject } from "./project.js";

const NAMES = ["main", "a", "b", "c", "d", "e"];
/** Never saved: most of a project. */
const OTHERS = Array.from({ length: 30 }, (_, index) => `other${index}`);

/** One save: which sources, what they import then, and whether their code is right. */
interface Save {
  readonly names: readonly string[];
  /** `undefined`: the same as before. */
  readonly imports: readonly string[] | undefined;
  readonly isRight: boolean;
}

const name = fc.constantFrom(...NAMES);

const save: fc.Arbitrary<Save> = fc.record({
  names: fc.uniqueArray(name, { minLength: 1, maxLength: 2 }),
  imports: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.uniqueArray(name, { maxLength: 3 }) },
  ),
  isRight: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
});

it("gives the builds that a compiler without a past gives, whatever was saved", async () => {
  const imports = new Map<string, readonly string[]>([
    ["main", ["a", "b", "c"]],
    ["a", ["d"]],
    ["b", ["d", "e"]],
  ]);
  let count = 0;
  const text = (source: string, isRight: boolean): string =>
    [...(imports.get(source) ?? []), ...(source === "main" ? OTHERS : [])]
      .map((other) => `import "./${other}.js";\n`)
      .join("") +
    `export const v = ${count++};\n${isRight ? "" : "this is wrong"}`;
  const project = await testProject({
    "package.json": `{"type":"module"}`,
    ...Object.fromEntries(
      [...NAMES, ...OTHERS].map((source) => [
        `src/${source}.ts`,
        text(source, true),
      ]),
    ),
  });
  const compiler = await project.compiler();
  const saves: (Save | undefined)[] = fc.sample(save, 40);
  for (const next of [undefined, ...saves]) {
    const files = (next?.names ?? []).map((source) => `src/${source}.ts`);
    for (const source of next?.names ?? []) {
      imports.set(source, next?.imports ?? imports.get(source) ?? []);
      project.write({
        [`src/${source}.ts`]: text(source, next?.isRight ?? true),
      });
    }
    const result = await compiler.build(
      next === undefined ? undefined : changed(project, ...files),
    );
    const other = await project.compiler();
    const expected = await other.build();
    await other.close();
    if (result.kind === "failed" || expected.kind === "failed") {
      const diagnostics =
        "diagnostics" in expected ? expected.diagnostics : "none";
      expect(result).toMatchObject({ kind: "failed", diagnostics });
      continue;
    }
    const { build } = result;
    // In load order, too.
    expect({ ...build, sources: [...build.sources] }).toEqual({
      ...expected.build,
      sources: [...expected.build.sources],
    });
    expect(compiler.watchSet()).toEqual(other.watchSet());
  }
});
