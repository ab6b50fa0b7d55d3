import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leadingRequires } from "../../../src/compiler/leading-requires.js";
import { transform } from "../../../src/compiler/transform.js";

/** What esbuild makes of TypeScript in a CommonJS package. */
async function compiled(text: string): Promise<string> {
  const { linkable } = await transform({
    path: "/app/src/a.ts",
    text,
    loader: "ts",
    packageType: "commonjs",
    tsconfigRaw: "{}",
  });
  return linkable.code;
}

async function leading(text: string): Promise<readonly string[]> {
  return leadingRequires(await compiled(text)).specifiers;
}

describe("ES module syntax", () => {
  it("has all of its imports at the start, in order", async () => {
    const specifiers = await leading(`
      /*! a licence
      const x = require("no");
      */
      import a, { b } from "./a";
      import * as p from "p";
      export const v = a + b + p;
      import type { T } from "./types";
      import "./side";
      export * from "./c";
      export { x as y } from "./d";
      import "./e";
      export * as f from "./f";
    `);
    expect(specifiers).toEqual([
      "./a",
      "p",
      "./side",
      "./c",
      "./d",
      "./e",
      "./f",
    ]);
  });

  it("has them before decorators, private members and enums", async () => {
    const specifiers = await leading(`
      import { dec } from "./a";
      import { other } from "./b";
      @dec export class A { @dec accessor x = 1; #q = other; @dec m() { require("./no"); } }
      export enum E { A }
      const late = require("./late");
    `);
    expect(specifiers).toEqual(["./a", "./b"]);
  });
});

describe("hand-written CommonJS", () => {
  it.each([
    [`const a = require("./a"); const b = require('./b"');`, ["./a", `./b"`]],
    [`"use strict"; require("a"); require("b");`, ["a", "b"]],
    [
      `#!/bin/node\nconst a = require("./a"), b = require("./b");`,
      ["./a", "./b"],
    ],
    [`const { x, y: z } = require("a"), c = require("c");`, ["a", "c"]],
    [
      `const {\n x,\n y: z\n} = require("a"); let c;\nvar d = require("d");`,
      ["a", "d"],
    ],
    [
      `function f() { g(); } const a = require("./a"); async function* h() {} const b = require("./b");`,
      ["./a", "./b"],
    ],
    [
      `import a = require("./a"); import b = require("./b"); a(); export = b;`,
      ["./a", "./b"],
    ],
    [`const a = require("a"); f(); const b = require("b");`, ["a"]],
    [`require("dotenv").config(); const b = require("b");`, []],
    [`const a = require("a").b; const c = require("c");`, []],
    [`const a = require("a")(); const c = require("c");`, []],
    [`const a = require("a"), b = f(), c = require("c"); require("d");`, []],
    [`const { a = f() } = require("a"); require("b");`, []],
    [`const { [f()]: a } = require("a"); require("b");`, []],
    [`const { ...a } = require("a"); require("b");`, []],
    [`const [a] = require("a"); require("b");`, []],
    [`const a = require("a" + x); require("b");`, []],
    [`const a = require.resolve("a"); require("b");`, []],
    [`const a = x ? require("a") : require("b");`, []],
    [`if (x) require("a"); require("b");`, []],
    [`try { require("a"); } catch {} require("b");`, []],
    [`class A extends f() {} require("b");`, []],
    [`const a = (() => { f(); })(); require("b");`, []],
    [`var __a = (() => { f(); })(); require("b");`, []],
    [`require("a"); function require(x) {} require("b");`, []],
    [`var require = f(require); const a = require("a");`, []],
    [`var x = 1, require = f(); const a = require("a");`, []],
  ])("of %s", async (text, expected) => {
    expect(await leading(text)).toEqual(expected);
  });

  it("is not misled by what a function's text looks like", async () => {
    const specifiers = await leading(
      'const a = require("a");\nfunction f() { return `\n}\nconst b = require("b");\n`; }\nrequire("c");',
    );
    expect(specifiers).toEqual(["a"]);
  });

  it("says whether properties are read", async () => {
    const [whole, parts] = await Promise.all([
      compiled(`const a = require("a"); a();`),
      compiled(`const { a } = require("a"); a();`),
    ]);
    expect(leadingRequires(whole).readsProperties).toBe(false);
    expect(leadingRequires(parts).readsProperties).toBe(true);
  });
});

/** Statements by what they do; each gets a number of its own. */
const STATEMENTS: readonly ((n: number) => string)[] = [
  (n) => `const a${n} = require("./${n}");`,
  (n) => `const { b${n}, c: c${n} } = require("./${n}");`,
  (n) => `require("./${n}");`,
  (n) => `import "./${n}";`,
  (n) => `import d${n} from "./${n}"; note(d${n});`,
  (n) => `export * from "./${n}";`,
  (n) => `function e${n}() { return require("./${n}"); }`,
  (n) => `note(${n});`,
  (n) => `const f${n} = require("./${n}").g;`,
  (n) => `require("./${n}")();`,
  (n) => `export const h${n} = note(${n});`,
  (n) => `let i${n}: number;`,
];

it("finds nothing that isn't required before all else, in random programs", async () => {
  const programs = fc.sample(
    fc.array(fc.constantFrom(...STATEMENTS), { minLength: 1, maxLength: 7 }),
    150,
  );
  let found = 0;
  for (const statements of programs) {
    const text = statements.map((make, n) => make(n)).join("\n");
    const code = await compiled(text);
    const log = run(code);
    const first = log.findIndex((line) => line.startsWith("note"));
    const early = first === -1 ? log : log.slice(0, first);
    const { specifiers } = leadingRequires(code);
    expect(early.slice(0, specifiers.length), text).toEqual(specifiers);
    found += specifiers.length;
  }
  expect(found).toBeGreaterThan(50);
});

/** Runs CommonJS: what it required, and did, in order. */
function run(code: string): string[] {
  const log: string[] = [];
  const exports = (specifier: string): unknown =>
    new Proxy(() => log.push(`note call of ${specifier}`), {
      get: (_target, key) => {
        // Reading names of what was required is no doing; `.g` is.
        if (key === "g") log.push(`note property of ${specifier}`);
        return undefined;
      },
      ownKeys: () => [],
      getPrototypeOf: () => null,
    });
  const require = (specifier: string): unknown => {
    log.push(specifier);
    return exports(specifier);
  };
  const note = (): void => {
    log.push("note");
  };
  const module = { exports: {} };
  runInNewContext(code, { require, module, exports: {}, note });
  return log;
}
