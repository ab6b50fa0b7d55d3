import fs from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LookedAt } from "./project.js";

const APP = {
  "src/b.ts": "export const b = 1;",
  "src/a.ts": 'import "./b.js"; export const a = 1;',
  "src/server.ts": 'import "./a.js"; export {};',
};

/** The library isn't built where unit tests run. */
function withoutLibrary(project: LookedAt): void {
  const text = project.read("prefork.config.ts");
  const own = "const defineProject = (config) => config;";
  project.write({
    "prefork.config.ts": text.replace(/^import .*$/m, own),
  });
}

describe("init", () => {
  it("writes the sources in load order, and says so", async () => {
    const project = new LookedAt(APP);
    const { code, stdout, stderr } = await project.run("init", "src/server.ts");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("✓ wrote prefork.config.ts: 3 sources\n");
    const text = project.read("prefork.config.ts");
    expect(text).toContain('  entry: "src/server.ts",\n');
    expect(text).toContain(
      '  sources: [\n    "src/b.ts",\n    "src/a.ts",\n    "src/server.ts",\n  ],\n',
    );
    expect(text).toMatch(/^import \{ defineProject \} from "prefork-dev";$/m);
  });

  it("never overwrites a manifest, whatever its name", async () => {
    for (const name of ["prefork.config.ts", "prefork.config.mjs"]) {
      const project = new LookedAt({ ...APP, [name]: "mine" });
      const { code, stdout, stderr } = await project.run(
        ...["init", "src/server.ts"],
      );
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(`${name} is there already`);
      expect(project.read(name)).toBe("mine");
    }
  });

  it("doesn't write where a link leads that leads nowhere yet", async () => {
    const project = new LookedAt(APP);
    const target = project.path("mine.ts");
    fs.symlinkSync(target, project.path("prefork.config.ts"));
    const { code, stderr } = await project.run("init", "src/server.ts");
    expect(code).toBe(1);
    expect(stderr).toContain("prefork.config.ts is there already");
    expect(fs.existsSync(target)).toBe(false);
  });

  it("writes beside package.json, from anywhere in it", async () => {
    const project = new LookedAt(APP);
    await project.runIn(project.path("src"), "init", "server.ts");
    expect(fs.existsSync(project.path("prefork.config.ts"))).toBe(true);
  });

  it("suggests needs for files that are read by name, and are there", async () => {
    const project = new LookedAt({
      ...APP,
      "src/a.ts": `import { readFileSync } from "node:fs";
const schema = readFileSync("sql/schema.sql", "utf8");
const page = new URL("./page.html", import.meta.url);
readFileSync("sql/none.sql"); readFileSync(\`sql/\${1}.sql\`); new URL("./b.ts", import.meta.url);
export { schema, page };`,
      "src/server.ts": 'import "./a.js"; import "./b.js"; export {};',
      "sql/schema.sql": "select 1;",
      "src/page.html": "<p>",
    });
    const { stdout } = await project.run("init", "src/server.ts");
    expect(stdout).toContain("and 2 suggestions for needs");
    const text = project.read("prefork.config.ts");
    expect(text).toContain("// src/a.ts reads sql/schema.sql (line 2):");
    expect(text).toContain(
      '//   { file: "src/a.ts", needs: ["src/page.html"] },',
    );
    expect(text).not.toContain("none.sql");
    // What is a source isn't suggested.
    expect(text).not.toContain('needs: ["src/b.ts"]');
  });

  it("says which sources import each other", async () => {
    const project = new LookedAt({
      ...APP,
      "src/b.ts": 'import "./a.js"; export const b = 1;',
    });
    await project.run("init", "src/server.ts");
    expect(project.read("prefork.config.ts")).toContain(
      "// A cycle: it and src/a.ts import each other",
    );
  });

  it.each([
    ['{ "main": "src/a.ts" }', "src/a.ts"],
    [
      '{ "main": "dist/a.js", "scripts": { "dev": "tsx watch ./src/a.ts" } }',
      "src/a.ts",
    ],
    ['{ "scripts": { "start": "node dist/server.js" } }', "src/server.ts"],
    [
      '{ "scripts": { "dev": "NODE_ENV=x nodemon --exec \\"tsx src/a.ts\\"" } }',
      "src/a.ts",
    ],
  ])("finds the entry: %s", async (manifest, entry) => {
    const project = new LookedAt({ ...APP, "package.json": manifest });
    expect((await project.run("init")).code).toBe(0);
    expect(project.read("prefork.config.ts")).toContain(`entry: "${entry}",`);
  });

  it("without an entry says where it looked", async () => {
    const project = new LookedAt({ "lib/strange.ts": "" });
    const { code, stderr } = await project.run("init");
    expect(code).toBe(1);
    expect(stderr).toContain("src/server.ts, src/index.ts");
    const none = await project.run("init", "lib/strangr.ts");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('Did you mean "lib/strange.ts"?');
  });

  it("writes nothing when sources can't be compiled", async () => {
    const project = new LookedAt({ ...APP, "src/b.ts": "export const = 1;" });
    const { code, stderr } = await project.run("init", "src/server.ts");
    expect(code).toBe(1);
    expect(stderr).toContain("No manifest was written");
    expect(stderr).toContain("src/b.ts:1:");
    expect(fs.existsSync(project.path("prefork.config.ts"))).toBe(false);
  });
});

/** What each of some modules imports, and how. */
const imports = fc.array(
  fc.array(
    fc.record({
      to: fc.nat({ max: 7 }),
      form: fc.constantFrom("static", "static", "dynamic", "require"),
    }),
    { maxLength: 4 },
  ),
  { minLength: 8, maxLength: 8 },
);

describe("what init wrote", () => {
  it("checks clean, and is the list that files prints, whatever imports what", async () => {
    const isCommonJs = fc.boolean();
    await fc.assert(
      fc.asyncProperty(imports, isCommonJs, async (all, commonJs) => {
        const files = all.map((edges, index) => {
          const lines = edges.map(({ to, form }) => {
            const name = JSON.stringify(`./m${to}.js`);
            if (form === "dynamic") return `void import(${name});`;
            const isRequire = form === "require" && commonJs;
            return isRequire ? `require(${name});` : `import ${name};`;
          });
          return [`m${index}.ts`, lines.join("\n")] as const;
        });
        const project = new LookedAt({
          "package.json": commonJs ? "{}" : '{ "type": "module" }',
          ...Object.fromEntries(files),
        });
        const before = await project.run("files", "m0.ts");
        expect((await project.run("init", "m0.ts")).code).toBe(0);
        withoutLibrary(project);
        expect(await project.run("check")).toMatchObject({ code: 0 });
        const after = await project.run("files");
        expect(after).toEqual(before);
        const listed = [
          ...project.read("prefork.config.ts").matchAll(/^ {4}"(.*)",$/gm),
        ].map(([, name]) => name);
        expect(after.stdout.trimEnd().split("\n")).toEqual(listed);
      }),
      { numRuns: 15 },
    );
  });
});
