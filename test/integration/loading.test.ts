/**
 * Loading into one process, as the manifest that this one descends from was specified to do it, and what ES modules add: order, what is loaded
 * again and why, failures, instances. Each test is a script that edits the sources itself.
 */
import { expect, test } from "vitest";
import { loadable, run, source } from "./helpers/loading.js";

/** `main` imports `service`, which needs `schema.sql`; `first` stands alone and is listed first. */
const FILES = {
  "prefork.config.ts": `
import { defineProject } from "prefork-dev";
export default defineProject({
  entry: "src/main.ts",
  sources: [
    "src/first.ts",
    { file: "src/service.ts", needs: ["schema.sql"] },
    "schema.sql",
    "src/main.ts",
    "src/last.ts",
  ],
});
`,
  "schema.sql": "select 1;\n",
  "src/first.ts": source("first"),
  "src/helper.ts": `${source("helper")}export const state = { count: 0 };\n`,
  "src/service.ts": `${source("service", ["helper"])}export { state } from "./helper.js"; export const version: number = 1;\n`,
  "src/main.ts": source("main", ["service"]),
  "src/last.ts": source("last"),
};

test("loads in order, then only what changed and what needs it, then all if forced", async () => {
  const app = loadable(FILES);
  const said = await run(
    app,
    `
const project = await openProject();
say(project.sources.map(({ relativePath }) => relativePath));
say(evaluated());
say(await load(project));
say(evaluated());
say(await load(project));
say(evaluated());
const before = project.exportsOf("src/service.ts");
write("src/last.ts", "(globalThis as any).evaluated.push('last 2');");
say(await load(project));
say(evaluated());
write("schema.sql", "select 2;");
say(await load(project));
say(evaluated());
const after = project.exportsOf("src/service.ts");
// helper wasn't loaded again: the service that was shares the same one.
say([before === after, before.state === after.state]);
write("src/helper.ts", "(globalThis as any).evaluated.push('helper 2'); export const state = {};");
say(await load(project));
say(evaluated());
say(await load(project, { force: true }));
say(evaluated());
say(await load(project));
await project.close();
`,
  );
  const all = ["first", "helper", "service", "main", "last"];
  expect(said).toEqual([
    [
      "src/first.ts",
      "schema.sql",
      "src/service.ts",
      "src/main.ts",
      "src/last.ts",
    ],
    [],
    [
      "src/first.ts first",
      "src/helper.ts first",
      "schema.sql first",
      "src/service.ts first",
      "src/main.ts first",
      "src/last.ts first",
    ],
    all,
    [],
    [],
    ["src/last.ts changed"],
    ["last 2"],
    [
      "schema.sql changed",
      "src/service.ts needs schema.sql",
      "src/main.ts needs src/service.ts",
    ],
    ["service", "main"],
    [false, true],
    [
      "src/helper.ts changed",
      "src/service.ts needs src/helper.ts",
      "src/main.ts needs src/service.ts",
    ],
    ["helper 2", "service", "main"],
    [
      "src/first.ts forced",
      "src/helper.ts forced",
      "schema.sql forced",
      "src/service.ts forced",
      "src/main.ts forced",
      "src/last.ts forced",
    ],
    ["first", "helper 2", "service", "main", "last 2"],
    [],
  ]);
});

