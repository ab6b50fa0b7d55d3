import { rmSync } from "node:fs";
import { expect, it } from "vitest";
import type { Diagnostic } from "../../../src/diagnostic.js";
import type { BuildResult } from "../../../src/compiler/types.js";
import { built, changed, testProject } from "./project.js";

const FILES = {
  "package.json": `{"type":"module"}`,
  "src/main.ts": `import { users } from "./users.js";\nconsole.log(users);\n`,
  "src/users.ts": `export const users: number = 1;\n`,
};

function failures(result: BuildResult): readonly Diagnostic[] {
  if (result.kind !== "failed") throw new Error(`The build is ${result.kind}.`);
  return result.diagnostics;
}

it("shows syntax errors with line, column and frame, in characters", async () => {
  const project = await testProject({
    ...FILES,
    "src/users.ts": `export const a = 1;\nconst "ü" ö = ;\n`,
  });
  const compiler = await project.compiler();
  const [first] = failures(await compiler.build());
  expect(first).toMatchObject({
    file: project.path("src/users.ts"),
    line: 2,
    column: 7,
  });
  expect(first?.frame).toContain(`> 2 | const "ü" ö = ;\n    |       ^`);
});

it("keeps its state, so that mending one of two faults leaves the other", async () => {
  const project = await testProject({
    ...FILES,
    "src/main.ts": `import "./users.js"; import "./other.js"; console.log(1);`,
    "src/other.ts": "export {};",
  });
  const compiler = await project.compiler();
  const first = built(await compiler.build());
  project.write({ "src/users.ts": "let = =;", "src/other.ts": "let = =;;" });
  const names = ["src/users.ts", "src/other.ts"];
  const both = failures(await compiler.build(changed(project, ...names)));
  expect(both).toHaveLength(2);
  project.write({ "src/users.ts": "export const mended = 1;" });
  const one = failures(await compiler.build(changed(project, "src/users.ts")));
  expect(one.map(({ file }) => file)).toEqual([project.path("src/other.ts")]);
  expect(compiler.watchSet().files).toContain(project.path("src/users.ts"));
  project.write({ "src/other.ts": "export {};" });
  const mended = await compiler.build(changed(project, "src/other.ts"));
  expect(built(mended).output).not.toBe(first.output);
});

it("keeps watching all it knew while the entry is broken", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  await compiler.build();
  project.write({ "src/main.ts": "import {" });
  failures(await compiler.build(changed(project, "src/main.ts")));
  expect(compiler.watchSet().files).toContain(project.path("src/users.ts"));
});

it.each([
  [
    "./userz",
    "Cannot find ./userz imported from src/main.ts. Nearest: ./users.ts.",
    2,
    23,
  ],
  ["#gone", "Cannot find #gone imported from src/main.ts", 2, 23],
  [
    "left-padd",
    "Cannot find package left-padd imported from src/main.ts. Is it installed? (npm install left-padd)",
    2,
    23,
  ],
  ["@scope/x/y", "(npm install @scope/x)", 2, 23],
  ["dep/hidden", "Cannot find dep/hidden imported from src/main.ts", 2, 23],
  ["./page.html", "src/page.html can't be imported (from src/main.ts)", 2, 23],
])(
  "points at the unresolvable %s",
  async (specifier, message, line, column) => {
    const project = await testProject({
      ...FILES,
      "node_modules/dep/package.json": `{"name":"dep","exports":{".":"./index.js"}}`,
      "src/page.html": "",
      "src/main.ts": `// from "${specifier}"\nimport { users } from "${specifier}";\nconsole.log(users);\n`,
    });
    const compiler = await project.compiler();
    const [first, ...rest] = failures(await compiler.build());
    expect(rest).toEqual([]);
    expect(first?.message).toContain(message);
    expect(first).toMatchObject({
      file: project.path("src/main.ts"),
      line,
      column,
    });
  },
);

it("points at a relative import of CommonJS TypeScript, but not at what require may do without", async () => {
  const project = await testProject({
    ...FILES,
    "package.json": "{}",
    "src/main.ts": `import { users } from "./gone";\nlet x; try { x = require("./optional"); } catch {}\nimport alias from "@alias/x";\nconsole.log(users, x, alias);`,
  });
  const compiler = await project.compiler();
  const problems = failures(await compiler.build());
  expect(problems.map(({ line, column }) => [line, column])).toEqual([[1, 23]]);
});

it("reports a source that is removed at its import, and is mended by its return", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  await compiler.build();
  rmSync(project.path("src/users.ts"));
  const [problem] = failures(
    await compiler.build(changed(project, "src/users.ts")),
  );
  expect(problem).toMatchObject({ file: project.path("src/main.ts"), line: 1 });
  expect(compiler.watchSet().directories).toContain(project.path("src"));
  project.write({ "src/users.ts": "export const users = 2;" });
  const mended = await compiler.build(changed(project, "src/users.ts"));
  expect(await project.run(built(mended).output)).toBe(2);
});

it("reports an entry and listed sources that don't exist, and finds them later", async () => {
  const project = await testProject({ "package.json": `{"type":"module"}` });
  const compiler = await project.compiler({ sources: { "src/a.sql": [] } });
  const messages = failures(await compiler.build()).map((item) => item.message);
  expect(messages).toEqual([
    "The entry src/main.ts doesn't exist.",
    "src/a.sql is listed as a source, but doesn't exist. Create it, or take it off the list.",
  ]);
  project.write({ "src/main.ts": "console.log(1)", "src/a.sql": "" });
  const names = ["src/main.ts", "src/a.sql"];
  built(await compiler.build(changed(project, ...names)));
});

it("reports JSON and tsconfig faults", async () => {
  const project = await testProject({
    ...FILES,
    "tsconfig.json": `{"extends":"./gone.json"}`,
    "src/users.ts": `import data from "./data.json"; export const users = data;`,
    "src/data.json": `{\n  "a": 1,\n}`,
  });
  const compiler = await project.compiler();
  const problems = failures(await compiler.build());
  expect(problems.map(({ file }) => file)).toEqual([
    project.path("tsconfig.json"),
    project.path("src/data.json"),
  ]);
  expect(problems[1]).toMatchObject({ line: 3, column: 1 });
  project.write({ "gone.json": "{}", "src/data.json": "{}" });
  const names = ["gone.json", "src/data.json"];
  built(await compiler.build(changed(project, ...names)));
});

it("stops at 20 diagnostics", async () => {
  const names = Array.from({ length: 30 }, (_, index) => `m${index}`);
  const project = await testProject({
    ...FILES,
    ...Object.fromEntries(names.map((name) => [`src/${name}.ts`, "let = =;"])),
    "src/main.ts": names.map((name) => `import "./${name}.js";`).join("\n"),
  });
  const compiler = await project.compiler();
  const problems = failures(await compiler.build());
  expect(problems).toHaveLength(21);
  expect(problems.at(-1)?.message).toBe("… and 10 more errors.");
});
