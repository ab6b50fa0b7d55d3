/** The sub-commands with a manifest's other forms: several projects, JSON, `reload: false`. */
import { describe, expect, it } from "vitest";
import { LookedAt } from "./project.js";

const FILES = {
  "front/a.ts": "export const a = 1;",
  "front/b.ts": "export const b = 1;",
  "front/server.ts": 'import "./a.js"; import "./b.js";',
  "back/a.ts": "export const a = 1;",
  "back/server.ts": 'import "./a.js";',
};
const SHOP = ["front/a.ts", "front/b.ts", "front/server.ts"];

const lines = (text: string): string[] => text.trimEnd().split("\n");

describe("several projects", () => {
  function two(shopSources = SHOP): LookedAt {
    const project = new LookedAt(FILES);
    const [shop, admin] = [
      { name: "shop", entry: "front/server.ts", sources: shopSources },
      {
        ...{ name: "admin", entry: "back/server.ts" },
        sources: ["back/a.ts", "back/a.ts", "back/server.ts"],
      },
    ].map((each) => JSON.stringify(each, null, 2));
    project.manifest(`[${shop ?? ""}, ${admin ?? ""}]`);
    return project;
  }

  it("are chosen by name, and without a name they are told", async () => {
    const project = two();
    expect(lines((await project.run("files", "shop")).stdout)).toEqual(SHOP);
    const { stdout } = await project.runIn(
      project.path("front"),
      ...["files", "..#admin"],
    );
    expect(lines(stdout)).toEqual(["back/a.ts", "back/server.ts"]);
    const none = await project.run("check");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("has several projects: shop, admin.");
    const unknown = await project.run("check", ".#shpo");
    expect(unknown.stderr).toContain('Did you mean "shop"?');
  });

  it("are compared one by one, and mended without a change of the others", async () => {
    const project = two([...SHOP, "back/a.ts", "back/a.ts"]);
    const before = project.read("prefork.config.ts");
    const { stdout } = await project.run("check", "admin", "--fix");
    expect(stdout).toContain("fixed: ");
    const after = project.read("prefork.config.ts");
    const at = before.lastIndexOf('    "back/a.ts",\n');
    expect(after).toBe(
      before.slice(0, at) + before.slice(at + '    "back/a.ts",\n'.length),
    );
    expect((await project.run("check", "admin")).code).toBe(0);
    expect((await project.run("check", "shop")).stdout).toContain("duplicate");
  });
});

describe("prefork.config.json", () => {
  it("is read, compared and mended", async () => {
    const project = new LookedAt({
      ...FILES,
      "prefork.config.json": JSON.stringify(
        { entry: "front/server.ts", sources: [...SHOP, "front/a.ts"] },
        null,
        2,
      ),
    });
    expect(lines((await project.run("files")).stdout)).toEqual(SHOP);
    expect(await project.findings()).toEqual(["duplicate sources[3]"]);
    expect((await project.run("check", "--fix")).code).toBe(0);
    expect(JSON.parse(project.read("prefork.config.json"))).toEqual({
      ...{ entry: "front/server.ts", sources: SHOP },
    });
    const { code, stderr } = await project.run("init", "front/server.ts");
    expect([code, stderr.includes("prefork.config.json")]).toEqual([1, true]);
  });
});

describe("reload: false", () => {
  it("a change of such a source reloads nothing, and there is no way from it", async () => {
    const project = new LookedAt(FILES);
    project.manifest(
      '{ entry: "front/server.ts", sources: [{ file: "front/a.ts", reload: false }, "front/b.ts", "front/server.ts"] }',
    );
    const closure = async (...files: string[]): Promise<string> =>
      (await project.run("files", "--closure", ...files)).stdout;
    expect(await closure("front/a.ts")).toBe("");
    expect(lines(await closure("front/a.ts", "front/b.ts"))).toEqual([
      ...["front/b.ts", "front/server.ts"],
    ]);
    const way = ["files", "--why", "front/a.ts", "front/server.ts"];
    const { code, stdout } = await project.run(...way);
    expect([code, stdout.includes('says "reload: false"')]).toEqual([1, true]);
    expect((await project.run("check")).code).toBe(0);
  });
});
