import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { built, changed, closureOf, testProject } from "./project.js";
import type { TestProject } from "./project.js";

const FILES = {
  "package.json": `{"type":"module"}`,
  "src/main.ts": `import { a } from "./a.js"; import { b } from "./b.js"; console.log(JSON.stringify([a, b]));`,
  "src/a.ts": `import { leaf } from "./leaf.js"; export const a: string = "a" + leaf;`,
  "src/b.ts": `export const b: string = "b";`,
  "src/leaf.ts": `export const leaf: number = 1;`,
};

function touch(project: TestProject, name: string, second: number): void {
  const time = new Date(Date.UTC(2030, 0, 1, 0, 0, second));
  utimesSync(project.path(name), time, time);
}

describe("a build", () => {
  it("has all sources in load order, and all of them as the first closure", async () => {
    const project = await testProject(FILES);
    const compiler = await project.compiler();
    const result = await compiler.build();
    expect(closureOf(project, result)).toEqual([
      "src/leaf.ts",
      "src/a.ts",
      "src/b.ts",
      "src/main.ts",
    ]);
    expect([...built(result).sources.keys()]).toEqual(
      ["src/leaf.ts", "src/a.ts", "src/b.ts", "src/main.ts"].map((name) =>
        project.path(name),
      ),
    );
    expect(await project.run(built(result).output)).toEqual(["a1", "b"]);
  });

  it("changes exactly the closure of a save", async () => {
    const project = await testProject(FILES);
    const compiler = await project.compiler();
    const first = built(await compiler.build());
    project.write({ "src/leaf.ts": "export const leaf: number = 2;" });
    compiler.prepare(project.path("src/leaf.ts"));
    const result = await compiler.build(changed(project, "src/leaf.ts"));
    expect(closureOf(project, result)).toEqual([
      "src/leaf.ts",
      "src/a.ts",
      "src/main.ts",
    ]);
    const b = project.path("src/b.ts");
    expect(built(result).sources.get(b)).toEqual(first.sources.get(b));
    expect(await project.run(built(result).output)).toEqual(["a2", "b"]);
    // The old generation still runs what it ran.
    expect(await project.run(first.output)).toEqual(["a1", "b"]);
  });

  it("is unchanged when nothing was written, and when the old content is back", async () => {
    const project = await testProject(FILES);
    const compiler = await project.compiler();
    const first = built(await compiler.build());
    const same = await compiler.build(changed(project, "src/b.ts"));
    expect(same).toMatchObject({ kind: "unchanged" });
    expect(built(same)).toBe(first);
    expect(await compiler.build()).toMatchObject({ kind: "unchanged" });
    project.write({ "src/b.ts": "export const b = ;" });
    const broken = await compiler.build(changed(project, "src/b.ts"));
    expect(broken.kind).toBe("failed");
    project.write({ "src/b.ts": FILES["src/b.ts"] });
    const mended = await compiler.build(changed(project, "src/b.ts"));
    expect(mended.kind).toBe("unchanged");
  });

  it("counts each touch as a change, until the content changes", async () => {
    const project = await testProject(FILES);
    const compiler = await project.compiler();
    const path = project.path("src/b.ts");
    const seen = [built(await compiler.build()).sources.get(path)?.identity];
    for (const second of [1, 2]) {
      touch(project, "src/b.ts", second);
      const result = await compiler.build(changed(project, "src/b.ts"));
      expect(closureOf(project, result)).toEqual(["src/b.ts", "src/main.ts"]);
      seen.push(built(result).sources.get(path)?.identity);
    }
    expect(new Set(seen).size).toBe(3);
  });

  it("follows imports that come and go", async () => {
    const project = await testProject(FILES);
    const compiler = await project.compiler();
    await compiler.build();
    project.write({
      "src/b.ts": `export { c as b } from "./new/c.js";`,
      "src/new/c.ts": `export const c = "c";`,
    });
    const names = ["src/b.ts", "src/new/c.ts"];
    const grown = await compiler.build(changed(project, ...names));
    expect(await project.run(built(grown).output)).toEqual(["a1", "c"]);
    expect(compiler.watchSet().directories).toContain(project.path("src/new"));
    project.write({ "src/b.ts": FILES["src/b.ts"] });
    const shrunk = await compiler.build(changed(project, "src/b.ts"));
    expect(closureOf(project, shrunk)).toEqual(["src/b.ts", "src/main.ts"]);
    expect(compiler.watchSet().files).not.toContain(
      project.path("src/new/c.ts"),
    );
  });

  it("sees that another file now is what a specifier means", async () => {
    const project = await testProject({
      ...FILES,
      "src/b.ts": `export { b } from "./impl.js";`,
      "src/impl.js": `export const b = "js";`,
    });
    const compiler = await project.compiler();
    await compiler.build();
    project.write({ "src/impl.ts": `export const b: string = "ts";` });
    const result = await compiler.build(changed(project, "src/impl.ts"));
    expect(closureOf(project, result)).toEqual([
      "src/impl.ts",
      "src/b.ts",
      "src/main.ts",
    ]);
    rmSync(project.path("src/impl.ts"));
    const back = await compiler.build(changed(project, "src/impl.ts"));
    expect(await project.run(built(back).output)).toEqual(["a1", "js"]);
  });

  it("survives saving by renaming, and a rename with its importers", async () => {
    const project = await testProject(FILES);
    const compiler = await project.compiler();
    await compiler.build();
    project.write({ "src/b.ts~": `export const b = "renamed";` });
    renameSync(project.path("src/b.ts~"), project.path("src/b.ts"));
    const saved = await compiler.build(
      changed(project, "src/b.ts", "src/b.ts~"),
    );
    expect(await project.run(built(saved).output)).toEqual(["a1", "renamed"]);
    renameSync(project.path("src/b.ts"), project.path("src/c.ts"));
    project.write({
      "src/main.ts": FILES["src/main.ts"].replace("./b.js", "./c.js"),
    });
    const names = ["src/b.ts", "src/c.ts", "src/main.ts"];
    const moved = await compiler.build(changed(project, ...names));
    expect(await project.run(built(moved).output)).toEqual(["a1", "renamed"]);
  });
});

