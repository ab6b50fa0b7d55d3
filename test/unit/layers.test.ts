/**
 * The architecture, kept by reading the imports: docs/architecture.md says who
 * may know whom, `knows` below says it to the machine.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../src/", import.meta.url));
const LONGEST_FILE_LINES = 300;

/** The parts (folders; `dev-server` is the composition root), and which other parts each may import. Leaves are open to all. */
const knows: Readonly<Record<string, readonly string[]>> = {
  index: [
    "dev-server",
    ...["manifest", "watcher", "graph", "compiler", "master", "pool"],
    ...["front", "control", "upstream", "commands", "mechanisms", "loader"],
    "certificates",
  ],
  steps: [],
  metrics: [],
  cli: ["dev-server", "manifest", "control", "mechanisms", "inspect"],
  "dev-server": [
    ...["manifest", "watcher", "graph", "compiler", "master", "pool"],
    ...["front", "control", "upstream", "commands", "mechanisms", "loader"],
    ...["steps", "metrics", "certificates"],
  ],
  inspect: ["manifest", "graph", "compiler"],
  manifest: [],
  watcher: [],
  graph: [],
  compiler: ["graph"],
  master: ["pool"],
  pool: ["ipc"],
  worker: ["ipc", "commands", "runtime"],
  runtime: [],
  loader: ["graph", "runtime"],
  commands: [],
  ipc: [],
  front: [],
  certificates: [],
  control: [],
  upstream: [],
  mechanisms: [],
};

/** Which parts may use a package; one that isn't listed may be used by all that may use packages. */
const owners: Readonly<Record<string, readonly string[]>> = {
  commander: ["cli"],
  "prom-client": ["metrics"],
  chokidar: ["watcher"],
  acorn: ["compiler"],
  esbuild: ["compiler", "manifest"],
  "oxc-resolver": ["compiler", "manifest"],
  "es-module-lexer": ["compiler", "manifest"],
  "get-tsconfig": ["compiler", "manifest"],
  "@peculiar/x509": ["certificates"],
  "reflect-metadata": ["certificates"],
};

/** What the forked process loads must stay small, and must not clash with the app's own packages. */
const withoutPackages = new Set([
  ...["worker", "runtime", "commands", "ipc", "graph"],
]);

/** "No files, no clock." */
const pureParts = new Set(["graph"]);
const effects = /^node:(?:fs|fs\/promises|child_process|net|http|timers.*)$/;

/** Files that any part may import: they say words, and know nobody. */
function isLeaf(file: string): boolean {
  return (
    [
      ...["errors.ts", "diagnostic.ts", "logger.ts"],
      ...["file-stamp.ts", "is-alive.ts", "real-paths.ts", "within.ts"],
      ...["ipc/messages.ts", "manifest/server-config.ts"],
    ].includes(file) || path.posix.basename(file) === "types.ts"
  );
}

/** The folder. Files at the top, but the index, are the composition root. */
function partOf(file: string): string {
  if (file === "index.ts") return "index";
  const [folder = ""] = file.split("/");
  return folder === file ? "dev-server" : folder;
}

/**
 * The layers that one import crosses.
 *
 * @param file - the importing file, relative to `src`, with `/`
 * @param specifier - as written
 * @returns what is wrong, or `undefined`
 */
function crossing(file: string, specifier: string): string | undefined {
  const part = partOf(file);
  if (specifier.startsWith("node:")) {
    return pureParts.has(part) && effects.test(specifier)
      ? `${file}: ${part} is pure and may not import ${specifier}`
      : undefined;
  }
  if (!specifier.startsWith(".")) return packageCrossing(file, specifier);

  const target = path.posix
    .join(path.posix.dirname(file), specifier)
    .replace(/\.js$/, ".ts");
  if (target.startsWith("..")) {
    // The version is in package.json, which stands beside src and dist alike.
    return target === "../package.json"
      ? undefined
      : `${file} imports ${specifier}, which is outside src`;
  }
  if (isLeaf(target)) return undefined;
  if (isLeaf(file)) {
    return `${file} is a leaf and may only import leaves, not ${target}`;
  }
  const targetPart = partOf(target);
  if (targetPart === part) return undefined;
  const allowed = knows[part];
  if (allowed === undefined) {
    return `${file}: the part "${part}" is not in the table of layers`;
  }
  return allowed.includes(targetPart)
    ? undefined
    : `${file}: ${part} may not import ${target}`;
}

function packageCrossing(file: string, specifier: string): string | undefined {
  const part = partOf(file);
  const [scopeOrName = "", name = ""] = specifier.split("/");
  const imported = specifier.startsWith("@")
    ? `${scopeOrName}/${name}`
    : scopeOrName;
  if (imported === "picocolors" && !withoutPackages.has(part)) return undefined;
  if (withoutPackages.has(part) || isLeaf(file)) {
    return `${file} may not import a package, and imports ${imported}`;
  }
  const owning = owners[imported];
  return owning === undefined || owning.includes(part)
    ? undefined
    : `${file}: ${imported} belongs to ${owning.join(", ")}`;
}

interface SourceText {
  /** Relative to `src`, with `/`. */
  readonly file: string;
  readonly text: string;
}

const sources: readonly SourceText[] = readdirSync(root, { recursive: true })
  .map((file) => String(file).split(path.sep).join("/"))
  .filter((file) => file.endsWith(".ts"))
  .sort()
  .map((file) => ({ file, text: readFileSync(path.join(root, file), "utf8") }));

/** Every import, type import, re-export, literal `import()` and `require()`. */
function importsOf(text: string): string[] {
  const { importedFiles } = ts.preProcessFile(text, true, true);
  return importedFiles.map((imported) => imported.fileName);
}

