import { utimesSync } from "node:fs";
import { expect, it } from "vitest";
import { built, changed, closureOf, testProject } from "./project.js";

const FILES = {
  "package.json": `{"type":"module"}`,
  "src/main.ts": `import "./part.js"; import "./other.js";`,
  "src/part.ts": "export const part: number = 1;",
  "src/other.ts": "export const other: number = 1;",
};
const NOTHING = { paths: new Set<string>() };

it("gives a source, and what depends on it, identities that this process never had", async () => {
  const project = await testProject(FILES);
  const [one, other] = [await project.compiler(), await project.compiler()];
  const part = project.path("src/part.ts");
  const seen = new Set<string | undefined>();
  for (const compiler of [one, other, one, other]) {
    built(await compiler.build());
    compiler.renew([part]);
    const result = await compiler.build(NOTHING);
    expect(closureOf(project, result)).toEqual(["src/part.ts", "src/main.ts"]);
    seen.add(built(result).sources.get(part)?.output);
    expect(await compiler.build()).toMatchObject({ kind: "unchanged" });
  }
  expect(seen.size).toBe(4);
  // Until the content is another.
  project.write({ "src/part.ts": "export const part: number = 2;" });
  const again = await one.build(changed(project, "src/part.ts"));
  const fresh = await other.build(changed(project, "src/part.ts"));
  expect(built(again).sources.get(part)).toEqual(
    built(fresh).sources.get(part),
  );
});

it("takes no touch from a file that was written again, only a change", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  built(await compiler.build());
  const part = project.path("src/part.ts");
  const writeAgain = (): void => {
    const now = new Date(Date.now() + 5_000);
    utimesSync(part, now, now);
  };
  writeAgain();
  compiler.retime([part, project.path("src/none.ts")]);
  expect(await compiler.build()).toMatchObject({ kind: "unchanged" });
  project.write({ "src/part.ts": "export const part: number = 2;" });
  compiler.retime([part]);
  const result = await compiler.build(changed(project, "src/part.ts"));
  expect(closureOf(project, result)).toEqual(["src/part.ts", "src/main.ts"]);
  writeAgain();
  expect((await compiler.build()).kind).toBe("built");
});

it("says at once what a specifier means, if the build has it", async () => {
  const project = await testProject({
    ...FILES,
    "src/unlisted.ts": "export {};",
  });
  const compiler = await project.compiler();
  const build = built(await compiler.build());
  const ask = (specifier: string): ReturnType<typeof compiler.resolveAtOnce> =>
    compiler.resolveAtOnce(build, {
      from: project.path("src/part.ts"),
      specifier,
      kind: "import",
    });
  expect(ask("node:fs")).toEqual({ kind: "node" });
  expect(ask("./other.js")).toEqual({
    kind: "output",
    path: build.sources.get(project.path("src/other.ts"))?.output,
    source: project.path("src/other.ts"),
  });
  const unknown = ask("./unlisted.js");
  expect(unknown).toMatchObject({ kind: "failed" });
  expect(JSON.stringify(unknown)).toContain("src/unlisted.ts isn't known");
  // The edge is remembered, and is no change.
  expect(await compiler.build()).toMatchObject({ kind: "unchanged" });
  project.write({ "src/other.ts": "export const other: number = 2;" });
  const result = await compiler.build(changed(project, "src/other.ts"));
  expect(closureOf(project, result)).toContain("src/part.ts");
});
