/** The sub-commands on a manifest with steps (`run`): they run none, and don't miss what isn't made yet. */
import fs from "node:fs";
import { expect, it } from "vitest";
import { LookedAt } from "./project.js";

const MANIFEST = `{
  entry: "server.ts",
  sources: [
    { file: "schema.sql", run: { command: "exit 1", makes: ["gen/schema.ts", "gen/types.ts"] } },
    { file: "a.txt", run: { fn() { throw new Error("no"); }, makes: ["parts/*.ts"] } },
    { directory: "parts", sources: ["*.ts"] },
    "gen/*.ts",
    "schema.sql",
    { file: "server.ts", needs: ["gen/schema.ts", "parts/*.ts"] },
  ],
}`;

function project(): LookedAt {
  const made = new LookedAt({
    "schema.sql": "",
    "a.txt": "",
    "server.ts":
      'import "./gen/schema.js"; import type { T } from "./gen/types.js"; export const t: T = 1;',
  });
  made.manifest(MANIFEST);
  return made;
}

it("check doesn't call missing, or broken, what a step has yet to make, nor unused what it reads", async () => {
  const made = project();
  expect(await made.findings()).toEqual(["duplicate sources[4]"]);
  made.write({
    "gen/schema.ts": "export {};",
    "gen/types.ts": "export type T = number;",
    "parts/b.ts": "export {};",
  });
  expect(await made.findings()).toEqual([
    "duplicate sources[4]",
    // The import says it, as it would of any source.
    "implied-needs sources[5].needs[0]",
  ]);
});

it("check still says what else is missing", async () => {
  const made = project();
  made.manifest(MANIFEST.replace('"gen/*.ts"', '"src/*.ts"'));
  made.write({ "server.ts": 'import "./gone.js";' });
  expect(await made.findings()).toEqual([
    "missing sources[3]",
    "duplicate sources[4]",
    "broken server.ts:1",
  ]);
});

it("check --fix works beside functions", async () => {
  const made = project();
  const before = made.read("prefork.config.ts");
  const { stdout } = await made.run("check", "--fix");
  expect(stdout).toContain("fixed: ");
  expect(made.read("prefork.config.ts")).toBe(
    before.replace('    "schema.sql",\n', ""),
  );
});

it("files and graph list what is there", async () => {
  const made = project();
  const files = async (): Promise<string[]> => {
    const { stdout } = await made.run("files");
    return stdout.trimEnd().split("\n");
  };
  expect(await files()).toEqual(["schema.sql", "a.txt", "server.ts"]);
  made.write({ "gen/schema.ts": "export {};", "gen/types.ts": "export {};" });
  expect(await files()).toEqual([
    ...["schema.sql", "a.txt", "gen/schema.ts", "gen/types.ts", "server.ts"],
  ]);
  expect((await made.run("graph")).code).toBe(0);
  // Nothing was run.
  expect(fs.existsSync(made.path("parts"))).toBe(false);
});

it("files --closure, --why and graph follow what a step makes of what it reads", async () => {
  const made = new LookedAt({
    "schema.sql": "",
    "gen.ts": 'import "./a.js";',
    "a.ts": "export const a = 1;",
    "gen/schema.ts": 'import "../a.js";',
    "b.ts": 'import "./gen/schema.js";',
    "server.ts": 'import "./b.js"; import "./gen.js";',
  });
  made.manifest(`{
    entry: "server.ts",
    sources: [
      "a.ts",
      { file: "schema.sql", run: { command: "exit 1", reads: ["gen.ts", "package.json"], makes: ["gen/*.ts"] } },
      "gen.ts",
      "b.ts",
    ],
  }`);
  const closure = await made.run("files", "--closure", "schema.sql");
  expect(closure.stdout.trimEnd().split("\n")).toEqual([
    ...["schema.sql", "gen/schema.ts", "b.ts", "server.ts"],
  ]);
  const { stdout } = await made.run("files", "--why", "schema.sql", "b.ts");
  expect(stdout).toBe(`A change of schema.sql reloads b.ts:
  gen/schema.ts is made from schema.sql  (prefork.config.ts: sources[1].run)
  b.ts imports gen/schema.ts  (b.ts:1: "./gen/schema.js")
`);
  // What else it reads, if it's a source.
  const reads = await made.run("files", "--why", "gen.ts", "b.ts", "--json");
  expect(JSON.parse(reads.stdout)).toMatchObject({
    way: [
      { source: "gen/schema.ts", dependsOn: "gen.ts", kind: "step" },
      { source: "b.ts", dependsOn: "gen/schema.ts", kind: "import" },
    ],
  });
  const graph = await made.run("graph");
  expect(graph.stdout).toContain(" -. made from .-> ");
  expect(await made.findings()).toEqual([]);
});

it("a step that reads what imports its work makes no cycle", async () => {
  const made = new LookedAt({
    "model.ts": 'import "./gen.js";',
    "gen.ts": "",
    "server.ts": 'import "./model.js";',
  });
  made.manifest(`{
    entry: "server.ts",
    sources: [{ file: "model.ts", run: { command: "exit 1", makes: ["gen.ts"] } }],
  }`);
  const { stdout } = await made.run("graph", "--format", "mermaid");
  expect(stdout).toContain(" -. made from .-> ");
  expect(stdout).not.toContain(" cycle\n");
  const closure = await made.run("files", "--closure", "model.ts");
  expect(closure.stdout.trimEnd().split("\n").sort()).toEqual([
    ...["gen.ts", "model.ts", "server.ts"],
  ]);
});
