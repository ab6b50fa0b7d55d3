import { rmSync } from "node:fs";
import { expect, it } from "vitest";
import { built, changed, closureOf, testProject } from "./project.js";
import type { TestProject } from "./project.js";
import type { RuntimeRequest } from "../../../src/compiler/types.js";

const FILES = {
  "package.json": `{"type":"module"}`,
  "src/main.ts": `import "./loader.js"; import { shared } from "./shared.js"; console.log(shared);`,
  "src/loader.ts":
    "export const load = (name: string) => import(`./routes/${name}.js`);",
  "src/shared.ts": "export const shared: number = 1;",
  "src/routes/one.ts": `import { shared } from "../shared.js"; import { helper } from "../helper.js"; export default [shared, helper]; if (process.argv.length > 9) console.log(1);`,
  "src/helper.ts": "export const helper: number = 1;",
};

function request(project: TestProject, specifier: string): RuntimeRequest {
  return { from: project.path("src/loader.ts"), specifier, kind: "import" };
}

it("compiles what no import showed, against the asking process's own build", async () => {
  const project = await testProject({
    ...FILES,
    "src/routes/one.ts": `import { shared } from "../shared.js"; import { helper } from "../helper.js"; console.log(JSON.stringify([shared, helper]));`,
  });
  let discoveries = 0;
  const compiler = await project.compiler({
    onDiscovered: () => discoveries++,
  });
  const build = built(await compiler.build());
  expect(build.sources.has(project.path("src/routes/one.ts"))).toBe(false);
  // The build's own version counts, not what is on disk by now.
  project.write({ "src/shared.ts": "export const shared: number = 2;" });
  const asked = request(project, "./routes/one.js");
  const answer = await compiler.resolveAtRuntime(build, asked);
  if (answer.kind !== "output") throw new Error(answer.kind);
  expect(await project.run(answer.path)).toEqual([1, 1]);
  expect(discoveries).toBe(1);
  expect(compiler.watchSet().files).toContain(project.path("src/helper.ts"));
  expect(compiler.watchSet().directories).toContain(project.path("src/routes"));
  // All processes of a build get the same.
  project.write({ "src/routes/one.ts": "throw new Error('newer');" });
  expect(await compiler.resolveAtRuntime(build, asked)).toEqual(answer);
});

it("remembers the edge: a discovery is no change, a save of what was discovered is", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  const first = built(await compiler.build());
  const asked = request(project, "./routes/one.js");
  await compiler.resolveAtRuntime(first, asked);
  expect(await compiler.build()).toMatchObject({ kind: "unchanged" });
  project.write({ "src/helper.ts": "export const helper: number = 2;" });
  const result = await compiler.build(changed(project, "src/helper.ts"));
  expect(closureOf(project, result)).toEqual([
    "src/helper.ts",
    "src/routes/one.ts",
    "src/loader.ts",
    "src/main.ts",
  ]);
  const one = built(result).sources.get(project.path("src/routes/one.ts"));
  expect(await compiler.resolveAtRuntime(built(result), asked)).toEqual({
    kind: "output",
    path: one?.output,
    source: one?.path,
  });
});

it("knows the edges after a restart", async () => {
  const project = await testProject(FILES);
  const first = await project.compiler();
  const build = built(await first.build());
  await first.resolveAtRuntime(build, request(project, "./routes/one.js"));
  await first.close();
  const second = await project.compiler();
  const again = built(await second.build());
  expect([...again.sources.keys()]).toContain(
    project.path("src/routes/one.ts"),
  );
});

it("says what is wrong with a source, and reloads the importer when it is mended", async () => {
  const project = await testProject({ ...FILES, "src/helper.ts": "let = =;" });
  const compiler = await project.compiler();
  const build = built(await compiler.build());
  const asked = request(project, "./routes/one.js");
  const answer = await compiler.resolveAtRuntime(build, asked);
  expect(answer).toMatchObject({
    kind: "failed",
    diagnostics: [{ file: project.path("src/helper.ts"), line: 1 }],
  });
  project.write({ "src/helper.ts": FILES["src/helper.ts"] });
  const result = await compiler.build(changed(project, "src/helper.ts"));
  expect(closureOf(project, result)).toContain("src/loader.ts");
});

it("leaves the rest to Node, and reloads when what was missing appears", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  const build = built(await compiler.build());
  for (const specifier of [
    "node:fs",
    "fs",
    "no-such-package",
    "./routes/two.js",
  ]) {
    expect(
      await compiler.resolveAtRuntime(build, request(project, specifier)),
    ).toEqual({ kind: "node" });
  }
  expect(compiler.watchSet().directories).toContain(project.path("src/routes"));
  expect(await compiler.build()).toMatchObject({ kind: "unchanged" });
  project.write({ "src/routes/two.ts": "export default 2;" });
  const result = await compiler.build(changed(project, "src/routes/two.ts"));
  expect(closureOf(project, result)).toContain("src/loader.ts");
  rmSync(project.path("src/routes/two.ts"));
  const without = await compiler.build(changed(project, "src/routes/two.ts"));
  expect(closureOf(project, without)).toContain("src/loader.ts");
});

it("answers packages that load sources by path on the entry's behalf", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  const build = built(await compiler.build());
  const answer = await compiler.resolveAtRuntime(build, {
    from: project.path("node_modules/orm/index.js"),
    specifier: project.path("src/helper.ts"),
    kind: "require",
  });
  expect(answer.kind).toBe("output");
  project.write({ "src/helper.ts": "export const helper = 2;" });
  const result = await compiler.build(changed(project, "src/helper.ts"));
  expect(closureOf(project, result)).toEqual(["src/helper.ts", "src/main.ts"]);
});
