/** What modules may contain runs as under plain Node, with original paths, and reloads. */
import { expect, test } from "vitest";
import fs from "node:fs";
import { makeApp } from "./helpers/app.js";
import { get, reloaded, startSession } from "./helpers/session.js";

async function answerOf(port: number, path = "/"): Promise<unknown> {
  return JSON.parse((await get(port, path)).text);
}

const serve = `http.createServer(async (request, response) => {
  response.end(JSON.stringify(await answer(request.url)));
}).listen(3000);`;

test("ESM: paths, JSON, computed import(), import.meta, top-level await, cycles, CommonJS from ESM", async () => {
  const app = makeApp({
    "package.json": `{ "private": true, "type": "module", "imports": { "#inner": "./src/inner.ts" } }`,
    "tsconfig.json": `{ "extends": "./tsconfig.base.json" }`,
    "tsconfig.base.json": `{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }`,
    "data.json": `{ "name": "data", "list": [1, 2] }`,
    "src/inner.ts": `export const inner = "inner";`,
    "src/aliased.ts": `export const aliased = "aliased";`,
    "src/legacy.cts": `import path = require("node:path");
export const here = path.basename(__filename);
export const directory = __dirname;`,
    "src/view.tsx": `/** @jsxRuntime classic @jsx h */
const h = (name: string, _props: unknown, ...children: string[]) => "<" + name + ">" + children.join("");
export const view = <b>bold</b>;`,
    "src/a.ts": `import { b } from "./b.ts";
export const a = () => "a" + b().length;`,
    "src/b.ts": `import { a } from "./a.ts";
export const b = () => "b" + typeof a;`,
    "src/plugins/one.ts": `export default "plugin one";`,
    "src/server.ts": `import http from "node:http";
import fs from "node:fs/promises";
import { inner } from "#inner";
import { aliased } from "@/aliased.js";
import data, { name } from "../data.json" with { type: "json" };
import { here, directory } from "./legacy.cjs";
import { view } from "./view.tsx";
import { a } from "./a.ts";
const own = await fs.readFile(new URL(import.meta.url), "utf8");
async function answer(url: string) {
  const plugin = url.slice(1) || "one";
  return {
    inner, aliased, data, name, here, directory, view, cycle: a(),
    meta: [import.meta.url, import.meta.dirname, import.meta.filename, import.meta.resolve("./inner.ts")],
    own: own.includes("const own"),
    plugin: (await import(\`./plugins/\${plugin}.ts\`)).default,
  };
}
${serve}`,
  });
  const { cli, port } = await startSession(app, { workers: 1 });
  const file = app.path("src/server.ts");
  const expected = {
    inner: "inner",
    aliased: "aliased",
    data: { name: "data", list: [1, 2] },
    name: "data",
    here: "legacy.cts",
    directory: app.path("src"),
    view: "<b>bold",
    cycle: "a9",
    meta: [
      `file://${file}`,
      app.path("src"),
      file,
      `file://${app.path("src/inner.ts")}`,
    ],
    own: true,
    plugin: "plugin one",
  };
  expect(await answerOf(port)).toEqual(expected);

  // The plugin was found at run time; saving it reloads its importer.
  let from = cli.lines.length;
  app.write("src/plugins/one.ts", `export default "plugin 1";`);
  await reloaded(cli, "done", from);
  expect(await answerOf(port)).toEqual({ ...expected, plugin: "plugin 1" });

  from = cli.lines.length;
  app.write("src/plugins/two.ts", `export default "plugin two";`);
  expect(await answerOf(port, "/two")).toMatchObject({ plugin: "plugin two" });

  // tsconfig, and what it extends, are watched.
  app.write("src/other/aliased.ts", `export const aliased = "other";`);
  app.write(
    "tsconfig.base.json",
    `{ "compilerOptions": { "paths": { "@/*": ["./src/other/*"] } } }`,
  );
  await reloaded(cli, "done", from);
  expect(await answerOf(port)).toMatchObject({ aliased: "other" });
});

