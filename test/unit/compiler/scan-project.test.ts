import { readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { scanProject } from "../../../src/compiler/scan-project.js";
import type { ScannedProject } from "../../../src/compiler/scanned.js";
import { built, testProject } from "./project.js";
import type { TestProject } from "./project.js";

afterEach(() => {
  vi.useRealTimers();
});

const APP = {
  "package.json": '{ "type": "module" }',
  "src/main.ts":
    'import { type T } from "./types.js";\nimport "./a.js"; import "node:fs"; void import("./late.js");\nexport type U = T;',
  "src/a.ts": 'export * from "./b.js";',
  "src/b.ts": "export const b = 1;",
  "src/late.ts": "export {};",
  "src/types.ts": "export type T = 1;",
  "query.sql": "select 1;",
};

/** Lets files that were written just now count as settled. */
function later(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
}

async function scan(
  project: TestProject,
  listed: readonly string[] = [],
): Promise<ScannedProject> {
  return await scanProject({
    root: project.root,
    entry: project.path("src/main.ts"),
    listed: listed.map((name) => project.path(name)),
  });
}

function edgesOf(project: TestProject, { sources }: ScannedProject): string[] {
  const name = (path: string): string => path.slice(project.root.length + 1);
  return [...sources.values()]
    .flatMap(({ path, imports }) =>
      imports.map(
        (each) =>
          `${name(path)} ${each.kind}${each.isEager ? "" : "?"} ${name(each.path)}`,
      ),
    )
    .sort();
}

/** The snapshot's inode: another one whenever it was written. */
function snapshotOf(project: TestProject): number {
  const base = join(project.root, "node_modules/.cache/prefork-dev");
  const [version = ""] = readdirSync(base);
  const name = readdirSync(join(base, version)).find((each) =>
    each.startsWith("scan-"),
  );
  return statSync(join(base, version, name ?? "none")).ino;
}

const EDGES = [
  "src/a.ts import src/b.ts",
  "src/main.ts dynamic? src/late.ts",
  "src/main.ts import src/a.ts",
];

describe("a scan", () => {
  it("finds what the sources import, but no types and no packages", async () => {
    const project = await testProject(APP);
    const scanned = await scan(project, ["query.sql"]);
    expect(edgesOf(project, scanned)).toEqual(EDGES);
    expect(scanned.problems).toEqual([]);
    expect(scanned.sources.get(project.path("query.sql"))).toMatchObject({
      isCode: false,
    });
    expect(scanned.sources.has(project.path("src/types.ts"))).toBe(false);
  });

  it("of what is as it was reads nothing", async () => {
    const project = await testProject(APP);
    later();
    const first = await scan(project, ["query.sql"]);
    const before = snapshotOf(project);
    expect(await scan(project, ["query.sql"])).toEqual(first);
    expect(snapshotOf(project)).toBe(before);
  });

  it("sees what was written since, also with the same size and an older time", async () => {
    const project = await testProject(APP);
    later();
    await scan(project);
    project.write({ "src/b.ts": 'import"./late.js"; ' });
    utimesSync(project.path("src/b.ts"), 1, 1);
    expect(edgesOf(project, await scan(project))).toContain(
      "src/b.ts import src/late.ts",
    );
  });

  it("sees files that appear where an import looks first", async () => {
    const project = await testProject({
      ...APP,
      "src/a.ts": 'export * from "./b";',
      "src/b/index.ts": "export const b = 1;",
    });
    rmSync(project.path("src/b.ts"));
    later();
    expect(edgesOf(project, await scan(project))).toContain(
      "src/a.ts import src/b/index.ts",
    );
    project.write({ "src/b.ts": "export const b = 2;" });
    expect(edgesOf(project, await scan(project))).toContain(
      "src/a.ts import src/b.ts",
    );
    renameSync(project.path("src/b.ts"), project.path("src/c.ts"));
    expect(edgesOf(project, await scan(project))).toContain(
      "src/a.ts import src/b/index.ts",
    );
  });

  it("sees a tsconfig.json that gives imports another meaning", async () => {
    const project = await testProject({
      ...APP,
      "src/a.ts": 'import "@/b.js";',
    });
    later();
    const [problem] = (await scan(project)).problems;
    expect(problem?.message).toContain("Cannot find @/b.js");
    project.write({
      "tsconfig.json":
        '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
    });
    const mended = await scan(project);
    expect(mended.problems).toEqual([]);
    expect(edgesOf(project, mended)).toEqual(EDGES);
  });

  it("tells each time what is wrong, until it's mended", async () => {
    const project = await testProject({ ...APP, "src/b.ts": "export = =" });
    later();
    for (let time = 0; time < 2; time++) {
      const { problems } = await scan(project);
      expect(problems.map(({ file }) => file)).toEqual([
        project.path("src/b.ts"),
      ]);
    }
    project.write(APP);
    expect((await scan(project)).problems).toEqual([]);
  });

  it("knows what processes asked for in earlier runs", async () => {
    const project = await testProject({
      ...APP,
      "src/plugin.ts": 'import "./b.js"; export {};',
    });
    later();
    await scan(project);
    const compiler = await project.compiler();
    const build = built(await compiler.build());
    await compiler.resolveAtRuntime(build, {
      from: project.path("src/main.ts"),
      specifier: "./plugin.js",
      kind: "import",
    });
    await compiler.close();
    const expected = [
      ...EDGES,
      "src/main.ts runtime? src/plugin.ts",
      "src/plugin.ts import src/b.ts",
    ].sort();
    for (let time = 0; time < 2; time++)
      expect(edgesOf(project, await scan(project))).toEqual(expected);
  });

  it("leaves nothing that keeps others from the cache", async () => {
    const project = await testProject(APP);
    await scan(project);
    const compiler = await project.compiler();
    const build = built(await compiler.build());
    await compiler.prune([build]);
    project.write({ "src/b.ts": "export const b = 3;" });
    expect(edgesOf(project, await scan(project))).toEqual(EDGES);
  });
});
