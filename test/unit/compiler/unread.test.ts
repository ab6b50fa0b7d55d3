/** Listed sources that aren't code and that nothing leads to: not read, and nothing about them is missed. */
import { rmSync, statSync, utimesSync } from "node:fs";
import { expect, it } from "vitest";
import { built, changed, closureOf, testProject } from "./project.js";
import type { TestProject } from "./project.js";

const FILES = {
  "package.json": `{"type":"module"}`,
  "src/main.ts": `import { page } from "./page.js"; console.log(page);`,
  "src/page.ts": "export const page: number = 1;",
  "src/job.ts": "console.log(1);",
  "views/page.html": "<p>",
  "views/mail.html": "<p>",
  "views/letter.html": "<p>",
};

const LIST = {
  "views/page.html": [],
  "views/letter.html": ["views/mail.html"],
  "views/mail.html": [],
  "src/page.ts": ["views/page.html"],
  "src/job.ts": [],
  "src/main.ts": [],
};

const UNREAD = ["views/letter.html", "views/mail.html"];

function paths(project: TestProject, names: readonly string[]): Set<string> {
  return new Set(names.map((name) => project.path(name)));
}

it("aren't read, but watched from when they were looked at", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  const build = built(await compiler.build());
  expect(build.unread).toEqual(paths(project, UNREAD));
  expect([...build.sources.keys()]).toEqual(
    ["views/page.html", "src/page.ts", "src/main.ts", "src/job.ts"].map(
      (name) => project.path(name),
    ),
  );
  const { files, readAt } = compiler.watchSet();
  for (const path of build.unread) {
    expect(files).toContain(path);
    expect(readAt.get(path)).toBe(statSync(path).mtimeMs);
  }
});

it("are read when they're saved, and are sources from then on", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  await compiler.build();
  const name = "views/letter.html";
  project.write({ [name]: "<b>" });
  const first = await compiler.build(changed(project, name));
  // With what it needs.
  expect(closureOf(project, first)).toEqual(["views/mail.html", name]);
  expect(built(first).unread).toEqual(new Set());
  project.write({ "views/mail.html": "<b>" });
  const next = await compiler.build(changed(project, "views/mail.html"));
  expect(closureOf(project, next)).toEqual(["views/mail.html", name]);
});

it("are read when they were touched, but not for a mere look", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  await compiler.build();
  const name = "views/mail.html";
  const save = changed(project, name);
  expect(await compiler.build(save)).toMatchObject({ kind: "unchanged" });
  expect(await compiler.build()).toMatchObject({ kind: "unchanged" });
  utimesSync(project.path(name), 1e9, 1e9);
  const kept = paths(project, [name]);
  const looked = await compiler.build(undefined, kept);
  expect(looked).toMatchObject({ kind: "unchanged" });
  const result = await compiler.build();
  expect(closureOf(project, result)).toEqual([name]);
  expect(built(result).unread).toEqual(paths(project, ["views/letter.html"]));
});

it("take the time of what a step wrote again for granted", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  await compiler.build();
  const name = "views/mail.html";
  utimesSync(project.path(name), 1e9, 1e9);
  compiler.retime([project.path(name)]);
  const save = changed(project, name);
  expect(await compiler.build(save)).toMatchObject({ kind: "unchanged" });
});

it("are read when code comes to need them", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  await compiler.build();
  const sources = { ...LIST, "src/job.ts": ["views/letter.html"] };
  compiler.setProject(project.resolved({ sources }));
  const result = await compiler.build({ paths: new Set() });
  expect(closureOf(project, result)).toEqual([
    "views/mail.html",
    "views/letter.html",
    "src/job.ts",
  ]);
  expect(built(result).unread).toEqual(new Set());
});

it("count when they come to the list, go from it, or aren't there", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST });
  await compiler.build();
  const kept = Object.entries(LIST).filter(([name]) => !UNREAD.includes(name));
  const sources = Object.fromEntries(kept);
  compiler.setProject(project.resolved({ sources }));
  const without = await compiler.build({ paths: new Set() });
  expect(without).toMatchObject({ kind: "built", closure: [] });
  compiler.setProject(project.resolved({ sources: LIST }));
  const withThem = await compiler.build({ paths: new Set() });
  expect(withThem).toMatchObject({ kind: "built", closure: [] });
  expect(built(withThem).unread).toEqual(paths(project, UNREAD));
  rmSync(project.path("views/mail.html"));
  expect(await compiler.build(changed(project, "views/mail.html"))).toEqual(
    expect.objectContaining({
      kind: "failed",
      diagnostics: [
        expect.objectContaining({
          message: expect.stringContaining("views/mail.html") as string,
        }),
      ],
    }),
  );
});

it("are read like the others for whoever wants all", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler({ sources: LIST, readsAll: true });
  const build = built(await compiler.build());
  expect(build.unread.size).toBe(0);
  expect(build.sources.has(project.path("views/mail.html"))).toBe(true);
});