describe("configuration", () => {
  it("changes what really differs", async () => {
    const project = await testProject({
      ...FILES,
      "tsconfig.json": `{"extends":"./base.json"}`,
      "base.json": `{"compilerOptions":{"noEmit":true}}`,
    });
    const compiler = await project.compiler();
    await compiler.build();
    project.write({ "base.json": `{"compilerOptions":{"noEmit":false}}` });
    const same = await compiler.build(changed(project, "base.json"));
    expect(same.kind).toBe("unchanged");
    project.write({
      "base.json": `{"compilerOptions":{"useDefineForClassFields":false}}`,
    });
    const other = await compiler.build(changed(project, "base.json"));
    expect(closureOf(project, other)).toHaveLength(4);
  });

  it("reloads the entry when packages were installed", async () => {
    const project = await testProject(FILES);
    const compiler = await project.compiler();
    await compiler.build();
    project.write({ "package-lock.json": "{}" });
    const result = await compiler.build(changed(project, "package-lock.json"));
    expect(closureOf(project, result)).toEqual(["src/main.ts"]);
  });

  it("follows package.json from CommonJS to ES modules", async () => {
    const project = await testProject({ ...FILES, "package.json": "{}" });
    const compiler = await project.compiler();
    const before = built(await compiler.build());
    expect(before.output).toMatch(/\.cjs$/);
    expect(await project.run(before.output)).toEqual(["a1", "b"]);
    project.write({ "package.json": `{"type":"module"}` });
    const after = built(await compiler.build(changed(project, "package.json")));
    expect(after.output).toMatch(/\.mjs$/);
    expect(await project.run(after.output)).toEqual(["a1", "b"]);
  });
});

