import {
  existsSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Build } from "../../../src/compiler/types.js";
import { built, changed, testProject } from "./project.js";
import type { TestProject } from "./project.js";

const PACKAGES = {
  "node_modules/pkg/package.json": `{"name":"pkg","main":"main.js"}`,
  "node_modules/pkg/main.js": "module.exports = 1;",
};

/** A source's lists, by names relative to the root. */
function edges(
  project: TestProject,
  build: Build,
  name: string,
): { before: string[]; during: string[] } {
  const source = build.sources.get(project.path(name));
  const names = (paths: readonly string[] = []): string[] =>
    paths.map((path) => path.slice(project.root.length + 1));
  return { before: names(source?.before), during: names(source?.during) };
}

describe("what is evaluated before a source", () => {
  it("are an ES module's imports as written: sources and packages, no types, no built-ins", async () => {
    const project = await testProject({
      ...PACKAGES,
      "package.json": `{"type":"module"}`,
      "src/main.ts": `
        import type { T } from "./types.js";
        import fs from "node:fs";
        import { b } from "./b.js";
        import pkg from "pkg";
        export * from "./a.js";
        import data from "./data.json" with { type: "json" };
        import again from "./b.js";
        import { main } from "./main.js";
        import("./lazy.js");
        export const all = [fs, b, pkg, data, again, main] as T;
      `,
      "src/types.ts": "export type T = unknown[];",
      "src/a.ts": "export {};",
      "src/b.ts": "export const b = 1; export default b;",
      "src/lazy.ts": "export {};",
      "src/data.json": "{}",
    });
    const compiler = await project.compiler();
    const build = built(await compiler.build());
    expect(edges(project, build, "src/main.ts")).toEqual({
      before: [
        "src/b.ts",
        "node_modules/pkg/main.js",
        "src/a.ts",
        "src/data.json",
      ],
      during: [],
    });
  });

  it("are the requires at the start of CommonJS; the others may come while it is evaluated", async () => {
    const project = await testProject({
      ...PACKAGES,
      "package.json": "{}",
      "src/main.ts": `
        import { b } from "./b";
        const a = require("./a"), { p } = require("pkg");
        b(a, p);
        const late = require("./late");
        const again = require("./a");
        export const lazy = () => [require("./lazy"), late, again, import("./c")];
      `,
      "src/a.js": "",
      "src/b.ts": "export const b = (...args: unknown[]) => args;",
      "src/c.ts": "export {};",
      "src/late.js": "",
      "src/lazy.js": "",
    });
    const compiler = await project.compiler();
    const build = built(await compiler.build());
    expect(edges(project, build, "src/main.ts")).toEqual({
      before: ["src/b.ts", "src/a.js", "node_modules/pkg/main.js"],
      during: ["src/late.js", "src/lazy.js"],
    });
  });

  it.each([
    ["another instance of a module", `import "./c.js?2";`],
    ["code in a URL", `import "data:text/javascript,";`],
  ])("end where the order isn't known: %s", async (_what, text) => {
    const project = await testProject({
      "package.json": `{"type":"module"}`,
      "src/main.ts": `import "./a.js"; ${text} import "./b.js"; export {};`,
      "src/a.ts": "export {};",
      "src/b.ts": "export {};",
      "src/c.ts": "export {};",
    });
    const compiler = await project.compiler();
    const build = built(await compiler.build());
    const { before, during } = edges(project, build, "src/main.ts");
    expect(before).toEqual(["src/a.ts"]);
    expect(during).toContain("src/b.ts");
    const inert = await compiler.inertSources(build, build.sources.keys());
    expect(inert).not.toContain(project.path("src/main.ts"));
    expect(inert).toContain(project.path("src/b.ts"));
  });

  it("are told alike after a restart, from the index or from records", async () => {
    const project = await testProject({
      "package.json": "{}",
      "src/main.ts": `require("./a"); process.env.PREFORK_WORKER; require("./b");`,
      "src/a.js": "",
      "src/b.js": "",
    });
    const seen: Build[] = [];
    for (const index of ["made", "kept", "removed"]) {
      const compiler = await project.compiler();
      seen.push(built(await compiler.build()));
      await compiler.close();
      const folder = cacheFolder(project);
      if (index === "kept") rmSync(join(folder, "index.json"));
    }
    const [first] = seen;
    if (first === undefined) throw new Error("no build");
    expect(edges(project, first, "src/main.ts")).toEqual({
      before: ["src/a.js"],
      during: ["src/b.js"],
    });
    const main = first.sources.get(project.path("src/main.ts"));
    expect(main?.isWorkerSpecific).toBe(true);
    const a = first.sources.get(project.path("src/a.js"));
    expect(a?.isWorkerSpecific).toBe(false);
    expect(seen).toEqual([first, first, first]);
  });
});

