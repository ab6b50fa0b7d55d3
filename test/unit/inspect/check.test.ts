import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { createCompiler } from "../../../src/compiler/compiler.js";
import { LookedAt } from "./project.js";

const APP = {
  "src/a.ts": 'import "./b.js"; export const a = 1;',
  "src/b.ts": "export const b = 1;",
  "src/query.sql": "select 1;",
  "src/server.ts": 'import "./a.js"; export {};',
};

function app(config: string, files: Record<string, string> = {}): LookedAt {
  const project = new LookedAt({ ...APP, ...files });
  project.manifest(config);
  return project;
}

const ENTRY = 'entry: "src/server.ts"';
const CLEAN = `{ ${ENTRY}, sources: ["src/b.ts", "src/a.ts", "src/server.ts"] }`;

describe("check", () => {
  it("of a manifest that says what the imports say exits with 0", async () => {
    const { code, stdout, stderr } = await app(CLEAN).run("check");
    expect([code, stdout, stderr]).toEqual([
      ...[0, "✓ prefork.config.ts says what the imports say\n", ""],
    ]);
    const json = await app(CLEAN).run("check", "--json");
    expect(JSON.parse(json.stdout)).toEqual({
      ...{ manifest: "prefork.config.ts", findings: [], fixed: [] },
    });
  });

  it("without a manifest says that there is nothing to compare", async () => {
    const { code, stdout } = await app(CLEAN).run("check", "src/server.ts");
    expect(code).toBe(0);
    expect(stdout).toContain("nothing to compare");
  });

  it("without a list of sources compares only needs", async () => {
    expect(await app(`{ ${ENTRY} }`).findings()).toEqual([]);
  });

  it("finds all entries that name nothing", async () => {
    const project = app(
      `{ ${ENTRY}, sources: ["src/bb.ts", "src/*.sq", { directory: "lib", sources: [] }, "src/b.ts", "src/a.ts"] }`,
    );
    const { code, stdout } = await project.run("check");
    expect(code).toBe(1);
    expect(stdout).toContain(
      'missing: sources[0] "src/bb.ts" doesn\'t exist. Did you mean "src/b.ts"?',
    );
    expect(await project.findings()).toEqual([
      ...["missing sources[0]", "missing sources[1]"],
      "missing sources[2].directory",
    ]);
  });

  it("finds needs that name no source", async () => {
    const project = app(
      `{ ${ENTRY}, sources: ["src/b.ts", { file: "src/a.ts", needs: ["src/qery.sql"] }] }`,
    );
    const { code, stdout } = await project.run("check");
    expect(code).toBe(1);
    expect(stdout).toContain("names no listed source");
  });

  it("finds sources that are imported but not listed, and says where they belong", async () => {
    const project = app(`{ ${ENTRY}, sources: ["src/b.ts", "src/server.ts"] }`);
    expect(await project.findings()).toEqual(["unlisted src/a.ts"]);
    const { stdout } = await project.run("check");
    expect(stdout).toContain(
      'unlisted: src/a.ts is imported by src/server.ts:1, but isn\'t listed. Add "src/a.ts" to sources, before sources[1].',
    );
  });

  it("finds sources that only a running process loaded", async () => {
    const project = app(CLEAN, { "src/plugin.ts": "export {};" });
    const entry = project.path("src/server.ts");
    const compiler = await createCompiler({
      project: {
        ...{ name: "app", root: project.root, manifest: undefined, entry },
        sources: [{ path: entry, needs: [], standby: true, reload: true }],
        ...{
          preload: [],
          mixins: [],
          steps: [],
          definedBy: [],
          server: {},
          isOneOfList: false,
          globs: [],
          listsSources: false,
        },
      },
    });
    const result = await compiler.build();
    if (result.kind !== "built") throw new Error(`It is ${result.kind}.`);
    await compiler.resolveAtRuntime(result.build, {
      from: entry,
      specifier: "./plugin.js",
      kind: "import",
    });
    await compiler.close();
    expect(await project.findings()).toEqual(["unlisted src/plugin.ts"]);
    const { stdout } = await project.run("check");
    expect(stdout).toContain(
      'src/plugin.ts was loaded at run time by src/server.ts, which asked for "./plugin.js", but isn\'t listed.',
    );
    const why = await project.run(
      ...["files", "--why", "src/plugin.ts", "src/server.ts"],
    );
    expect(why.stdout).toContain(
      "src/server.ts asked at run time for src/plugin.ts",
    );
  });

  it("finds listed sources that the entry doesn't lead to", async () => {
    const project = app(
      `{ ${ENTRY}, sources: ["src/query.sql", "src/lonely.ts", "src/b.ts", "src/a.ts", "src/server.ts", "src/script.ts"] }`,
      {
        "src/lonely.ts": "export {};",
        "src/script.ts": 'import "./lonely.js";',
      },
    );
    expect(await project.findings()).toEqual([
      "unused sources[0] src/query.sql",
      "unused sources[1] src/lonely.ts",
      "unused sources[5] src/script.ts",
    ]);
  });

  it("doesn't call a source unused that is needed, imported later or a mixin", async () => {
    const project = app(
      `{ ${ENTRY}, mixins: ["src/mixin.ts"],
        sources: ["src/query.sql", "src/b.ts", { file: "src/a.ts", needs: ["src/query.sql"] }, "src/late.ts", "src/server.ts", "src/mixin.ts"] }`,
      {
        "src/late.ts": "export {};",
        "src/mixin.ts": "export default (Base) => class extends Base {};",
        "src/server.ts": 'import "./a.js"; void import("./late.js");',
      },
    );
    expect(await project.findings()).toEqual([]);
  });

  it("finds entries that do nothing, but not those that add something", async () => {
    const project = app(
      `{ ${ENTRY}, sources: [
        "src/b.ts", "src/*.ts", "src/a.ts", { file: "src/b.ts" }, { file: "src/server.ts", standby: false },
        { directory: "src", standby: false, sources: ["a.ts"] }, "src/b.ts" ] }`,
    );
    expect(await project.findings()).toEqual([
      ...["duplicate sources[2]", "duplicate sources[3].file"],
      "duplicate sources[6]",
    ]);
  });

  it("finds an order that contradicts imports, but not within a glob or a cycle", async () => {
    const project = app(`{ ${ENTRY}, sources: ["src/a.ts", "src/b.ts"] }`);
    const { stdout } = await project.run("check");
    expect(stdout).toContain(
      "order: sources[0] src/a.ts is listed before sources[1] src/b.ts, which it imports (src/a.ts:1), so it's loaded after it. Move src/b.ts before it.",
    );
    const glob = app(`{ ${ENTRY}, sources: ["src/*.ts"] }`);
    expect(await glob.findings()).toEqual([]);
    const cycle = app(`{ ${ENTRY}, sources: ["src/a.ts", "src/b.ts"] }`, {
      "src/b.ts": 'import "./a.js";',
    });
    expect(await cycle.findings()).toEqual([]);
  });

  it("finds needs that imports imply, also through others, but not those that help one of several", async () => {
    const project = app(
      `{ ${ENTRY}, changes: { "src/b.ts": ["src/a.ts"] }, sources: [
        "src/query.sql", "src/b.ts", { file: "src/a.ts", needs: ["src/query.sql"] },
        { file: "src/[c].ts", needs: ["src/b.ts"] },
        { file: "src/server.ts", needs: ["src/query.sql", "src/b.ts"] } ] }`,
      {
        "src/[c].ts": "export {};",
        "src/server.ts": 'import "./a.js"; import "./[c].js";',
      },
    );
    expect(await project.findings()).toEqual([
      'implied-needs changes["src/b.ts"][0]',
      "implied-needs sources[4].needs[1]",
    ]);
  });

  it("finds a list of needs implied only if it is for all that share it", async () => {
    const z = { "src/z.ts": "export {};" };
    const shared = (needs: string): string =>
      `{ ${ENTRY}, sources: ["src/b.ts", { directory: "src", needs: ["b.ts"], sources: [${needs}] }] }`;
    const all = app(shared('"a.ts", "server.ts"'), z);
    expect(await all.findings()).toEqual(["implied-needs sources[1].needs[0]"]);
    const some = app(shared('"a.ts", "z.ts", "server.ts"'), {
      ...z,
      "src/server.ts": 'import "./a.js"; import "./z.js";',
    });
    expect(await some.findings()).toEqual([]);
  });

  it("tells what can't be compiled, and imports that lead nowhere", async () => {
    const project = app(CLEAN, { "src/b.ts": 'import "./gone.js";' });
    const { code, stdout } = await project.run("check");
    expect(code).toBe(1);
    expect(stdout).toContain("broken: src/b.ts:1 Cannot find ./gone.js");
  });

  it("of a broken manifest is no finding", async () => {
    const project = app("{ entry: 1 }");
    const { code, stderr } = await project.run("check");
    expect(code).toBe(1);
    expect(stderr).toContain("entry is 1");
  });
});

