import { mkdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { built, testProject } from "./project.js";
import type { TestProject } from "./project.js";

const MODULE = { "package.json": `{"name":"app","type":"module"}` };

async function compileAndRun(
  project: TestProject,
  entry = "src/main.ts",
): Promise<unknown> {
  const compiler = await project.compiler({ entry });
  const { output } = built(await compiler.build());
  return await project.run(output);
}

it("runs ES modules with every form of import", async () => {
  const project = await testProject({
    ...MODULE,
    "src/main.ts": `
      import fs from "node:fs";
      import type { T } from "./types.js";
      import { a } from "./a.js";
      import b from "./b";
      import * as c from "./c/index.js";
      import d from "./d.cjs";
      import data, { name } from "./data.json" with { type: "json" };
      export * from "./a.js";
      const lazy = await import("./lazy.js");
      const json = await import("./data.json", { with: { type: "json" } });
      const t: T = 1;
      console.log(JSON.stringify({ t, fs: typeof fs.readFileSync, a, b, c: c.c, d, name, data, lazy: lazy.default, json: json.default.name }));
    `,
    "src/types.ts": "export type T = number;",
    "src/a.ts": "export const a: string = 'a';",
    "src/b.tsx": "export default 'b';",
    "src/c/index.ts": "export { c } from '../c2.mjs';",
    "src/c2.mts": "export const c = 'c';",
    "src/d.cts": "module.exports = { d: require('./data.json').name };",
    "src/lazy.ts": "export default 'lazy';",
    "src/data.json": `{"name":"json","__proto__":1,"class":2}`,
  });
  expect(await compileAndRun(project)).toEqual({
    t: 1,
    fs: "function",
    a: "a",
    b: "b",
    c: "c",
    d: { d: "json" },
    name: "json",
    data: JSON.parse(`{"name":"json","__proto__":1,"class":2}`) as unknown,
    lazy: "lazy",
    json: "json",
  });
});

it("runs CommonJS with its named exports visible to ES modules", async () => {
  const project = await testProject({
    "package.json": "{}",
    "src/main.mts": `
      import { own, re, legacy } from "./typed.js";
      import { one, two } from "./plain.js";
      import all from "./whole.cjs";
      console.log(JSON.stringify({ own, re, legacy, one, two, all }));
    `,
    "src/typed.ts": `
      export const own = "own";
      export * from "./re";
      export { default as legacy } from "./legacy.cjs";
    `,
    "src/re.ts": "export const re: string = 're';",
    "src/legacy.cjs": "module.exports = 'legacy';",
    "src/plain.js": "module.exports = require('./numbers');",
    "src/numbers.js": "exports.one = 1; exports.two = 2;",
    "src/whole.cjs": `"use strict"; module.exports = (function () { return this === undefined; })();`,
  });
  expect(await compileAndRun(project, "src/main.mts")).toEqual({
    own: "own",
    re: "re",
    legacy: "legacy",
    one: 1,
    two: 2,
    all: true,
  });
});

it("decides on the format as Node does", async () => {
  const project = await testProject({
    "package.json": "{}",
    "src/main.mts": `
      import "./plain.ts"; import "./meta.ts"; import "./await.ts";
      import "./module.js"; import "./script.js"; import "./top.js"; import "./view.jsx";
    `,
    "src/plain.ts": "export const a = 1;",
    "src/meta.ts": "export const url = import.meta.url;",
    "src/await.ts": "export const a = await 1;",
    "src/module.js": "export const a = 1;",
    "src/script.js": "exports.a = 1;",
    "src/top.js": "await 1;",
    "src/view.jsx": "export const view = () => null;",
  });
  const compiler = await project.compiler({ entry: "src/main.mts" });
  const { sources } = built(await compiler.build());
  const formats = Object.fromEntries(
    [...sources.values()].map(({ path, output = "" }) => [
      path.slice(project.path("src/").length),
      output.slice(-4),
    ]),
  );
  expect(formats).toEqual({
    "main.mts": ".mjs",
    "plain.ts": ".cjs",
    "meta.ts": ".mjs",
    "await.ts": ".mjs",
    "module.js": ".mjs",
    "script.js": ".cjs",
    "top.js": ".mjs",
    "view.jsx": ".mjs",
  });
});

it("lets import.meta and __filename mean the original", async () => {
  const project = await testProject(
    {
      ...MODULE,
      "src/main.ts": `
        import cjs from "./cjs.cjs";
        const meta = import.meta;
        console.log(JSON.stringify({
          url: import.meta.url, dirname: import.meta.dirname, filename: import.meta.filename,
          all: [meta.url, meta.dirname, meta.filename], resolve: import.meta.resolve("x"), cjs,
        }));
      `,
      "src/cjs.cts":
        "module.exports = [__filename, __dirname, import.meta.url];",
    },
    // Every character that means something in a URL.
    "a p#p?100%25",
  );
  const path = project.path("src/main.ts");
  const url = pathToFileURL(path).href;
  expect(await compileAndRun(project)).toEqual({
    url,
    dirname: dirname(path),
    filename: path,
    all: [url, dirname(path), path],
    resolve: `x from ${path}`,
    cjs: [
      project.path("src/cjs.cts"),
      dirname(path),
      pathToFileURL(project.path("src/cjs.cts")).href,
    ],
  });
});

it("asks at run time for computed imports", async () => {
  const project = await testProject({
    ...MODULE,
    "src/main.ts": `
      const name = "fs";
      const { default: fs } = await import(\`node:\${name}\`);
      const nested = await import((await import("./name.js")).default);
      const options = await import("node:" + name, { with: {} });
      console.log(JSON.stringify({ same: fs === options.default, nested: typeof nested.join, asked: globalThis.asked }));
    `,
    "src/name.ts": "export default 'node:path';",
  });
  const from = project.path("src/main.ts");
  expect(await compileAndRun(project)).toEqual({
    same: true,
    nested: "function",
    asked: [
      ["node:fs", from],
      ["node:path", from],
      ["node:fs", from],
    ],
  });
});

it("drops the attributes of a computed import that turns out to be a JSON source", async () => {
  const project = await testProject({
    ...MODULE,
    "src/main.ts": `
      import "./de.json" with { type: "json" };
      const language = "de";
      const { default: texts } = await import(\`./\${language}.json\`, { with: { type: "json" } });
      console.log(JSON.stringify(texts));
    `,
    "src/de.json": `{"hello":"Hallo"}`,
  });
  const compiler = await project.compiler();
  const build = built(await compiler.build());
  const json = build.sources.get(project.path("src/de.json"))?.output ?? "";
  const answers = { "./de.json": pathToFileURL(json).href };
  expect(await project.run(build.output, answers)).toEqual({ hello: "Hallo" });
});

it("resolves packages, built-ins, paths, #imports and workspace packages as Node and TypeScript do", async () => {
  const project = await testProject({
    "package.json": `{"name":"app","type":"module","imports":{"#own":"./src/own.js","#dep":"dep"},"exports":"./src/own.js"}`,
    "base.json": `{"compilerOptions":{"paths":{"@/*":["./src/*"],"typed":["./types/typed.d.ts"]}}}`,
    "tsconfig.json": `{"extends":"./base.json"}`,
    "types/typed.d.ts": "export {};",
    "src/main.ts": `
      import dep from "dep";
      import { format } from "dep/sub";
      import main from "main";
      import typed from "typed";
      import { own } from "#own";
      import viaHash from "#dep";
      import { own as self } from "app";
      import { own as aliased } from "@/own";
      import { workspace } from "workspace";
      import pkg from "dep/package.json";
      import cjs from "./cjs.cjs";
      import "./own.js?twice";
      console.log(JSON.stringify({ dep, format, main, typed, own, same: viaHash === dep, self, aliased, workspace, pkg: pkg.name, cjs, loads: globalThis.loads }));
    `,
    "src/own.ts":
      "globalThis.loads = (globalThis.loads ?? 0) + 1; export const own = 'own';",
    "src/cjs.cts": "module.exports = require('dep');",
    "node_modules/dep/package.json": `{"name":"dep","exports":{".":{"import":"./i.mjs","require":"./r.cjs"},"./sub":"./sub.js","./package.json":"./package.json"}}`,
    "node_modules/dep/i.mjs": "export default 'import';",
    "node_modules/dep/r.cjs": "module.exports = 'require';",
    "node_modules/dep/sub.js": "exports.format = 'commonjs';",
    "node_modules/main/package.json": `{"name":"main","main":"./lib/index.js"}`,
    "node_modules/main/lib/index.js": "module.exports = 'js';",
    "node_modules/main/lib/index.ts":
      "throw new Error('TypeScript beside it');",
    "node_modules/typed/index.js": "module.exports = 'typed';",
    "../packages/workspace/package.json": `{"name":"workspace","type":"module","exports":"./index.js"}`,
    "../packages/workspace/index.ts":
      "export const workspace: string = 'workspace';",
  });
  mkdirSync(project.path("node_modules"), { recursive: true });
  symlinkSync(
    project.path("../packages/workspace"),
    project.path("node_modules/workspace"),
  );
  const compiler = await project.compiler();
  const build = built(await compiler.build());
  expect(await project.run(build.output)).toEqual({
    dep: "import",
    format: "commonjs",
    main: "js",
    typed: "typed",
    own: "own",
    same: true,
    self: "own",
    aliased: "own",
    workspace: "workspace",
    pkg: "dep",
    cjs: "require",
    loads: 2,
  });
  expect([...build.sources.keys()]).toContain(
    project.path("../packages/workspace/index.ts"),
  );
});

it("keeps cycles, hashbangs and lines", async () => {
  const project = await testProject({
    ...MODULE,
    "src/main.ts": `#!/usr/bin/env node
import { b } from "./a.js";
interface Gone { a: string }
function fail(): never {
  throw new Error("here");
}
try { fail(); } catch (error) {
  console.log(JSON.stringify({ b: b(), at: /main\\.ts:\\d+:\\d+/.exec(String((error as Error).stack))?.[0] }));
}`,
    "src/a.ts": `import { c } from "./c.js"; export const a = 1; export const b = () => c() + 1;`,
    "src/c.ts": `import { a } from "./a.js"; export const c = () => a + 1;`,
  });
  expect(await compileAndRun(project)).toEqual({ b: 3, at: "main.ts:5:9" });
});

it("takes JSX and decorators from the nearest tsconfig", async () => {
  const project = await testProject({
    ...MODULE,
    "src/tsconfig.json": `{"compilerOptions":{"jsx":"react","jsxFactory":"h","experimentalDecorators":true}}`,
    "src/main.tsx": `
      const h = (tag: string) => tag;
      const seen: string[] = [];
      const note = (_: unknown, name: string) => { seen.push(name); };
      class A { @note method(): void {} }
      console.log(JSON.stringify([<b />, seen, A.name]));
    `,
  });
  expect(await compileAndRun(project, "src/main.tsx")).toEqual([
    "b",
    ["method"],
    "A",
  ]);
});