describe("what processes ask for", () => {
  it("is what a source may load, if it is required", async () => {
    const project = await testProject({
      "package.json": `{"type":"module"}`,
      "src/main.ts": `import "./a.js"; export const f = () => import("./both.js");`,
      "src/a.ts": "export {};",
      "src/both.ts": "export {};",
      "src/new.ts": "export {};",
      "src/imported.ts": "export {};",
    });
    const compiler = await project.compiler();
    const first = built(await compiler.build());
    const from = project.path("src/main.ts");
    for (const [specifier, kind] of [
      ["./both.ts", "require"],
      ["./both.ts", "require"],
      ["./new.ts", "require"],
      ["./imported.ts", "import"],
    ] as const) {
      await compiler.resolveAtRuntime(first, { from, specifier, kind });
    }
    // What was discovered is no change by itself.
    expect((await compiler.build()).kind).toBe("unchanged");
    project.write({ "src/a.ts": "export const a = 1;" });
    const result = await compiler.build(changed(project, "src/a.ts"));
    const second = built(result);
    expect(edges(project, second, "src/main.ts")).toEqual({
      before: ["src/a.ts"],
      during: ["src/both.ts", "src/new.ts"],
    });
    const main = second.sources.get(from);
    expect(main?.identity).not.toBe(first.sources.get(from)?.identity);
  });
});

describe("inertSources", () => {
  it("are those of the sources asked about that do nothing, also of older builds", async () => {
    const project = await testProject({
      "package.json": `{"type":"module"}`,
      "src/main.ts": `import "./a.js"; import "./b.cjs"; import d from "./d.json"; console.log(d);`,
      "src/a.ts": "export enum A { X }",
      "src/b.cts": "export const b: number = 1;",
      "src/d.json": "{}",
      "views/page.html": "<p>",
    });
    const compiler = await project.compiler({
      sources: { "src/main.ts": ["views/page.html"], "views/page.html": [] },
    });
    const names = async (build: Build): Promise<string[]> => {
      const paths = [...build.sources.keys(), project.path("nowhere.ts")];
      const inert = await compiler.inertSources(build, paths);
      return [...inert].map((path) => path.slice(project.root.length + 1));
    };
    const first = built(await compiler.build());
    const all = ["src/a.ts", "src/b.cts", "src/d.json", "views/page.html"];
    expect((await names(first)).sort()).toEqual(all);
    expect(
      await compiler.inertSources(first, [project.path("src/main.ts")]),
    ).toEqual(new Set());
    project.write({ "src/a.ts": "console.log(1);" });
    const second = built(await compiler.build(changed(project, "src/a.ts")));
    expect((await names(second)).sort()).toEqual(all.slice(1));
    expect((await names(first)).sort()).toEqual(all);
    // Without its record nobody knows.
    rmSync(join(cacheFolder(project), "records"), { recursive: true });
    const other = await project.compiler();
    expect(await other.inertSources(first, first.sources.keys())).toEqual(
      new Set([project.path("views/page.html")]),
    );
  });
});