test("content decides: a change that is taken back, older times, files that go and come", async () => {
  const app = loadable(FILES);
  const said = await run(
    app,
    `
const project = await openProject();
await project.load();
evaluated();
const original = fs.readFileSync("src/first.ts", "utf8");
const times = fs.statSync("src/first.ts");
write("src/first.ts", "(globalThis as any).evaluated.push('first 2');");
// The clock was set back, and the file looks as old as ever.
fs.utimesSync("src/first.ts", times.atime, times.mtime);
say([await load(project), evaluated()]);
write("src/first.ts", original);
fs.utimesSync("src/first.ts", 1000, 1000);
say([await load(project), evaluated()]);
fs.rmSync("src/helper.ts");
say(await failure(project.load()));
say(evaluated());
write("src/helper.ts", "(globalThis as any).evaluated.push('helper 2'); export const state = {};");
say([await load(project), evaluated()]);
fs.rmSync("src/first.ts");
say(await failure(project.load()));
write("src/first.ts", original);
say([await load(project), evaluated()]);
say(await load(project));
await project.close();
`,
  );
  expect(said).toEqual([
    [["src/first.ts changed"], ["first 2"]],
    [["src/first.ts changed"], ["first"]],
    {
      code: "ERR_PREFORK_COMPILE",
      message: expect.stringContaining("src/service.ts:1") as string,
    },
    [],
    [
      [
        "src/helper.ts changed",
        "src/service.ts needs src/helper.ts",
        "src/main.ts needs src/service.ts",
      ],
      ["helper 2", "service", "main"],
    ],
    {
      code: "ERR_PREFORK_SOURCE_MISSING",
      message: expect.stringContaining("src/first.ts") as string,
    },
    // It stands on disk as it was loaded, but for the time it was written.
    [["src/first.ts changed"], ["first"]],
    [],
  ]);
});

test("a failed load records nothing, says where, and the next one loads what it didn't", async () => {
  const app = loadable(FILES);
  const said = await run(
    app,
    `
const project = await openProject();
globalThis.isDown = true;
const service = fs.readFileSync("src/service.ts", "utf8");
write("src/service.ts", service + "if ((globalThis as any).isDown)\\n  throw new Error('the database is down');");
say(await failure(project.load()));
say(evaluated());
try { project.exportsOf("src/first.ts"); } catch (error) { say(error.message); }
// Nothing changes but the world: Node would give the same error for ever.
globalThis.isDown = false;
say(await load(project));
say(evaluated());
const { version } = project.exportsOf("src/service.ts");
write("src/helper.ts", "(globalThis as any).evaluated.push('helper 2'); export const state = {};");
write("src/service.ts", service.replace("version: number = 1", "version: number = 2") + "\\nthrow new Error('no');");
say((await failure(project.load())).code);
say(evaluated());
say([version, project.exportsOf("src/service.ts").version]);
write("src/main.ts", "const = 1;");
say(await failure(project.load()));
write("src/main.ts", "import './service';");
write("src/service.ts", service.replace("version: number = 1", "version: number = 3"));
say(await load(project));
say(evaluated());
say(project.exportsOf("src/service.ts").version);
await project.close();
`,
  );
  const [failed, before, tooEarly, ...rest] = said;
  expect(failed).toMatchObject({ code: "ERR_PREFORK_LOAD" });
  const { message } = failed as { message: string };
  expect(message).toContain(
    "src/service.ts can't be loaded: Error: the database is down",
  );
  expect(message).toContain("at src/service.ts:5:");
  expect(message).toContain(">");
  expect(before).toEqual(["first", "helper", "service"]);
  expect(tooEarly).toContain("Await load() first");
  expect(rest).toEqual([
    [
      "src/first.ts first",
      "src/helper.ts first",
      "schema.sql first",
      "src/service.ts first",
      "src/main.ts first",
      "src/last.ts first",
    ],
    ["service", "main", "last"],
    "ERR_PREFORK_LOAD",
    ["helper 2", "service"],
    [1, 1],
    {
      code: "ERR_PREFORK_COMPILE",
      message: expect.stringContaining("src/main.ts:1:7") as string,
    },
    ["src/helper.ts changed", "src/service.ts changed", "src/main.ts changed"],
    ["service"],
    3,
  ]);
});

test("reads the manifest again: new sources are missing, removed ones forgotten", async () => {
  const app = loadable({
    "prefork.config.ts": `export default { entry: "src/main.ts", sources: ["src/models/*.ts"] };\n`,
    "src/main.ts": source("main"),
    "src/models/a.ts": source("a"),
  });
  const said = await run(
    app,
    `
const project = await openProject(".");
await project.load();
write("src/models/b.ts", "(globalThis as any).evaluated.push('b'); export const b = 1;");
say(await load(project));
fs.rmSync("src/models/a.ts");
say(await load(project));
say(project.sources.map(({ relativePath }) => relativePath));
try { project.exportsOf("src/models/a.ts"); } catch (error) { say(error.code); }
evaluated();
write("src/models/a.ts", "(globalThis as any).evaluated.push('a');");
say([await load(project), evaluated()]);
write("prefork.config.ts", "export default { entry: 1 };");
say((await failure(project.load())).code);
await project.close();
say((await failure(project.load())).code);
`,
  );
  expect(said).toEqual([
    ["src/models/b.ts missing"],
    [],
    ["src/models/b.ts", "src/main.ts"],
    "ERR_PREFORK_OPTION",
    [["src/models/a.ts missing"], ["a"]],
    "ERR_PREFORK_MANIFEST",
    "ERR_PREFORK_NOT_RUNNING",
  ]);
});

