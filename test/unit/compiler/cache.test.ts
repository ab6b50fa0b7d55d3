import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { built, changed, testProject } from "./project.js";
import type { TestProject } from "./project.js";

const FILES = {
  "package.json": `{"type":"module"}`,
  "src/main.ts": `import { a } from "./a.js"; console.log(a);`,
  "src/a.ts": `export const a: number = 1;`,
};

function folder(project: TestProject): string {
  const base = project.path("node_modules/.cache/prefork-dev");
  const [version] = readdirSync(base);
  return join(base, version ?? "");
}

function cached(project: TestProject, part: "records" | "out"): string[] {
  return readdirSync(join(folder(project), part), { recursive: true })
    .map(String)
    .filter((name) => /\.(?:json|mjs|cjs)$/.test(name))
    .sort();
}

it("gives the same build after a restart, without writing anything", async () => {
  const project = await testProject(FILES);
  const first = await project.compiler();
  const before = built(await first.build());
  await first.close();
  const records = join(folder(project), "records");
  // Were a record made again, it could not be written.
  rmSync(records, { recursive: true });
  const second = await project.compiler();
  rmSync(records, { recursive: true });
  expect(built(await second.build())).toEqual(before);
  expect(existsSync(records)).toBe(false);
});

it("does without the index", async () => {
  const project = await testProject(FILES);
  const first = await project.compiler();
  const before = built(await first.build());
  await first.close();
  writeFileSync(join(folder(project), "index.json"), `[{"path":1},`);
  const second = await project.compiler();
  expect(built(await second.build())).toEqual(before);
});

it("relinks from records that were cut off", async () => {
  const project = await testProject(FILES);
  const first = await project.compiler();
  await first.build();
  await first.close();
  for (const name of cached(project, "records")) {
    writeFileSync(join(folder(project), "records", name), `{"version":3,`);
  }
  project.write({ "src/a.ts": "export const a = 2;" });
  const second = await project.compiler();
  const build = built(await second.build());
  expect(await project.run(build.output)).toBe(2);
});

it("comes back after node_modules was emptied", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  await compiler.build();
  rmSync(project.path("node_modules"), { recursive: true });
  project.write({ "package-lock.json": "{}" });
  const result = await compiler.build(changed(project, "package-lock.json"));
  expect(await project.run(built(result).output)).toBe(1);
  expect(cached(project, "records")).toHaveLength(2);
});

it("prunes what no build that is kept holds", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  const builds = [built(await compiler.build())];
  for (const value of [2, 3]) {
    project.write({ "src/a.ts": `export const a: number = ${value};` });
    builds.push(built(await compiler.build(changed(project, "src/a.ts"))));
  }
  expect(cached(project, "out")).toHaveLength(6);
  const [first, second] = builds;
  if (first === undefined || second === undefined) throw new Error("no build");
  await compiler.prune([second]);
  expect(cached(project, "out")).toHaveLength(4);
  expect(cached(project, "records")).toHaveLength(3);
  expect(existsSync(first.output)).toBe(false);
  expect(await project.run(second.output)).toBe(2);
  await compiler.prune([]);
  expect(cached(project, "out")).toHaveLength(2);
  // What was pruned can be made again.
  project.write({ "src/a.ts": FILES["src/a.ts"] });
  const again = built(await compiler.build(changed(project, "src/a.ts")));
  expect(again.output).toBe(first.output);
  expect(await project.run(again.output)).toBe(1);
});

it("prunes nothing while another tool uses the cache, and goes by processes that live", async () => {
  const project = await testProject(FILES);
  const one = await project.compiler();
  const two = await project.compiler();
  await one.build();
  project.write({ "src/a.ts": `export const a = 2;` });
  await one.build(changed(project, "src/a.ts"));
  await one.prune([]);
  expect(cached(project, "out")).toHaveLength(4);
  await two.close();
  // A process that was killed leaves its name: no process has this one.
  writeFileSync(join(folder(project), "live", "99999999-0"), "");
  await one.prune([]);
  expect(cached(project, "out")).toHaveLength(2);
});

it("empties V8's code cache when it holds far more than the sources need", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  await compiler.build();
  const entries = join(compiler.codeCache, "v22-x64-1");
  mkdirSync(entries, { recursive: true });
  const write = (from: number, to: number): void => {
    for (let entry = from; entry < to; entry++) {
      writeFileSync(join(entries, String(entry)), "");
    }
  };
  write(0, 10_000);
  await compiler.prune([]);
  expect(readdirSync(entries)).toHaveLength(10_000);
  write(10_000, 10_009);
  await compiler.prune([]);
  expect(existsSync(entries)).toBe(false);
});

it("takes over the lock of a dead pruner, and removes other versions' folders", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  await compiler.build();
  const lock = join(folder(project), "prune.lock");
  mkdirSync(lock);
  writeFileSync(join(lock, "99999999"), "");
  const old = join(folder(project), "..", "v0-esbuild0.1.0-node20");
  mkdirSync(join(old, "out"), { recursive: true });
  await compiler.prune([]);
  expect(existsSync(lock)).toBe(false);
  expect(existsSync(old)).toBe(false);
});

it("waits for a prune under way before it starts", async () => {
  const project = await testProject(FILES);
  const first = await project.compiler();
  await first.build();
  await first.close();
  const lock = join(folder(project), "prune.lock");
  mkdirSync(lock);
  writeFileSync(join(lock, String(process.pid)), "");
  const waiting = project.compiler();
  const live = join(folder(project), "live");
  // Registered at once, so that the pruner sees it; ready only when the lock is gone.
  expect(readdirSync(live)).toHaveLength(1);
  rmSync(lock, { recursive: true });
  const second = await waiting;
  built(await second.build());
});

it("falls back to the user's cache directory", async () => {
  const project = await testProject({ ...FILES, node_modules: "a file" });
  const before = process.env["XDG_CACHE_HOME"];
  process.env["XDG_CACHE_HOME"] = project.path("user-cache");
  try {
    const compiler = await project.compiler();
    const { output } = built(await compiler.build());
    expect(output.startsWith(project.path("user-cache/prefork-dev/"))).toBe(
      true,
    );
    expect(await project.run(output)).toBe(1);
  } finally {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
  }
});

it("says so when no cache directory can be written", async () => {
  const project = await testProject({ ...FILES, blocked: "a file" });
  await expect(
    project.compiler({ cacheDirectory: project.path("blocked/cache") }),
  ).rejects.toMatchObject({ code: "ERR_PREFORK_CACHE" });
});

it("compiles files with long names and from outside the root", async () => {
  const long = "n".repeat(240);
  const project = await testProject({
    ...FILES,
    "src/main.ts": `import { a } from "./${long}.js"; import { b } from "../../shared/b.js"; console.log(a + b);`,
    [`src/${long}.ts`]: "export const a = 1;",
    "../shared/b.ts": "export const b = 1;",
  });
  const compiler = await project.compiler();
  const build = built(await compiler.build());
  expect(await project.run(build.output)).toBe(2);
  for (const { output } of build.sources.values()) {
    expect(output?.startsWith(folder(project))).toBe(true);
    expect(basename(output ?? "").length).toBeLessThan(230);
  }
});

it("closes once, and is closed then", async () => {
  const project = await testProject(FILES);
  const compiler = await project.compiler();
  await compiler.build();
  await Promise.all([compiler.close(), compiler.close()]);
  expect(readdirSync(join(folder(project), "live"))).toEqual([]);
  await expect(compiler.build()).rejects.toMatchObject({
    code: "ERR_PREFORK_NOT_RUNNING",
  });
});
