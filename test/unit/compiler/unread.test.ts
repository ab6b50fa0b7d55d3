/** Listed sources that nothing leads to: not read, and nothing about them is missed. */
import { rmSync, statSync, utimesSync } from "node:fs";
import { expect, it } from "vitest";
import type { RuntimeRequest } from "../../../src/compiler/types.js";
import { built, changed, closureOf, testProject } from "./project.js";
import type { TestProject } from "./project.js";

const FILES = {
  "package.json": `{"type":"module"}`,
  "src/main.ts": `import { page } from "./page.js"; export const load = (name: string) => import(\`./\${name}.js\`); console.log(page);`,
  "src/page.ts": "export const page: number = 1;",
  "src/job.ts": `import { part } from "./part.js"; console.log(JSON.stringify(part));`,
  "src/part.ts": "export const part: number = 1;",
  "views/page.html": "<p>",
  "views/other.html": "<p>",
};

/** The page needs its template; the rest is listed, and no more. */
const LIST = {
  "views/page.html": [],
  "views/other.html": [],
  "src/page.ts": ["views/page.html"],
  "src/job.ts": ["views/other.html"],
  "src/main.ts": [],
};

const UNREAD = ["views/other.html", "src/job.ts"];

function paths(project: TestProject, names: readonly string[]): Set<string> {
  return new Set(names.map((name) => project.path(name)));
}

it("aren't read, whatever is in them, but watched from when they were looked at", async () => {
  const project = await testProject({ ...FILES, "src/job.ts": "const;" });
  const compiler = await project.compiler({ sources: LIST });
  const build = built(await compiler.build());
  expect(build.unread).toEqual(paths(project, UNREAD));
  expect([...build.sources.keys()]).toEqual(
    ["views/page.html", "src/page.ts", "src/main.ts"].map((name) =>
      project.path(name),
    ),
  );
  const { files, readAt } = compiler.watchSet();
  for (const path of build.unread) {
    expect(files).toContain(path);
    expect(readAt.get(path)).toBe(statSync(path).mtimeMs);
  }
});

it("are read when they're saved, with what they lead to, and are sources from then on", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  await compiler.build();
  project.write({ "src/job.ts": `import "./part.js"; const;` });
  expect(await compiler.build(changed(project, "src/job.ts"))).toMatchObject({
    kind: "failed",
    diagnostics: [{ file: project.path("src/job.ts") }],
  });
  project.write({ "src/job.ts": `import "./part.js"; console.log(2);` });
  const mended = await compiler.build(changed(project, "src/job.ts"));
  expect(closureOf(project, mended)).toEqual([
    "views/other.html",
    "src/part.ts",
    "src/job.ts",
  ]);
  expect(built(mended).unread).toEqual(new Set());
  project.write({ "src/part.ts": "export const part: number = 2;" });
  const next = await compiler.build(changed(project, "src/part.ts"));
  expect(closureOf(project, next)).toEqual(["src/part.ts", "src/job.ts"]);
});

it("are read when they were touched, but not for a mere look", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  await compiler.build();
  const save = changed(project, "views/other.html");
  expect(await compiler.build(save)).toMatchObject({ kind: "unchanged" });
  expect(await compiler.build()).toMatchObject({ kind: "unchanged" });
  utimesSync(project.path("views/other.html"), 1e9, 1e9);
  const kept = paths(project, ["views/other.html"]);
  const looked = await compiler.build(undefined, kept);
  expect(looked).toMatchObject({ kind: "unchanged" });
  const result = await compiler.build();
  expect(closureOf(project, result)).toEqual(["views/other.html"]);
  expect(built(result).unread).toEqual(paths(project, ["src/job.ts"]));
});

it("are read when something leads to them", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  await compiler.build();
  project.write({
    "src/page.ts": `import "./job.js"; export const page: number = 1;`,
  });
  const result = await compiler.build(changed(project, "src/page.ts"));
  expect(closureOf(project, result)).toEqual([
    "src/part.ts",
    "views/other.html",
    "src/job.ts",
    "src/page.ts",
    "src/main.ts",
  ]);
  expect(built(result).unread).toEqual(new Set());
});

it("are compiled when a process asks for them, which is no change", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  const build = built(await compiler.build());
  const from = project.path("src/main.ts");
  const asked: RuntimeRequest = { from, specifier: "./job.js", kind: "import" };
  const answer = await compiler.resolveAtRuntime(build, asked);
  if (answer.kind !== "output") throw new Error(answer.kind);
  expect(await project.run(answer.path)).toBe(1);
  expect(await compiler.build()).toMatchObject({ kind: "unchanged" });
  project.write({ "views/other.html": "<b>" });
  const result = await compiler.build(changed(project, "views/other.html"));
  expect(closureOf(project, result)).toEqual([
    // New to the build, as all that only a process has asked for.
    "src/part.ts",
    "views/other.html",
    "src/job.ts",
    "src/main.ts",
  ]);
});

it("count when they come to the list, go from it, or aren't there", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  await compiler.build();
  const kept = Object.entries(LIST).filter(([name]) => !UNREAD.includes(name));
  const shorter = Object.fromEntries(kept);
  compiler.setProject(project.resolved({ sources: shorter }));
  const without = await compiler.build({ paths: new Set() });
  expect(without).toMatchObject({ kind: "built", closure: [] });
  compiler.setProject(project.resolved({ sources: LIST }));
  const withThem = await compiler.build({ paths: new Set() });
  expect(built(withThem).unread).toEqual(paths(project, UNREAD));
  expect(withThem.kind).toBe("built");
  rmSync(project.path("src/job.ts"));
  expect(await compiler.build(changed(project, "src/job.ts"))).toMatchObject({
    kind: "failed",
    diagnostics: [{ message: expect.stringContaining("src/job.ts") as string }],
  });
});

it("are read like the others for whoever loads all that is listed", async () => {
  const project = await testProject(FILES);
  const options = { sources: LIST, loadsListed: true };
  const compiler = await project.compiler(options);
  const build = built(await compiler.build());
  expect(build.unread.size).toBe(0);
  expect(build.sources.get(project.path("src/job.ts"))?.output).toBeDefined();
});