test("cycles, CommonJS, lazy and computed imports", async () => {
  const app = loadable({
    "prefork.config.ts": `
export default { entry: "src/main.ts", sources: ["src/main.ts", "src/tool.cjs", "src/listed.ts"] };
`,
    "src/main.ts": `
import "./one";
(globalThis as any).evaluated.push("main");
export const lazy = async () => await import("./lazy");
export const computed = async (name: string) => await import("./" + name);
export const meta = [import.meta.filename, import.meta.main];
`,
    "src/one.ts": source("one", ["two"]),
    "src/two.ts": source("two", ["one"]),
    "src/lazy.ts": `${source("lazy")}export const value: number = 1;\n`,
    "src/listed.ts": `${source("listed")}export const value: number = 7;\n`,
    "src/unlisted.ts": "export const value: number = 8;\n",
    "src/tool.cjs": `
const part = require("./part.cjs");
globalThis.evaluated.push("tool");
exports.double = (value) => part.factor * value;
exports.again = (name) => require("./" + name);
exports.isMain = require.main === module;
`,
    "src/part.cjs": `globalThis.evaluated.push("part"); exports.factor = 2;\n`,
  });
  const said = await run(
    app,
    `
const project = await openProject();
say(await load(project));
say(evaluated());
const main = () => project.exportsOf("src/main.ts");
say(main().meta.map((each) => typeof each === "string" ? relative(each) : each));
say([(await main().lazy()).value, (await main().computed("listed.ts")).value]);
say((await failure(main().computed("unlisted.ts"))).message);
const tool = () => project.exportsOf("src/tool.cjs").default;
say([tool().double(4), tool().again("part.cjs").factor, tool().isMain]);
evaluated();
write("src/two.ts", "import './one'; (globalThis as any).evaluated.push('two 2');");
say([await load(project), evaluated()]);
write("src/part.cjs", "globalThis.evaluated.push('part 2'); exports.factor = 3;");
say([await load(project), evaluated(), tool().double(4)]);
write("src/lazy.ts", "export const value: number = 2;");
say([await load(project), evaluated(), (await main().lazy()).value]);
await project.close();
`,
  );
  expect(said).toEqual([
    [
      "src/two.ts first",
      "src/one.ts first",
      "src/main.ts first",
      "src/part.cjs first",
      "src/tool.cjs first",
      "src/listed.ts first",
    ],
    ["two", "one", "main", "part", "tool", "listed"],
    ["src/main.ts", false],
    [1, 7],
    expect.stringContaining("List it in the manifest's sources"),
    [8, 2, false],
    [
      [
        "src/two.ts changed",
        "src/one.ts needs src/two.ts",
        "src/main.ts needs src/one.ts",
      ],
      ["two 2", "one", "main"],
    ],
    [
      ["src/part.cjs changed", "src/tool.cjs needs src/part.cjs"],
      ["part 2", "tool"],
      12,
    ],
    [["src/main.ts needs src/lazy.ts"], ["main"], 2],
  ]);
});