/** The specifiers of `export * from`, in either form. */
function starExportsOf(text: string): string[] {
  const parsed = ts.createSourceFile("source.ts", text, ts.ScriptTarget.ES2023);
  return parsed.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement)) return [];
    const { exportClause, moduleSpecifier } = statement;
    if (exportClause !== undefined && ts.isNamedExports(exportClause)) {
      return [];
    }
    return moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier)
      ? [moduleSpecifier.text]
      : [];
  });
}

describe("the layers of src", () => {
  it("are not crossed by any import", () => {
    const crossings = sources.flatMap(({ file, text }) =>
      importsOf(text).flatMap((specifier) => crossing(file, specifier) ?? []),
    );
    expect(crossings).toEqual([]);
  });

  it("have no part that the table doesn't know", () => {
    const unknown = sources
      .map(({ file }) => file)
      .filter((file) => !isLeaf(file) && !(partOf(file) in knows));
    expect(unknown).toEqual([]);
  });

  it("import every file with its .js extension", () => {
    const odd = sources.flatMap(({ file, text }) =>
      importsOf(text)
        .filter((specifier) => specifier.startsWith("."))
        .filter((specifier) => !/\.js(?:on)?$/.test(specifier))
        .map((specifier) => `${file}: ${specifier}`),
    );
    expect(odd).toEqual([]);
  });

  it("export by explicit names", () => {
    const stars = sources.flatMap(({ file, text }) =>
      starExportsOf(text).map((specifier) => `${file}: * from ${specifier}`),
    );
    expect(stars).toEqual([]);
  });

  it(`have no file over ${LONGEST_FILE_LINES} lines`, () => {
    const long = sources
      .map(({ file, text }) => ({ file, lines: text.split("\n").length - 1 }))
      .filter(({ lines }) => lines > LONGEST_FILE_LINES);
    expect(long).toEqual([]);
  });
});

describe("the rules themselves", () => {
  it("are applied to real sources with real imports", () => {
    expect(sources.map(({ file }) => file)).toContain("errors.ts");
    const imports = sources.flatMap(({ text }) => importsOf(text));
    expect(imports.length).toBeGreaterThan(10);
  });

  it.each([
    ["front/front.ts", "../master/master.js"],
    ["master/master.ts", "../front/front.js"],
    ["watcher/watcher.ts", "../compiler/compiler.js"],
    ["graph/graph.ts", "../compiler/compiler.js"],
    ["graph/graph.ts", "node:fs"],
    ["loader/loader.ts", "../compiler/compiler.js"],
    ["loader/loader.ts", "../worker/load.js"],
    ["runtime/stack.ts", "../worker/main.js"],
    ["compiler/compiler.ts", "../manifest/load.js"],
    ["pool/pool.ts", "../worker/main.js"],
    ["pool/pool.ts", "../master/decide.js"],
    ["worker/main.ts", "../pool/pool.js"],
    ["worker/main.ts", "../index.js"],
    ["worker/main.ts", "esbuild"],
    ["worker/main.ts", "chokidar"],
    ["worker/main.ts", "picocolors"],
    ["ipc/channel.ts", "commander"],
    ["front/front.ts", "commander"],
    ["master/master.ts", "chokidar"],
    ["dev-server.ts", "./cli/main.js"],
    ["reload-queue.ts", "./worker/main.js"],
    ["front/front.ts", "../reload-queue.js"],
    ["index.ts", "./cli/main.js"],
    ["inspect/check.ts", "../master/master.js"],
    ["compiler/compiler.ts", "../inspect/check.js"],
    ["cli/main.ts", "../pool/pool.js"],
    ["steps/steps.ts", "../compiler/compiler.js"],
    ["compiler/compiler.ts", "../steps/steps.js"],
    ["cli/main.ts", "../index.js"],
    ["errors.ts", "./front/front.js"],
    ["front/types.ts", "./front.js"],
    ["ipc/messages.ts", "./channel.js"],
    ["novelty/thing.ts", "../front/front.js"],
    ["front/front.ts", "../../test/helper.js"],
  ])("flag %s importing %s", (file, specifier) => {
    expect(crossing(file, specifier)).toContain(file);
  });

  it.each([
    ["compiler/compiler.ts", "../graph/identity.js"],
    ["inspect/check.ts", "../compiler/scan-project.js"],
    ["master/master.ts", "../pool/pool.js"],
    ["pool/pool.ts", "../ipc/channel.js"],
    ["worker/main.ts", "../ipc/channel.js"],
    ["worker/main.ts", "../errors.js"],
    ["front/front.ts", "../ipc/messages.js"],
    ["front/front.ts", "../manifest/types.js"],
    ["front/types.ts", "../diagnostic.js"],
    ["dev-server.ts", "./master/master.js"],
    ["dev-server.ts", "./reload-queue.js"],
    ["cli/main.ts", "../dev-server.js"],
    ["cli/main.ts", "commander"],
    ["cli/version.ts", "../../package.json"],
    ["graph/graph.ts", "node:crypto"],
    ["logger.ts", "picocolors"],
  ])("permit %s importing %s", (file, specifier) => {
    expect(crossing(file, specifier)).toBeUndefined();
  });

  it("see every form of import", () => {
    const text = `
      import a from "a";
      import type { B } from "b";
      export { c } from "c";
      export type { D } from "d";
      const e = await import("e");
    `;
    expect(importsOf(text).sort()).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("see both forms of a star export", () => {
    const text = `export * from "a"; export * as b from "b"; export { c } from "c";`;
    expect(starExportsOf(text)).toEqual(["a", "b"]);
  });
});
