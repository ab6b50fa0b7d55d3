import { describe, expect, it } from "vitest";
import { LookedAt } from "./project.js";

const SHOP = {
  "src/schema.sql": "select 1;",
  "src/db.ts": 'import "./base.js"; export const db = 1;',
  "src/base.ts": "export const base = 1;",
  "src/admin.ts": 'import "./db.js"; export {};',
  "src/server.ts":
    'import { db } from "./db.js";\nconsole.log(db);\nexport const admin = () => import("./admin.js");\n',
};

function shop(): LookedAt {
  const project = new LookedAt(SHOP);
  project.manifest(`{
    entry: "src/server.ts",
    sources: ["src/schema.sql", "src/base.ts", { file: "src/db.ts", needs: ["src/schema.sql"] }, "src/server.ts", "src/admin.ts"],
  }`);
  return project;
}

const lines = (text: string): string[] => text.trimEnd().split("\n");

describe("files", () => {
  it("are the manifest's, in its order, relative to it", async () => {
    const project = shop();
    const expected = [
      ...["src/schema.sql", "src/base.ts", "src/db.ts"],
      ...["src/server.ts", "src/admin.ts"],
    ];
    for (const cwd of [project.root, project.path("src")]) {
      const target = cwd === project.root ? "." : "..";
      const { code, stdout, stderr } = await project.runIn(
        cwd,
        "files",
        target,
      );
      expect([code, stderr]).toEqual([0, ""]);
      expect(lines(stdout)).toEqual(expected);
    }
    const { stdout } = await project.run("files", "-0");
    expect(stdout).toBe(expected.map((file) => `${file}\0`).join(""));
  });

  it("of an entry are in the order of evaluation, what is loaded later last", async () => {
    const { stdout } = await new LookedAt(SHOP).run("files", "src/server.ts");
    expect(lines(stdout)).toEqual([
      ...["src/base.ts", "src/db.ts", "src/server.ts", "src/admin.ts"],
    ]);
  });

  it("that something listed before them imports come before it", async () => {
    const project = new LookedAt(SHOP);
    project.manifest(
      '{ entry: "src/server.ts", sources: ["src/server.ts", "src/*.ts"] }',
    );
    const { stdout } = await project.run("files");
    expect(lines(stdout).slice(0, 3)).toEqual([
      ...["src/base.ts", "src/db.ts", "src/server.ts"],
    ]);
  });

  it("as JSON say what leads where", async () => {
    const { stdout } = await shop().run("files", "--json");
    const { entry, manifest, sources } = JSON.parse(stdout) as {
      entry: string;
      manifest: string;
      sources: { path: string; isListed: boolean; dependsOn: unknown }[];
    };
    expect([entry, manifest]).toEqual(["src/server.ts", "prefork.config.ts"]);
    expect(sources.find(({ path }) => path === "src/db.ts")).toEqual({
      path: "src/db.ts",
      isListed: true,
      dependsOn: [
        { path: "src/base.ts", kind: "import", where: "./base.js" },
        {
          path: "src/schema.sql",
          kind: "needs",
          where: "sources[2].needs[0]",
        },
      ],
    });
    expect(
      sources.find(({ path }) => path === "src/server.ts")?.dependsOn,
    ).toContainEqual({
      path: "src/admin.ts",
      kind: "dynamic",
      where: "./admin.js",
    });
  });

  it("that can't be compiled are told, and exit with 1", async () => {
    const project = shop();
    project.write({ "src/base.ts": "export const = 1;" });
    const { code, stdout, stderr } = await project.run("files");
    expect(code).toBe(1);
    expect(stdout).toContain("src/base.ts");
    expect(stderr).toContain("src/base.ts:1:14");
    project.write({ "src/base.ts": "export const base = 2;" });
    expect((await project.run("files")).code).toBe(0);
  });
});

describe("--closure", () => {
  it("is what a change reloads, in load order", async () => {
    const project = shop();
    const closure = async (...files: string[]): Promise<string[]> =>
      lines((await project.run("files", "--closure", ...files)).stdout);
    expect(await closure("src/schema.sql")).toEqual([
      ...["src/schema.sql", "src/db.ts", "src/server.ts", "src/admin.ts"],
    ]);
    expect(await closure("src/admin.ts")).toEqual([
      ...["src/server.ts", "src/admin.ts"],
    ]);
    expect(await closure("src/server.ts", "src/base.ts")).toHaveLength(4);
  });

  it("takes names relative to the working directory first, then to the manifest", async () => {
    const project = shop();
    const closure = async (cwd: string, file: string): Promise<unknown> => {
      const ran = await project.runIn(cwd, "files", "..", "--closure", file);
      return lines(ran.stdout)[0];
    };
    const cwd = project.path("src");
    expect(await closure(cwd, "base.ts")).toBe("src/base.ts");
    expect(await closure(cwd, "src/base.ts")).toBe("src/base.ts");
    expect(await closure(cwd, project.path("src/base.ts"))).toBe("src/base.ts");
  });

  it.each([
    ["src/bse.ts", 'Did you mean "src/base.ts"?'],
    ["server.ts", 'Did you mean "src/server.ts"?'],
    ["nothing-like-it", "is no source of the project."],
    ["package.json", "is a file, but no source of the project"],
  ])("of %s, which is no source, is wrong usage", async (file, message) => {
    const { code, stdout, stderr } = await shop().run(
      ...["files", "--closure", file],
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
    const json = await shop().run("files", "--json", "--closure", file);
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { code: "ERR_PREFORK_USAGE" },
    });
  });
});

describe("--why", () => {
  it("shows each edge, its kind and where it comes from", async () => {
    const { code, stdout } = await shop().run(
      ...["files", "--why", "src/schema.sql", "src/admin.ts"],
    );
    expect(code).toBe(0);
    expect(lines(stdout)).toEqual([
      "A change of src/schema.sql reloads src/admin.ts:",
      "  src/db.ts needs src/schema.sql  (prefork.config.ts: sources[2].needs[0])",
      '  src/admin.ts imports src/db.ts  (src/admin.ts:1: "./db.js")',
    ]);
    const later = await shop().run(
      ...["files", "--why", "src/admin.ts", "src/server.ts"],
    );
    expect(lines(later.stdout)[1]).toBe(
      `  src/server.ts imports, when it's asked to, src/admin.ts  (src/server.ts:3: "./admin.js")`,
    );
  });

  it("says that there's no way, and exits with 1", async () => {
    const { code, stdout } = await shop().run(
      ...["files", "--why", "src/admin.ts", "src/base.ts"],
    );
    expect(code).toBe(1);
    expect(stdout).toContain(
      "A change of src/admin.ts doesn't reload src/base.ts",
    );
    const json = await shop().run(
      ...["files", "--json", "--why", "src/admin.ts", "src/base.ts"],
    );
    expect(JSON.parse(json.stdout)).toEqual({
      ...{ changed: "src/admin.ts", reloaded: "src/base.ts", way: null },
    });
  });

  it("of a source and itself is no way at all", async () => {
    const { code, stdout } = await shop().run(
      ...["files", "--why", "src/db.ts", "src/db.ts"],
    );
    expect(code).toBe(0);
    expect(stdout).toContain("src/db.ts is the source that changes");
  });
});
