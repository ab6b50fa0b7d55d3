import { describe, expect, it } from "vitest";
import { isInert } from "../../../src/compiler/inert.js";
import { transform } from "../../../src/compiler/transform.js";

/** Asks as the compiler does: about what esbuild makes of TypeScript. */
async function asks(
  text: string,
  type: "module" | "commonjs",
): Promise<boolean> {
  const { linkable } = await transform({
    path: "/app/src/a.ts",
    text,
    loader: "ts",
    packageType: type,
    tsconfigRaw: "{}",
  });
  return isInert(linkable.code, linkable.format);
}

/** Written as ES modules: inert in either format. */
const INERT = [
  "",
  `import "./side.js"; import a, { b } from "./a.js"; import * as c from "c"; export const f = () => a(b, c);`,
  `export * from "./a.js"; export * as ns from "./b.js"; export { x as y } from "./c.js"; export type { T } from "./t.js";`,
  `export interface User { id: number } export type Id = User["id"]; declare const x: number;`,
  `export enum Colour { Red, Green = 5, Blue = "b", Shift = 1 << 2, Negative = -1 } export const enum Size { S, L }`,
  `export function f(): never { throw new Error(); } async function* g() {} export default function () {}`,
  `const SECOND = 1_000; export const DAY = 24 * 60 * 60 * SECOND; export const text = "a" + \`b\${DAY}\` + -1;`,
  `export const a = { b: [1, , "c", null, /x/g, 5n], d() {}, get e() { return side(); }, "f-g": void 0, 1: 2 };`,
  `let x; var y = 1; export let z = !x ? y : undefined; const f = function () {}, g = f; export { f, g };`,
  `export const on = true && !false; export const kind = typeof 1; export const isOne = 1 === 1; export const small = 1 < 2;`,
  `class A { #p = side(); static z = 1; constructor(private readonly x: number) { side(); } static m() {} get v() { return 1; } }
   export class B extends A { y = side(); } export default class extends B {}`,
  `const Base = class {}; export class C extends Base { 'quoted'() {} }`,
  `export const lazy = () => import("./lazy.js"); export const use = async () => await fetch(process.env.URL);`,
  `export const config = { port: 3000, hosts: ["a", "b"], nested: { on: true } } as const satisfies object;`,
  `"use strict"; ;;`,
];

/** Written as ES modules: noticed in either format. */
const NOTICED = [
  `console.log(1);`,
  `export const x = f();`,
  `export const map = new Map();`,
  `export const s = Symbol("s");`,
  `export const o = Object.freeze({});`,
  `import { a } from "./a.js"; export const b = a;`,
  `import { a } from "./a.js"; export const b = [a];`,
  `import { a } from "./a.js"; export default a;`,
  `import { A } from "./a.js"; export class B extends A {}`,
  `import { a } from "./a.js"; export const b = { ...a };`,
  `import { a } from "./a.js"; export const b = \`\${a}\`;`,
  `const a = {}; export const b = \`\${a}\`;`,
  `const a = {}; export const b = a + "";`,
  `const a = { get b() { return 1; } }; export const c = a.b;`,
  `const a = []; export const b = [...a];`,
  `export const env = process.env.X;`,
  `export const port = process;`,
  `export const g = globalThis;`,
  `export const early = late; const late = 1;`,
  `let a = 1; a = 2;`,
  `let a = 1; a++;`,
  `const f = () => 1; f();`,
  `const f = () => 1; f\`x\`;`,
  `export class A { static a = f(); }`,
  `export class A { static { f(); } }`,
  `export class A { [f()]() {} }`,
  `export class A { static [f()] = 1; }`,
  `function F() {} export class A extends (F as never) {}`,
  `export class A extends Base {} class Base {}`,
  `export const o = { [f()]: 1 };`,
  `export const o = { __proto__: f };`,
  `export const { a } = { a: 1 };`,
  `export const [a] = [1];`,
  `if (x) {}`,
  `for (;;) {}`,
  `{ f(); }`,
  `try { f(); } catch {}`,
  `throw 1;`,
  `debugger;`,
  `export namespace N { export const q = f(); }`,
  `export enum E { A = f() }`,
  `export enum E { A } export enum E { B = 1 }`,
  `export const big = 1n * 2n;`,
  `export const x = delete ({} as never);`,
  `export const x = 1 instanceof Object;`,
  `void f();`,
  `(() => 1)();`,
];

describe("code that nobody notices", () => {
  it.each(INERT)("as an ES module: %s", async (text) => {
    expect(await asks(text, "module")).toBe(true);
  });

  it.each(INERT)("as CommonJS: %s", async (text) => {
    expect(await asks(text, "commonjs")).toBe(true);
  });

  it.each([
    `exports.a = 1; exports.b = exports.c = () => {};`,
    `const a = require("./a"); function f() { a(); } module.exports = { f, g: 1 };`,
    `"use strict"; module.exports = class {}; module.exports.default = 5;`,
    `import a = require("./a"); export = { a: () => a };`,
  ])("of hand-written CommonJS: %s", async (text) => {
    expect(await asks(text, "commonjs")).toBe(true);
  });
});

describe("code that may be noticed", () => {
  it.each(NOTICED)("as an ES module: %s", async (text) => {
    expect(await asks(text, "module")).toBe(false);
  });

  it.each(NOTICED)("as CommonJS: %s", async (text) => {
    expect(await asks(text, "commonjs")).toBe(false);
  });

  it.each([
    `import.meta.foo;`,
    `await 1;`,
    `export const url = import.meta;`,
    `export const lazy = import("./lazy.js");`,
  ])("of ES modules: %s", async (text) => {
    expect(await asks(text, "module")).toBe(false);
  });

  it.each([
    `const { a } = require("./a"); module.exports = { f: () => a };`,
    `const x = 1; const a = require("./a");`,
    `module.exports = require("./a");`,
    `exports.__proto__ = { a: 1 };`,
    `module.exports.name = "x";`,
    `module.paths = [];`,
    `return;`,
    `exports.a = exports.b;`,
    `var exports = {}; exports.a = 1;`,
    `require("dotenv").config();`,
    `module.exports = { ...require("./a") };`,
  ])("of hand-written CommonJS: %s", async (text) => {
    expect(await asks(text, "commonjs")).toBe(false);
  });

  it.each([
    "this is no code",
    `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
    `x = ${"1+".repeat(50_000)}1`,
  ])("when it can't be read", (code) => {
    expect(isInert(code, "esm")).toBe(false);
    expect(isInert(code, "cjs")).toBe(false);
  });
});