test("CommonJS: literal and computed require, __dirname, require.resolve, require.main, JSON, dynamic import", async () => {
  const app = makeApp({
    "package.json": `{ "private": true }`,
    "data.json": `{ "name": "data" }`,
    "src/part.ts": `export const part = "part";`,
    "src/plain.js": `module.exports = { plain: true, main: require.main === module };`,
    "src/plugins/one.ts": `module.exports = "plugin one";`,
    "src/esm.mts": `export const esm = import.meta.filename;`,
    "src/server.ts": `import http from "node:http";
import { part } from "./part";
const name = "one";
async function answer() {
  return {
    part,
    plain: require("./plain"),
    data: require("../data.json"),
    plugin: require("./plugins/" + name),
    express: typeof require("express"),
    main: require.main === module,
    paths: [__filename, __dirname, require.resolve("./part")],
    esm: (await import("./esm.mjs")).esm,
    missing: attempt(() => require("./missing" + name)),
  };
}
function attempt(action: () => unknown): unknown {
  try { return action(); } catch (error) { return (error as { code: string }).code; }
}
${serve}`,
  });
  const { cli, port } = await startSession(app, { workers: 1 });
  expect(await answerOf(port)).toEqual({
    part: "part",
    plain: { plain: true, main: false },
    data: { name: "data" },
    plugin: "plugin one",
    express: "function",
    main: true,
    paths: [
      app.path("src/server.ts"),
      app.path("src"),
      app.path("src/part.ts"),
    ],
    esm: app.path("src/esm.mts"),
    missing: "MODULE_NOT_FOUND",
  });
  const from = cli.lines.length;
  app.write("src/plugins/one.ts", `module.exports = "plugin 1";`);
  await reloaded(cli, "done", from);
  expect(await answerOf(port)).toMatchObject({ plugin: "plugin 1" });
});

test("a linked workspace package outside the root is a source", async () => {
  const app = makeApp({
    "server/package.json": `{ "private": true, "type": "module" }`,
    "shared/package.json": `{ "name": "shared", "type": "module", "exports": "./index.ts" }`,
    "shared/index.ts": `export const shared = "one";`,
    "server/src/server.ts": `import http from "node:http";
import { shared } from "shared";
const answer = () => shared;
${serve}`,
  });
  fs.mkdirSync(app.path("server/node_modules"));
  fs.symlinkSync(app.path("shared"), app.path("server/node_modules/shared"));
  const { cli, port } = await startSession(app, {
    target: "server/src/server.ts",
    workers: 1,
  });
  expect(await answerOf(port)).toBe("one");
  const from = cli.lines.length;
  app.write("shared/index.ts", `export const shared = "two";`);
  await reloaded(cli, "done", from);
  expect(await answerOf(port)).toBe("two");
});

test("a path with spaces, quotes, # and %", async () => {
  const app = makeApp({
    "it's a #1 100% dir/src/server.ts": `import http from "node:http";
import { part } from "./pa rt.ts";
const answer = () => [part, import.meta.dirname, new Error("x").stack.includes(import.meta.filename + ":3:")];
${serve}`,
    "it's a #1 100% dir/src/pa rt.ts": `export const part = "one";`,
    "it's a #1 100% dir/package.json": `{ "type": "module" }`,
  });
  const directory = "it's a #1 100% dir/src";
  const { cli, port } = await startSession(app, {
    target: `${directory}/server.ts`,
    workers: 1,
  });
  expect(await answerOf(port)).toEqual(["one", app.path(directory), true]);
  const from = cli.lines.length;
  app.write(`${directory}/pa rt.ts`, `export const part = "two";`);
  await reloaded(cli, "done", from);
  expect(await answerOf(port)).toEqual(["two", app.path(directory), true]);
});