test("`reload: false`: stays as it was loaded first, whatever reloads around it, until all is forced", async () => {
  const config = (options: string): string =>
    `export default { entry: "src/main.ts", sources: [{ file: "src/data.ts"${options} }, "src/main.ts"] };\n`;
  const app = loadable({
    "prefork.config.ts": config(", reload: false"),
    "src/base.ts": source("base"),
    "src/data.ts": `${source("data", ["base"])}export const value: number = 1;\n`,
    "src/main.ts": `${source("main")}export { value } from "./data";\n`,
  });
  const said = await run(
    app,
    `
const project = await openProject();
const data = (value) => write("src/data.ts", "import './base'; (globalThis as any).evaluated.push('data'); export const value: number = " + value + ";");
const value = () => project.exportsOf("src/main.ts").value;
const main = fs.readFileSync("src/main.ts", "utf8");
write("src/data.ts", "throw new Error('broken');");
say((await failure(project.load())).code);
data(2);
// It was never loaded: there's nothing to go on with.
say([await load(project), evaluated().length, value()]);
data(3);
say([await load(project), evaluated(), value()]);
write("src/main.ts", main + "// saved");
say([await load(project), evaluated(), value()]);
write("src/base.ts", "(globalThis as any).evaluated.push('base 2');");
say([await load(project), evaluated(), value()]);
say([(await load(project, { force: true })).length, evaluated(), value()]);
data(4);
fs.renameSync("src/data.ts", "src/gone.ts");
say((await failure(project.load())).code);
fs.renameSync("src/gone.ts", "src/data.ts");
// As long as nothing was built without it, that's nothing but another content.
say([await load(project), evaluated(), value()]);
write("prefork.config.ts", ${JSON.stringify(config(""))});
say([await load(project), evaluated(), value()]);
await project.close();
`,
  );
  const needsData = ["src/data.ts changed", "src/main.ts needs src/data.ts"];
  expect(said).toEqual([
    "ERR_PREFORK_LOAD",
    [
      ["src/base.ts first", "src/data.ts first", "src/main.ts first"],
      // base was evaluated by the load that failed, and is told by the one that didn't.
      3,
      2,
    ],
    [[], [], 2],
    [["src/main.ts changed"], ["main"], 2],
    [
      [
        "src/base.ts changed",
        "src/data.ts needs src/base.ts",
        "src/main.ts needs src/data.ts",
      ],
      ["base 2", "data", "main"],
      2,
    ],
    [3, ["base 2", "data", "main"], 3],
    "ERR_PREFORK_SOURCE_MISSING",
    [[], [], 3],
    [needsData, ["data", "main"], 4],
  ]);
});

test("two projects of one process have instances of their own, and verbose says what is loaded", async () => {
  const app = loadable(FILES);
  const said = await run(
    app,
    `
const { loadProject } = await import("prefork-dev");
const one = await openProject();
const other = await openProject(await loadProject());
const lines = [];
const { write: stderr } = process.stderr;
process.stderr.write = (line) => lines.push(line);
await one.load({ verbose: true });
process.stderr.write = stderr;
const calls = [];
await other.load({ verbose: (loaded) => calls.push(text(loaded)) });
say(lines);
say(calls.length);
say(evaluated().length);
say(one.exportsOf("src/service.ts") === other.exportsOf("src/service.ts"));
try { one.exportsOf("src/servise.ts"); } catch (error) { say(error.message); }
try { one.exportsOf("schema.sql"); } catch (error) { say(error.message); }
// One after the other: the second finds nothing to do.
write("src/last.ts", "export {};");
say(await Promise.all([load(one), load(one)]));
await Promise.all([one.close(), other.close(), one.close()]);
`,
  );
  expect(said).toEqual([
    [
      "load src/first.ts (first)\n",
      "load src/helper.ts (first)\n",
      "load schema.sql (first)\n",
      "load src/service.ts (first)\n",
      "load src/main.ts (first)\n",
      "load src/last.ts (first)\n",
    ],
    6,
    10,
    false,
    expect.stringContaining('Did you mean "src/service.ts"?'),
    expect.stringContaining("it isn't code"),
    [["src/last.ts changed"], []],
  ]);
});

test("a process in which somebody else answers for compiled code says so", async () => {
  const app = loadable(FILES);
  const said = await run(
    app,
    `
Object.defineProperty(globalThis, Symbol.for("prefork-dev.require"), { value: () => undefined });
const project = await openProject();
say(await failure(project.load()));
say(evaluated());
await project.close();
`,
  );
  expect(said).toEqual([
    {
      code: "ERR_PREFORK_LOAD",
      message: expect.stringContaining("in a worker of prefork-dev") as string,
    },
    [],
  ]);
});