describe("packages", () => {
  it("differ when some may have been installed", async () => {
    const project = await testProject({
      "package.json": `{"type":"module"}`,
      "src/main.ts": `import "./a.js";`,
      "src/a.ts": "export {};",
    });
    const compiler = await project.compiler();
    const first = built(await compiler.build());
    project.write({ "src/a.ts": "export const a = 1;" });
    const same = built(await compiler.build(changed(project, "src/a.ts")));
    expect(same.packages).toBe(first.packages);
    project.write({ "package-lock.json": "{}" });
    const path = "package-lock.json";
    const other = built(await compiler.build(changed(project, path)));
    expect(other.packages).not.toBe(first.packages);
  });
});

describe("likelyToChange", () => {
  const FILES = Object.fromEntries([
    ["package.json", `{"type":"module"}`],
    ["src/main.ts", `import "./a.js"; import "./b.js"; import "./c.js";`],
    ...["a", "b", "c"].map((name) => [`src/${name}.ts`, "export {};"]),
  ]) as Record<string, string>;

  it("are the sources saved last, also in an earlier run", async () => {
    const project = await testProject(FILES);
    const compiler = await project.compiler();
    expect(compiler.likelyToChange()).toEqual([]);
    await compiler.build();
    expect(compiler.likelyToChange()).toEqual([]);
    for (const [name, text] of [
      ["src/a.ts", "export const a = 1;"],
      ["src/b.ts", "syntax error"],
      ["src/b.ts", "export const b = 1;"],
      ["src/a.ts", "export const a = 2;"],
      ["src/none.ts", "export {};"],
    ] as const) {
      project.write({ [name]: text });
      await compiler.build(changed(project, name));
    }
    await compiler.build();
    const likely = [project.path("src/a.ts"), project.path("src/b.ts")];
    expect(compiler.likelyToChange()).toEqual(likely);
    await compiler.close();
    const second = await project.compiler();
    await second.build();
    expect(second.likelyToChange()).toEqual(likely);
    // Sources of the last build only.
    project.write({ "src/main.ts": `import "./b.js";` });
    await second.build(changed(project, "src/main.ts"));
    expect(second.likelyToChange()).toEqual(
      ["src/main.ts", "src/b.ts"].map((name) => project.path(name)),
    );
  });

  it("are those written long after the others, as long as nothing was saved", async () => {
    const project = await testProject(FILES);
    const now = Date.now() / 1_000;
    const age = (name: string, seconds: number): void => {
      utimesSync(project.path(name), now - seconds, now - seconds);
    };
    for (const name of ["src/main.ts", "src/a.ts", "src/b.ts"]) age(name, 9e6);
    age("src/c.ts", 5e6);
    const compiler = await project.compiler();
    await compiler.build();
    expect(compiler.likelyToChange()).toEqual([project.path("src/c.ts")]);
  });

  it("don't mind a broken file, nor a checkout", async () => {
    const many = Array.from({ length: 20 }, (_, n) => `src/m${n}.ts`);
    const project = await testProject({
      ...FILES,
      ...Object.fromEntries(many.map((name) => [name, "export {};"])),
      "src/main.ts": many.map((name) => `import ".${name.slice(3)}";`).join(""),
    });
    const first = await project.compiler();
    await first.build();
    await first.close();
    const file = join(cacheFolder(project), "recent-saves.json");
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, `["/x.ts",`);
    const compiler = await project.compiler();
    await compiler.build();
    for (const name of many) project.write({ [name]: "export const x = 1;" });
    await compiler.build(changed(project, ...many));
    expect(compiler.likelyToChange()).toEqual([]);
  });
});

function cacheFolder(project: TestProject): string {
  const base = project.path("node_modules/.cache/prefork-dev");
  return join(base, readdirSync(base)[0] ?? "");
}
