import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PreforkError } from "../../../src/errors.js";
import { defineProject } from "../../../src/manifest/define-project.js";
import {
  evaluateManifest,
  evaluateMixin,
} from "../../../src/manifest/evaluate.js";
import type { RunningCopy } from "../../../src/manifest/bundle-plugin.js";
import { loadProject } from "../../../src/manifest/load-project.js";

let root = "";
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "manifest-")));
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(root, { recursive: true, force: true });
});

const at = (name: string): string => path.join(root, name);

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(at(name)), { recursive: true });
    fs.writeFileSync(at(name), text);
  }
}

async function failure(target?: string): Promise<string> {
  try {
    await loadProject(target, { cwd: root });
  } catch (error) {
    if (error instanceof PreforkError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "no failure";
}

/** What a manifest's default export is, as text in a `name`. */
async function nameFrom(file = "prefork.config.ts"): Promise<string> {
  return (await loadProject(file, { cwd: root })).name;
}

/** Two copies that can be told apart: all of prefork-dev, and what manifests are written with. */
const COPY = Object.fromEntries(
  ["index", "language"].map((name) => [
    `copy/${name}.mjs`,
    `export const defineProject = (config) => ({ ...config, name: "${name}" });
     export const file = () => undefined, createServer = file;`,
  ]),
);

const copy = (): RunningCopy => ({
  index: pathToFileURL(at("copy/index.mjs")),
  language: pathToFileURL(at("copy/language.mjs")),
  worker: pathToFileURL(at("copy/worker.mjs")),
});

describe("a target", () => {
  it("that is an entry file: its package is the root", async () => {
    write({ "package.json": '{"name":"shop"}', "src/deep/server.ts": "" });
    expect(await loadProject("src/deep/server.ts", { cwd: root })).toEqual({
      name: "shop",
      root,
      manifest: undefined,
      isOneOfList: false,
      globs: [],
      listsSources: false,
      entry: at("src/deep/server.ts"),
      sources: [
        {
          path: at("src/deep/server.ts"),
          needs: [],
          standby: true,
          reload: true,
        },
      ],
      preload: [],
      mixins: [],
      server: {},
      steps: [],
      definedBy: [],
    });
  });

  it("that is reached by a link: real paths", async () => {
    write({ "real/package.json": "{}", "real/app.ts": "" });
    fs.symlinkSync(at("real"), at("link"));
    const project = await loadProject("link/app.ts", { cwd: root });
    expect(project.entry).toBe(at("real/app.ts"));
    expect(project.root).toBe(at("real"));
    expect(project.name).toBe("real");
  });

  it.each([
    "prefork.config.ts",
    "prefork.config.mts",
    "prefork.config.js",
    "prefork.config.mjs",
  ])("that is a directory with a %s", async (name) => {
    write({
      "package.json": '{"type":"module"}',
      [name]: 'export default { name: "n", entry: "a.ts" };',
      "a.ts": "",
    });
    const project = await loadProject(undefined, { cwd: root });
    expect(project).toEqual({
      name: "n",
      root,
      manifest: at(name),
      isOneOfList: false,
      globs: [],
      listsSources: false,
      entry: at("a.ts"),
      sources: [{ path: at("a.ts"), needs: [], standby: true, reload: true }],
      preload: [],
      mixins: [],
      server: {},
      steps: [],
      definedBy: [at(name)],
    });
    expect(await loadProject(name, { cwd: root })).toEqual(project);
  });

  it("that is a manifest of another name of the kind", async () => {
    write({
      "api.prefork.config.ts": 'export default { name: "api", entry: "a.ts" };',
      "prefork.config.staging.ts":
        'export default { name: "staging", entry: "a.ts" };',
      "a.ts": "",
    });
    expect(await nameFrom("api.prefork.config.ts")).toBe("api");
    expect(await nameFrom("prefork.config.staging.ts")).toBe("staging");
  });

  it("that is missing is named, with what was probably meant", async () => {
    write({ "src/server.ts": "" });
    expect(await failure("src/sever.ts")).toMatch(
      /^ERR_PREFORK_TARGET The target "src\/sever\.ts" doesn't exist\. Did you mean "src\/server\.ts"\?/,
    );
  });

  it("that is a directory without a manifest: says what was looked for, and which command would work", async () => {
    write({ "app/src/server.ts": "" });
    expect(await failure("app")).toBe(
      "ERR_PREFORK_TARGET No manifest in app: looked for prefork.config.ts, prefork.config.mts, prefork.config.js, prefork.config.mjs, prefork.config.json. " +
        'Name the program to run, "prefork-dev app/src/server.ts", or write a prefork.config.ts.',
    );
    write({
      "app/package.json": '{"main":"bin/www.js"}',
      "app/bin/www.js": "",
    });
    expect(await failure("app")).toContain('"prefork-dev app/bin/www.js"');
    expect(await failure()).toContain('as in "prefork-dev src/server.ts"');
  });

  it("that is no program is refused", async () => {
    write({ "README.md": "" });
    expect(await failure("README.md")).toMatch(
      /^ERR_PREFORK_TARGET The target "README\.md" is no program/,
    );
  });
});

describe("a manifest", () => {
  it("may be TypeScript, import files and packages, and await; what it imports defines it, too", async () => {
    write({
      "prefork.config.ts": `
        import type { ProjectConfig } from "prefork-dev";
        import { readFileSync } from "node:fs";
        import { entry } from "./conf/shared.js";
        import { word } from "pkg";
        import data from "./data.json";
        const name: string = await Promise.resolve(word + data.n + readFileSync(new URL("n.txt", import.meta.url)));
        export default { name, entry } satisfies ProjectConfig;`,
      "conf/shared.ts": 'export const entry = "a.ts";',
      "data.json": '{"n":1}',
      "n.txt": "!",
      "node_modules/pkg/package.json":
        '{"name":"pkg","type":"module","exports":{"module":"./no.js","import":"./index.js"}}',
      "node_modules/pkg/index.js": 'export const word = "esm";',
      "node_modules/pkg/no.js": "throw new Error('for bundlers')",
      "a.ts": "",
    });
    const project = await loadProject(".", { cwd: root });
    expect(project.name).toBe("esm1!");
    expect(project.definedBy).toEqual(
      ["prefork.config.ts", "conf/shared.ts", "data.json"].map(at),
    );
  });

  it("may be CommonJS", async () => {
    write({
      "package.json": "{}",
      "prefork.config.js": `
        const os = require("os");
        const { word } = require("pkg");
        module.exports = { name: word + typeof os.cpus, entry: "a.ts" };`,
      "node_modules/pkg/package.json": '{"name":"pkg"}',
      "node_modules/pkg/index.js": 'exports.word = "cjs ";',
      "a.ts": "",
    });
    expect(await nameFrom("prefork.config.js")).toBe("cjs function");
  });

  it.each([
    ["import.meta.url", () => pathToFileURL(at("prefork.config.ts")).href],
    ["import.meta.dirname", () => root],
    ["import.meta.filename", () => at("prefork.config.ts")],
    ["__dirname", () => root],
    ["__filename", () => at("prefork.config.ts")],
  ])("%s is its own", async (expression, expected) => {
    write({
      "prefork.config.ts": `export default { name: ${expression}, entry: "a.ts" };`,
      "a.ts": "",
    });
    expect(await nameFrom()).toBe(expected());
  });

  it("is evaluated anew by each call", async () => {
    write({ "a.ts": "" });
    for (const name of ["one", "two"]) {
      write({
        "prefork.config.ts": `export default { name: "${name}", entry: "a.ts" };`,
      });
      expect(await nameFrom()).toBe(name);
    }
  });

  it("gets the running prefork-dev, installed or not", async () => {
    write({
      "prefork.config.ts": `
        import { defineProject } from "prefork-dev";
        export default defineProject({ entry: "a.ts" });`,
      ...COPY,
    });
    const manifest = at("prefork.config.ts");
    expect(await evaluateManifest(manifest, root, copy())).toEqual({
      value: { entry: "a.ts", name: "language" },
      definedBy: [manifest],
    });
  });

  it.each([
    [
      'import {\n  file,\n  defineProject,\n} from "prefork-dev";\nexport default defineProject(file("a.ts"));',
      "language",
    ],
    [
      "import { defineProject as define } from 'prefork-dev'; export default define({});",
      "language",
    ],
    [
      'import { createServer, defineProject } from "prefork-dev"; createServer(); export default defineProject({});',
      "index",
    ],
    [
      'import * as all from "prefork-dev"; export default all.defineProject({});',
      "index",
    ],
    [
      'import { file } from "prefork-dev"; const all = await import("prefork-dev"); file(); export default all.defineProject({});',
      "index",
    ],
    [
      'import { defineProject } from "./own.js"; export default defineProject({});',
      "index",
    ],
  ])("gets all of it only if it takes more: %s", async (text, name) => {
    write({
      "prefork.config.ts": text,
      "own.ts": 'export { defineProject } from "prefork-dev";',
      ...COPY,
    });
    const manifest = at("prefork.config.ts");
    const { value } = await evaluateManifest(manifest, root, copy());
    expect(value).toMatchObject({ name });
  });

  it("with a syntax error: file, line, column, frame", async () => {
    write({
      "prefork.config.ts": 'export default {\n  entry: "a.ts" "b",\n};\n',
    });
    expect(await failure()).toBe(
      'ERR_PREFORK_MANIFEST prefork.config.ts can\'t be loaded: Expected "}" but found "\\"b\\""\n' +
        "  at prefork.config.ts:2:17\n\n" +
        "  1 | export default {\n" +
        '> 2 |   entry: "a.ts" "b",\n' +
        "    |                 ^\n" +
        "  3 | };\n" +
        "  4 |\n\n" +
        "Mend the manifest, then try again.",
    );
  });

  it("whose import is missing: where", async () => {
    write({ "prefork.config.ts": 'import x from "no-such-package";\nx;\n' });
    const text = await failure();
    expect(text).toContain('Could not resolve "no-such-package"');
    expect(text).toContain("at prefork.config.ts:1:15");
  });

  it("that throws, in a file that it imports: where", async () => {
    write({
      "prefork.config.ts":
        'import "./conf/bad.js";\nexport default { entry: "a.ts" };',
      "conf/bad.ts":
        'interface Gone {\n  a: string;\n}\n\n  throw new TypeError("not today");\n',
    });
    const text = await failure();
    expect(text).toContain(
      "ERR_PREFORK_MANIFEST prefork.config.ts can't be loaded: it threw TypeError: not today\n  at conf/bad.ts:5:9\n",
    );
    expect(text).toContain('> 5 |   throw new TypeError("not today");');
  });

  it("that throws what is no error", async () => {
    write({ "prefork.config.ts": 'throw "a fit";' });
    expect(await failure()).toContain('it threw "a fit"');
  });

  it("of the wrong shape: the field", async () => {
    write({ "app/prefork.config.ts": "export default { entry: 5 };" });
    expect(await failure("app")).toContain(
      "ERR_PREFORK_MANIFEST app/prefork.config.ts: entry is 5.",
    );
    write({ "app/prefork.config.ts": "export const project = {};" });
    expect(await failure("app")).toContain("has no default export");
  });

  it("says what standbys may evaluate: which sources never, which packages early, each once", async () => {
    write({
      "prefork.config.ts": `export default {
        entry: "a.ts",
        sources: [{ file: "{b,c}.ts", standby: false, reload: true }],
        preload: ["express", "@fastify/cors", "express"],
      };`,
      "a.ts": "",
      "b.ts": "",
      "c.ts": "",
    });
    const project = await loadProject(".", { cwd: root });
    expect(project.sources).toEqual([
      { path: at("b.ts"), needs: [], standby: false, reload: true },
      { path: at("c.ts"), needs: [], standby: false, reload: true },
      { path: at("a.ts"), needs: [], standby: true, reload: true },
    ]);
    expect(project.preload).toEqual(["express", "@fastify/cors"]);
  });

  it("evaluates a module of mixins: TypeScript, with what it imports and the base class", async () => {
    write({
      "m.ts": `import { word } from "./word.ts";
        export default (Base: unknown): string => word + typeof Base;`,
      "word.ts": 'export const word: string = "made ";',
    });
    const made = await evaluateMixin(at("m.ts"), root);
    expect((made as (base: unknown) => string)(1)).toBe("made number");
  });

  it("says where a module of mixins is broken", async () => {
    write({ "m.ts": "export default () => {\n  oops(;\n};\n" });
    await expect(evaluateMixin(at("m.ts"), root)).rejects.toMatchObject({
      code: "ERR_PREFORK_MIXIN",
      message: expect.stringMatching(
        /^m\.ts can't be loaded: [^]*m\.ts:2:8[^]*Mend the mixin/,
      ) as string,
    });
    write({ "m.ts": '\nthrow new Error("not today");' });
    await expect(evaluateMixin(at("m.ts"), root)).rejects.toThrow(
      /it threw Error: not today\n {2}at m\.ts:2/,
    );
  });

  it("leaves no file behind, loaded or not", async () => {
    write({ "tmp/keep": "" });
    vi.stubEnv("TMPDIR", at("tmp"));
    write({ "prefork.config.ts": "throw 1;" });
    await failure();
    write({
      "prefork.config.ts": 'export default { entry: "a.ts" };',
      "a.ts": "",
    });
    await loadProject(".", { cwd: root });
    expect(fs.readdirSync(at("tmp"))).toEqual(["keep"]);
    expect(fs.readdirSync(root).sort()).toEqual([
      "a.ts",
      "prefork.config.ts",
      "tmp",
    ]);
  });
});

describe("sources on the real file system", () => {
  it("globs: files only, no dotfiles, no node_modules, in order", async () => {
    write({
      "prefork.config.ts": `export default { entry: "src/b.ts", sources: ["**/*.ts", "src/q.sql"] };`,
      "src/b.ts": "",
      "src/a.ts": "",
      "src/a-z.ts": "",
      "src/a/z.ts": "",
      "src/Z.ts": "",
      "src/dir.ts/inner.txt": "",
      "src/.hidden.ts": "",
      "src/q.sql": "",
      "node_modules/p/x.ts": "",
      "src/node_modules/p/x.ts": "",
    });
    const project = await loadProject(".", { cwd: root });
    expect(
      project.sources.map((source) => path.relative(root, source.path)),
    ).toEqual([
      "src/Z.ts",
      "src/a-z.ts",
      "src/a.ts",
      "src/a/z.ts",
      "src/b.ts",
      "src/q.sql",
    ]);
  });

  it("a path with brackets, a directory with needs, above the manifest", async () => {
    write({
      "shared/schema.sql": "",
      "app/prefork.config.ts": `export default {
        entry: "server.ts",
        sources: ["../shared/*.sql", { directory: "routes", sources: ["[id].ts"], needs: ["../shared/schema.sql"] }],
      };`,
      "app/routes/[id].ts": "",
      "app/server.ts": "",
    });
    const project = await loadProject("app", { cwd: root });
    expect(project.sources).toEqual([
      { path: at("shared/schema.sql"), needs: [], standby: true, reload: true },
      {
        path: at("app/routes/[id].ts"),
        needs: [at("shared/schema.sql")],
        standby: true,
        reload: true,
      },
      { path: at("app/server.ts"), needs: [], standby: true, reload: true },
    ]);
  });

  it("errors name the manifest as seen from the working directory", async () => {
    write({
      "app/prefork.config.ts":
        'export default { entry: "server.ts", sources: [{ directory: "models", sources: ["usr.ts"] }] };',
      "app/models/user.ts": "",
      "app/server.ts": "",
    });
    expect(await failure("app")).toBe(
      'ERR_PREFORK_SOURCE_MISSING app/prefork.config.ts: sources[0].sources[0] "usr.ts" doesn\'t exist in models. ' +
        'Did you mean "user.ts"? Correct the path, or make the file.',
    );
  });
});

describe("defineProject", () => {
  it("hands back what it got", () => {
    const config = { entry: "a.ts" };
    expect(defineProject(config)).toBe(config);
  });
});
