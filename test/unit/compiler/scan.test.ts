import { init } from "es-module-lexer";
import { beforeAll, describe, expect, it } from "vitest";
import { compileJson } from "../../../src/compiler/json.js";
import { link } from "../../../src/compiler/link.js";
import type { LinkTarget } from "../../../src/compiler/link.js";
import { scan } from "../../../src/compiler/scan.js";

beforeAll(async () => {
  await init();
});

function target(path: string, isJson = false): LinkTarget {
  return { path, suffix: "", isOutput: true, isJson };
}

/** Links with every specifier `./x` becoming `/out/x`. */
function linked(code: string, format: "esm" | "cjs"): string[] {
  const linkable = scan(code, format, "/src/a b.ts");
  const targets = linkable.imports.map(({ specifier }) =>
    target(`/out/${specifier.slice(2)}`, specifier.endsWith(".json")),
  );
  return link(linkable, "/src/a b.ts", targets, "../r.json").split("\n");
}

describe("imports", () => {
  it("has static ones first, each meaning once", () => {
    const { imports } = scan(
      `import("./lazy"); import a from "./a"; export * from "./b"; import "./a"; import("./b");`,
      "esm",
      "/a.ts",
    );
    expect(imports).toEqual([
      { specifier: "./a", kind: "import", isStatic: true },
      { specifier: "./b", kind: "import", isStatic: true },
      { specifier: "./lazy", kind: "import", isStatic: false },
    ]);
  });

  it("finds literal require calls, and what esbuild made of static imports", () => {
    const { imports } = scan(
      [
        `var import_a = __toESM(require("./a"));`,
        `var import_b = require("./b");`,
        `__reExport(x_exports, require("./c"), module.exports);`,
        `require('./d"e'); require.resolve("./f"); x.require("./no"); require("./g" + h);`,
        `import("./lazy");`,
        `0 && (module.exports = {...require("./c")});`,
      ].join("\n"),
      "cjs",
      "/a.ts",
    );
    expect(
      imports.map(({ specifier, kind, isStatic }) => [
        specifier,
        kind,
        isStatic,
      ]),
    ).toEqual([
      ["./a", "require", true],
      ["./b", "require", true],
      ["./c", "require", true],
      ["./lazy", "import", false],
      [`./d"e`, "require", false],
      ["./f", "require", false],
    ]);
  });
});

describe("linking", () => {
  it("rewrites specifiers in place, and keeps the lines", () => {
    expect(
      linked(`import a from "./a";\nconst x = await import("./b");`, "esm"),
    ).toEqual([
      "",
      `import a from "file:///out/a";`,
      `const x = await import("file:///out/b");`,
      "//# sourceMappingURL=../r.json",
      "",
    ]);
  });

  it("drops the attributes of JSON sources", () => {
    const code = `import a from "./a.json" with { type: "json" };\nimport("./a.json", { with: { type: "json" } });`;
    expect(linked(code, "esm").slice(1, 3)).toEqual([
      `import a from "file:///out/a.json";`,
      `import("file:///out/a.json");`,
    ]);
  });

  it("adds them for a package's JSON", () => {
    const linkable = scan(
      `import a from "p/a.json";\nimport("p/a.json");`,
      "esm",
      "/a.ts",
    );
    const json = { ...target("/p/a.json", true), isOutput: false };
    expect(
      link(linkable, "/a.ts", [json], "m").split("\n").slice(1, 3),
    ).toEqual([
      `import a from "file:///p/a.json" with { type: "json" };`,
      `import("file:///p/a.json", { with: { type: "json" } });`,
    ]);
  });

  it("wraps computed imports, also around literal ones", () => {
    const hook = `globalThis[Symbol.for("prefork-dev.import")]`;
    expect(linked(`import(await import("./b"));`, "esm")[1]).toBe(
      `import(${hook}(await import("file:///out/b"), "/src/a b.ts"));`,
    );
    expect(linked("import(`./${a}.js`);", "esm")[1]).toBe(
      `import(${hook}(\`./\${a}.js\`, "/src/a b.ts"));`,
    );
  });

  it("blanks a hashbang, keeps a directive effective", () => {
    expect(
      linked(`#!/usr/bin/env node\nimport "./a";`, "esm").slice(0, 3),
    ).toEqual(["", "", `import "file:///out/a";`]);
    const [prologue] = linked(
      `#!/bin/x\n"use strict";\nrequire("./a");`,
      "cjs",
    );
    expect(prologue).toMatch(/^"use strict";require=/);
    expect(prologue).toContain(`{"./a":"/out/a"}`);
  });

  it("sets on import.meta only what is used", () => {
    expect(linked("import.meta.env;", "esm")[0]).toBe("");
    expect(linked("import.meta.resolve('x');", "esm")[0]).toBe(
      `import.meta.resolve=globalThis[Symbol.for("prefork-dev.resolve")]("/src/a b.ts");`,
    );
    expect(linked("f(import.meta);", "esm")[0]).toContain(
      `import.meta.url="file:///src/a%20b.ts";`,
    );
  });
});

describe("JSON", () => {
  it("exports names that can be one", () => {
    const { code } = compileJson(
      `\uFEFF{"a":1,"b-c":2,"default":3,"__esModule":4}`,
    );
    expect(code).toContain("module.exports = { a }");
    expect(compileJson("[1]").code).not.toContain("&&");
    expect(() => compileJson("{")).toThrow(SyntaxError);
  });
});