describe("--fix", () => {
  const text = `{
  ${ENTRY},
  sources: [
    // First.
    "src/b.ts", // "src/b.ts"
    'src/a.ts',
    "src/query.sql",
    "src/a.ts", /* again */ 'src/b.ts',
    { file: "src/server.ts", needs: ["src/query.sql", "src/b.ts"] },
    "src/b.ts",
  ],
}`;

  it("takes out what does nothing, and leaves all else as it is", async () => {
    const project = app(text);
    const { code, stdout } = await project.run("check", "--fix");
    expect(code).toBe(0);
    expect(stdout.match(/^fixed: /gm)).toHaveLength(4);
    expect(project.read("prefork.config.ts")).toBe(`export default {
  ${ENTRY},
  sources: [
    // First.
    "src/b.ts", // "src/b.ts"
    'src/a.ts',
    "src/query.sql",
    /* again */
    { file: "src/server.ts", needs: ["src/query.sql"] },
  ],
};
`);
    const left = fs.readdirSync(project.root);
    expect(left.filter((name) => name.includes("draft"))).toEqual([]);
    expect((await project.run("check")).code).toBe(0);
  });

  it("without anything to mend writes nothing", async () => {
    const project = app(CLEAN);
    const before = fs.statSync(project.path("prefork.config.ts"));
    expect((await project.run("check", "--fix")).code).toBe(0);
    const after = fs.statSync(project.path("prefork.config.ts"));
    expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs]);
  });

  it("leaves what is computed, and says so", async () => {
    const project = new LookedAt(APP);
    const manifest = `const all = ["b", "a", "b"].map((name) => \`src/\${name}.ts\`);
export default { ${ENTRY}, sources: [...all, "src/server.ts"] };\n`;
    project.write({ "prefork.config.ts": manifest });
    const { code, stdout } = await project.run("check", "--fix");
    expect(code).toBe(1);
    expect(stdout).toContain(
      'not fixed: prefork.config.ts: sources[2] "src/b.ts" isn\'t written there',
    );
    expect(project.read("prefork.config.ts")).toBe(manifest);
  });

  it("doesn't take out what means something else", async () => {
    const project = new LookedAt({ ...APP, "src/z.ts": "export {};" });
    const manifest = `const b = \`src/\${"b"}.ts\`;
export default { ${ENTRY}, sources: [b, { file: "src/z.ts", needs: ["src/b.ts"] }, "src/a.ts", b] };\n`;
    project.write({ "prefork.config.ts": manifest });
    await project.run("check", "--fix");
    expect(project.read("prefork.config.ts")).toBe(manifest);
  });

  it("doesn't take out another text that happens to be the same", async () => {
    const project = new LookedAt(APP);
    const manifest = `const first = "src/b.ts";
export default { name: "src/b.ts", ${ENTRY}, sources: [first, "src/a.ts", "src/server.ts", first] };\n`;
    project.write({ "prefork.config.ts": manifest });
    const { code } = await project.run("check", "--fix");
    expect(code).toBe(1);
    expect(project.read("prefork.config.ts")).toBe(manifest);
  });
});