describe("listed sources", () => {
  it("reload what needs them, code or not", async () => {
    const project = await testProject({
      ...FILES,
      "views/page.html": "<p>",
      "src/job.ts": "export {};",
    });
    const compiler = await project.compiler({
      sources: {
        "src/main.ts": [],
        "src/b.ts": ["views/page.html"],
        "views/page.html": [],
        "src/job.ts": [],
      },
    });
    const build = built(await compiler.build());
    const page = build.sources.get(project.path("views/page.html"));
    expect(page).toMatchObject({ output: undefined });
    expect(build.sources.get(project.path("src/job.ts"))?.output).toBeDefined();
    project.write({ "views/page.html": "<b>" });
    const result = await compiler.build(changed(project, "views/page.html"));
    expect(closureOf(project, result)).toEqual([
      "views/page.html",
      "src/b.ts",
      "src/main.ts",
    ]);
  });

  it("are taken from the project as it is redefined", async () => {
    const project = await testProject({ ...FILES, "a.sql": "select 1" });
    const compiler = await project.compiler();
    await compiler.build();
    compiler.setProject(
      project.resolved({ sources: { "src/b.ts": ["a.sql"], "a.sql": [] } }),
    );
    const result = await compiler.build();
    expect(closureOf(project, result)).toEqual([
      "a.sql",
      "src/b.ts",
      "src/main.ts",
    ]);
  });
});

describe("the watch set", () => {
  it("has sources, tsconfigs, package.json and lock files", async () => {
    const project = await testProject({
      ...FILES,
      "tsconfig.json": `{"extends":"./base.json"}`,
      "base.json": "{}",
    });
    const compiler = await project.compiler();
    await compiler.build();
    const { files, directories } = compiler.watchSet();
    for (const name of [
      "src/leaf.ts",
      "tsconfig.json",
      "base.json",
      "package.json",
      "package-lock.json",
      "node_modules/.package-lock.json",
    ]) {
      expect(files).toContain(project.path(name));
    }
    expect([...directories].sort()).toEqual([
      project.root,
      project.path("src"),
    ]);
  });

  it("is the same after a save that leaves all imports as they were", async () => {
    const project = await testProject(FILES);
    const compiler = await project.compiler();
    await compiler.build();
    const before = compiler.watchSet();
    project.write({ "src/leaf.ts": "export const leaf: number = 2;" });
    built(await compiler.build(changed(project, "src/leaf.ts")));
    const after = compiler.watchSet();
    // Nobody has to compare them, file by file, after each save.
    expect(after.files).toBe(before.files);
    expect(after.directories).toBe(before.directories);
    project.write({ "src/leaf.ts": 'import "./b.js"; export const leaf = 3;' });
    built(await compiler.build(changed(project, "src/leaf.ts")));
    expect(compiler.watchSet().files).not.toBe(before.files);
  });

  it("has the directory where a missing import would appear", async () => {
    const project = await testProject({
      ...FILES,
      "src/b.ts": `export const b = await import("../lib/deep/x.js").catch(() => 1);`,
    });
    mkdirSync(project.path("lib"));
    const compiler = await project.compiler();
    built(await compiler.build());
    expect(compiler.watchSet().directories).toContain(project.path("lib"));
    project.write({ "lib/deep/x.ts": "export default 1;" });
    const result = await compiler.build(changed(project, "lib/deep"));
    expect(closureOf(project, result)).toEqual([
      "lib/deep/x.ts",
      "src/b.ts",
      "src/main.ts",
    ]);
  });
});

it("compiles a chain of 300, and its leaf alone afterwards", async () => {
  const size = 300;
  const files = Object.fromEntries(
    Array.from({ length: size }, (_, index) => [
      `src/m${index}.ts`,
      index + 1 < size
        ? `export { v } from "./m${index + 1}.js";`
        : "export const v = 1;",
    ]),
  );
  const project = await testProject({
    "package.json": `{"type":"module"}`,
    ...files,
    "src/main.ts": `import { v } from "./m0.js"; import "./leaf.js"; console.log(v);`,
    "src/leaf.ts": "export {};",
  });
  const compiler = await project.compiler();
  built(await compiler.build());
  const count = (): number =>
    readdirSync(join(project.root, "node_modules/.cache/prefork-dev"), {
      recursive: true,
    }).length;
  const before = count();
  project.write({ "src/leaf.ts": "export const changed = 1;" });
  const result = await compiler.build(changed(project, "src/leaf.ts"));
  expect(closureOf(project, result)).toEqual(["src/leaf.ts", "src/main.ts"]);
  // Two outputs and one record.
  expect(count() - before).toBe(3);
  expect(await project.run(built(result).output)).toBe(1);
});
