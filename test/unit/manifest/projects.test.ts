/** Several projects in one manifest, and how one is chosen; JSON; the server's options; what a failed load looked at. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PreforkError } from "../../../src/errors.js";
import {
  defineProject,
  directory,
  file,
} from "../../../src/manifest/define-project.js";
import { filesLookedAt } from "../../../src/manifest/files-of.js";
import {
  findProject,
  loadProject,
  loadProjects,
  reloadProject,
} from "../../../src/manifest/load-project.js";
import { locateProject } from "../../../src/manifest/locate-project.js";

let root = "";
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "projects-")));
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

const at = (name: string): string => path.join(root, name);

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(at(name)), { recursive: true });
    fs.writeFileSync(at(name), text);
  }
}

async function thrown(task: () => Promise<unknown>): Promise<PreforkError> {
  try {
    await task();
  } catch (error) {
    if (error instanceof PreforkError) return error;
    throw error;
  }
  throw new Error("no failure");
}

async function failure(task: () => Promise<unknown>): Promise<string> {
  const { code, message } = await thrown(task);
  return `${code} ${message}`;
}

const TWO = `export default [
  { name: "shop", entry: "shop.ts", server: { workers: 3 } },
  { name: "admin", entry: "admin.ts" },
];`;

function writeTwo(directory = "."): void {
  write({
    [`${directory}/prefork.config.ts`]: TWO,
    [`${directory}/shop.ts`]: "",
    [`${directory}/admin.ts`]: "",
  });
}

describe("a manifest with several projects", () => {
  it.each([
    ["by its name as the target", "shop", {}],
    ["behind #", ".#shop", {}],
    ["behind # alone", "#shop", {}],
    ["behind the manifest's path and #", "prefork.config.ts#shop", {}],
    ["by the option", ".", { project: "shop" }],
  ])("gives one of them: %s", async (_how, target, options) => {
    writeTwo();
    const project = await loadProject(target, { cwd: root, ...options });
    expect(project).toMatchObject({
      name: "shop",
      entry: at("shop.ts"),
      isOneOfList: true,
      server: { workers: 3 },
    });
  });

  it("elsewhere is named by its directory", async () => {
    writeTwo("apps");
    const { name } = await loadProject("apps#admin", { cwd: root });
    expect(name).toBe("admin");
  });

  it("gives none if none was chosen: the error has their names", async () => {
    writeTwo();
    expect(await failure(() => loadProject(".", { cwd: root }))).toBe(
      'ERR_PREFORK_PROJECT prefork.config.ts has several projects: shop, admin. Say which: "prefork-dev prefork.config.ts#shop", ' +
        'or as the option { project: "shop" }.',
    );
  });

  it("prefers a path to a name", async () => {
    writeTwo();
    write({ "shop/prefork.config.ts": 'export default { entry: "a.ts" };' });
    write({ "shop/a.ts": "" });
    const { entry } = await loadProject("shop", { cwd: root });
    expect(entry).toBe(at("shop/a.ts"));
  });

  it("resolves only the one that is chosen", async () => {
    writeTwo();
    fs.rmSync(at("admin.ts"));
    expect((await loadProject("shop", { cwd: root })).name).toBe("shop");
    expect(await failure(() => loadProject("admin", { cwd: root }))).toContain(
      'ERR_PREFORK_SOURCE_MISSING prefork.config.ts, project "admin": entry "admin.ts" doesn\'t exist.',
    );
  });

  it("gives all of them, in the order written", async () => {
    writeTwo();
    const all = await loadProjects(".", { cwd: root });
    expect(all.map(({ name }) => name)).toEqual(["shop", "admin"]);
    const chosen = await loadProjects("admin", { cwd: root });
    expect(chosen.map(({ name }) => name)).toEqual(["admin"]);
    const single = await loadProjects("shop.ts", { cwd: root });
    expect(single.map(({ entry }) => entry)).toEqual([at("shop.ts")]);
  });

  it("may be a list of one, which needs no choice", async () => {
    write({
      "prefork.config.ts": 'export default [{ name: "a", entry: "a.ts" }];',
      "a.ts": "",
    });
    expect((await loadProject(".", { cwd: root })).isOneOfList).toBe(true);
  });
});

describe("an unknown name", () => {
  it("as the target: what was probably meant, a project or a file", async () => {
    writeTwo();
    expect(await failure(() => loadProject("shpo", { cwd: root }))).toBe(
      'ERR_PREFORK_TARGET The target "shpo" doesn\'t exist, and prefork.config.ts has no project of that name. Did you mean "shop"? It has: shop, admin. ' +
        "Give it an entry file, a manifest, a directory that holds one, or the name of one of its projects.",
    );
    write({ "server/package.json": "{}" });
    expect(await failure(() => loadProject("serve", { cwd: root }))).toContain(
      'Did you mean "server"?',
    );
    expect(await failure(() => loadProject("shp.ts", { cwd: root }))).toMatch(
      /^ERR_PREFORK_TARGET The target "shp\.ts" doesn't exist\. Did you mean "shop\.ts"\? Give/,
    );
  });

  it("of a project", async () => {
    writeTwo();
    const options = { cwd: root, project: "admn" };
    expect(await failure(() => loadProject(".", options))).toBe(
      'ERR_PREFORK_PROJECT prefork.config.ts has no project "admn". Did you mean "admin"? It has: shop, admin.',
    );
  });

  it("of a project, where the target is an entry file", async () => {
    write({ "package.json": '{ "name": "n" }', "a.ts": "" });
    expect(
      await failure(() => loadProject("a.ts", { cwd: root, project: "other" })),
    ).toContain('ERR_PREFORK_PROJECT a.ts has no project "other". It has: n.');
  });
});

describe("findProject", () => {
  it("finds by name, in the manifest here or elsewhere", async () => {
    writeTwo("apps");
    const options = { cwd: root, target: "apps" };
    expect((await findProject("shop", options)).entry).toBe(at("apps/shop.ts"));
    const here = await findProject("admin", { cwd: at("apps") });
    expect(here.entry).toBe(at("apps/admin.ts"));
  });

  it("knows the only project of a manifest by its package's name, too", async () => {
    write({
      "package.json": '{ "name": "@team/shop" }',
      "prefork.config.ts": 'export default { entry: "a.ts" };',
      "a.ts": "",
    });
    const found = await findProject("@team/shop", { cwd: root });
    expect(found.entry).toBe(at("a.ts"));
    expect(await failure(() => findProject("shop", { cwd: root }))).toContain(
      'has no project "shop". It has: @team/shop.',
    );
  });

  it("hands a project back", async () => {
    writeTwo();
    const project = await loadProject("shop", { cwd: root });
    expect(await findProject(project)).toBe(project);
  });

  it("says what was probably meant", async () => {
    writeTwo();
    expect(await failure(() => findProject("Shop", { cwd: root }))).toContain(
      'ERR_PREFORK_PROJECT prefork.config.ts has no project "Shop". Did you mean "shop"?',
    );
  });
});

describe("locateProject", () => {
  it("knows a project of several as its server does, broken or not", async () => {
    writeTwo();
    const { root: of, manifest } = await loadProject("shop", { cwd: root });
    write({ "prefork.config.ts": "broken" });
    const located = { root: of, target: `${manifest ?? ""}#shop` };
    expect(locateProject("shop", root)).toEqual(located);
    expect(locateProject("prefork.config.ts#shop", root)).toEqual(located);
  });
});

describe("reloadProject", () => {
  it("gives the one of the same name", async () => {
    writeTwo();
    const before = await loadProject("admin", { cwd: root });
    write({ "prefork.config.ts": TWO.replace('"admin.ts"', '"shop.ts"') });
    expect(await reloadProject(before)).toEqual({
      ...before,
      entry: at("shop.ts"),
      sources: [{ ...before.sources[0], path: at("shop.ts") }],
    });
    write({ "prefork.config.ts": TWO.replace("admin", "office") });
    const error = await thrown(() => reloadProject(before));
    expect(error.code).toBe("ERR_PREFORK_PROJECT");
    expect(filesLookedAt(error)).toEqual([at("prefork.config.ts")]);
  });

  it("gives the only one, whatever its name is now", async () => {
    write({
      "prefork.config.ts": 'export default { name: "a", entry: "a.ts" };',
      "a.ts": "",
    });
    const before = await loadProject(".", { cwd: root });
    write({
      "prefork.config.ts": 'export default { name: "b", entry: "a.ts" };',
    });
    expect((await reloadProject(before)).name).toBe("b");
  });
});

describe("prefork.config.json", () => {
  it("is a manifest, as the directory's or by its name", async () => {
    write({
      "prefork.config.json": `{
        "$schema": "./node_modules/prefork-dev/dist/prefork.config.schema.json",
        "entry": "a.ts",
        "sources": ["b.sql", { "file": "a.ts", "needs": ["b.sql"] }]
      }`,
      "a.ts": "",
      "b.sql": "",
    });
    const project = await loadProject(".", { cwd: root });
    expect(project).toMatchObject({
      manifest: at("prefork.config.json"),
      steps: [],
      definedBy: [at("prefork.config.json")],
      sources: [
        { path: at("b.sql"), needs: [] },
        { path: at("a.ts"), needs: [at("b.sql")] },
      ],
    });
    expect(project).not.toHaveProperty("$schema");
    expect(await loadProject("prefork.config.json", { cwd: root })).toEqual(
      project,
    );
  });

  it("may be a list", async () => {
    write({
      "prefork.config.json": '[{ "name": "a", "entry": "a.ts" }]',
      "a.ts": "",
    });
    expect((await loadProject("a", { cwd: root })).name).toBe("a");
  });

  it("with a syntax error: where", async () => {
    write({ "prefork.config.json": '{\n  "entry": "a.ts",,\n}\n' });
    const text = await failure(() => loadProject(".", { cwd: root }));
    expect(text).toContain(
      "ERR_PREFORK_MANIFEST prefork.config.json can't be loaded:",
    );
    expect(text).toContain("at prefork.config.json:2:19\n");
  });

  it("of the wrong shape: the field", async () => {
    write({ "prefork.config.json": '{ "entry": 5 }' });
    expect(await failure(() => loadProject(".", { cwd: root }))).toContain(
      "prefork.config.json: entry is 5.",
    );
  });
});

it("the server's paths are relative to the manifest, its other texts are not paths", async () => {
  write({
    "app/prefork.config.ts": `export default { entry: "a.ts", server: {
      envFile: "../.env", cwd: ".", output: "log/out", pidFile: "/run/x.pid", control: "c.sock",
      host: "localhost", args: ["a/b"], env: { A: "./x" }, workers: undefined,
    } };`,
    "app/a.ts": "",
  });
  const { server } = await loadProject("app", { cwd: root });
  expect(server).toStrictEqual({
    envFile: at(".env"),
    cwd: at("app"),
    output: at("app/log/out"),
    pidFile: "/run/x.pid",
    control: at("app/c.sock"),
    host: "localhost",
    args: ["a/b"],
    env: { A: "./x" },
  });
});

it("file and directory are the object forms", () => {
  expect(file("a.ts")).toEqual({ file: "a.ts" });
  expect(
    defineProject({
      entry: "a.ts",
      sources: [
        directory("models", ["b.ts", file("*.ts", { needs: ["b.ts"] })], {
          standby: false,
        }),
        directory("views", ["*.html"]),
        file("c.json", { reload: false }),
      ],
    }),
  ).toEqual({
    entry: "a.ts",
    sources: [
      {
        directory: "models",
        sources: ["b.ts", { file: "*.ts", needs: ["b.ts"] }],
        standby: false,
      },
      { directory: "views", sources: ["*.html"] },
      { file: "c.json", reload: false },
    ],
  });
});

describe("a load that fails knows what it looked at", () => {
  const looked = async (): Promise<readonly string[]> =>
    filesLookedAt(await thrown(() => loadProject(".", { cwd: root })));
  const MANIFEST = 'import { entry } from "./conf/entry.js";\n';

  it("when a file that it imports has a syntax error", async () => {
    write({
      "prefork.config.ts": `${MANIFEST}export default { entry };`,
      "conf/entry.ts": "const",
    });
    expect(await looked()).toEqual(
      expect.arrayContaining([at("prefork.config.ts"), at("conf/entry.ts")]),
    );
  });

  it("when a file that it imports isn't there: what it may be", async () => {
    write({ "prefork.config.ts": `${MANIFEST}export default { entry };` });
    expect(await looked()).toEqual(
      expect.arrayContaining([
        at("prefork.config.ts"),
        at("conf/entry.js"),
        at("conf/entry.ts"),
      ]),
    );
  });

  it("when data that it imports is broken", async () => {
    write({
      "prefork.config.ts": 'import d from "./d.json"; export default d;',
      "d.json": "{",
    });
    expect(await looked()).toContain(at("d.json"));
  });

  it.each([
    ["throws", "throw 1; export const entry = 1;"],
    ["makes the wrong shape", "export const entry = 1;"],
    ["names what isn't there", 'export const entry = "gone.ts";'],
  ])("when a file that it imports %s", async (_what, text) => {
    write({
      "prefork.config.ts": `${MANIFEST}export default { entry };`,
      "conf/entry.ts": text,
    });
    expect(await looked()).toEqual(
      expect.arrayContaining([at("prefork.config.ts"), at("conf/entry.ts")]),
    );
  });

  it("when a source is missing: that, too", async () => {
    write({
      "prefork.config.ts":
        'export default { entry: "a.ts", sources: ["b/c.ts"] };',
      "a.ts": "",
    });
    expect(await looked()).toEqual([at("b/c.ts"), at("prefork.config.ts")]);
  });
});
