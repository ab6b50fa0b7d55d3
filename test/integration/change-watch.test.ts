/** A project's changes, by every way of being told of them: loop, event, asking, and a server's io handler. */
import { expect, test } from "vitest";
import { loadable, run, source } from "./helpers/loading.js";

const FILES = {
  "prefork.config.ts": `export default { entry: "src/main.ts", sources: ["schema.sql", { file: "src/main.ts", needs: ["schema.sql"] }] };\n`,
  "schema.sql": "select 1;\n",
  "src/main.ts": source("main", ["part"]),
  "src/part.ts": source("part"),
};

test("a loop over changes reloads, and ends with close()", async () => {
  const app = loadable(FILES);
  const said = await run(
    app,
    `
const project = await openProject();
await project.load();
const watch = project.watchChanges();
await watch.ready();
replace("src/part.ts", "export {};");
for await (const files of watch) {
  say([files.map(relative), await load(project)]);
  if (files.some((file) => file.endsWith("part.ts"))) replace("schema.sql", "select 2;");
  else void watch.close();
}
say(watch.changedFiles());
await project.close();
`,
  );
  expect(said).toEqual([
    [["src/part.ts"], ["src/part.ts changed", "src/main.ts needs src/part.ts"]],
    [["schema.sql"], ["schema.sql changed", "src/main.ts needs schema.sql"]],
    [],
  ]);
});

test("changedFiles() takes what has gathered, and never waits; the event is told anyway", async () => {
  const app = loadable(FILES);
  const said = await run(
    app,
    `
const project = await openProject();
const watch = project.watchChanges();
await watch.ready();
say(watch.changedFiles());
const changed = async (file, text) => {
  const told = once(watch, "change");
  replace(file, text);
  return (await told)[0].map(relative);
};
say(await changed("src/part.ts", "export {};"));
say(await changed("schema.sql", "select 2;"));
say(await changed("src/part.ts", "export const a: number = 1;"));
say(watch.changedFiles().map(relative));
say(watch.changedFiles());
say(await changed("prefork.config.ts", "export default { entry: 'src/main.ts' };"));
say(watch.changedFiles().map(relative));
// Nobody has loaded anything.
say(evaluated());
// Leaving the loop closes it, and lets the process end.
replace("schema.sql", "select 3;");
for await (const files of watch) { say(files.map(relative)); break; }
say(watch.destroyed);
await Promise.all([watch.close(), watch.close()]);
await project.close();
`,
  );
  expect(said).toEqual([
    [],
    ["src/part.ts"],
    ["schema.sql"],
    ["src/part.ts"],
    ["schema.sql", "src/part.ts"],
    [],
    ["prefork.config.ts"],
    ["prefork.config.ts"],
    [],
    ["schema.sql"],
    true,
  ]);
});

test("what changed between a load and the watch is told, and closing the project closes its watches", async () => {
  const app = loadable(FILES);
  const said = await run(
    app,
    `
const project = await openProject();
await project.load();
replace("src/part.ts", "export const later: number = 1;");
fs.utimesSync("src/part.ts", 2000, 2000);
const watch = project.watchChanges();
const [files] = await once(watch, "change");
say(files.map(relative));
await project.close();
say(watch.destroyed);
try { project.watchChanges(); } catch (error) { say(error.code); }
`,
  );
  expect(said).toEqual([["src/part.ts"], true, "ERR_PREFORK_NOT_RUNNING"]);
});

test("a server calls an io handler for it", async () => {
  const app = loadable({
    ...FILES,
    "src/server.ts": `
import http from "node:http";
http.createServer((_request, response) => response.end("ok")).listen(3000);
`,
  });
  const said = await run(
    app,
    `
const { createServer, loadProject } = await import("prefork-dev");
const server = createServer(await loadProject("src/server.ts"), { port: 0, workers: 1, standbys: 0 });
await server.start();
const project = await openProject();
const watch = project.watchChanges();
const told = new Promise((resolve) => {
  server.addIoHandler(watch, ({ kind }) => {
    if (kind === "end") resolve();
    if (kind !== "readable") return;
    say(watch.changedFiles().map(relative));
    void watch.close();
  });
});
await watch.ready();
replace("schema.sql", "select 2;");
await told;
say("over");
await server.stop();
await project.close();
`,
  );
  expect(said).toEqual([["schema.sql"], "over"]);
});

test("what a load finds is watched from then on, also by one that failed", async () => {
  const app = loadable(FILES);
  const said = await run(
    app,
    `
const project = await openProject();
await project.load();
const watch = project.watchChanges();
await watch.ready();
const changed = async (file, text) => {
  const told = once(watch, "change");
  replace(file, text);
  return (await told)[0].map(relative);
};
write("lib/new/found.ts", "export {};");
say(await changed("src/part.ts", "import '../lib/new/found';"));
await project.load();
say(await changed("lib/new/found.ts", "throw new Error('no');"));
say((await failure(project.load())).code);
say(await changed("src/part.ts", "import '../lib/missing/one';"));
say((await failure(project.load())).code);
fs.mkdirSync("lib/missing");
say((await changed("lib/missing/one.ts", "export {};")).includes("lib/missing/one.ts"));
say(await load(project));
await project.close();
`,
  );
  expect(said).toEqual([
    ["src/part.ts"],
    ["lib/new/found.ts"],
    "ERR_PREFORK_LOAD",
    ["src/part.ts"],
    "ERR_PREFORK_COMPILE",
    true,
    [
      "lib/missing/one.ts missing",
      "src/part.ts changed",
      "src/main.ts needs src/part.ts",
    ],
  ]);
});

test("a file that a glob of the manifest matches is told when it appears, and loaded", async () => {
  const app = loadable({
    "prefork.config.ts": `export default { entry: "src/main.ts", sources: ["src/models/**/*.ts", "sql/*.sql", "src/main.ts"] };\n`,
    "src/main.ts": source("main"),
    "src/models/a.ts": source("a"),
    "sql/a.sql": "",
  });
  const said = await run(
    app,
    `
const project = await openProject();
await project.load();
evaluated();
const watch = project.watchChanges();
await watch.ready();
const changed = async (file, text) => {
  const told = once(watch, "change");
  replace(file, text);
  return (await told)[0].map(relative);
};
fs.writeFileSync("sql/notes.txt", "");
say(await changed("sql/b.sql", ""));
say(await load(project));
say(await changed("src/models/new/b.ts", "(globalThis as any).evaluated.push('b');"));
say([await load(project), evaluated()]);
say(await changed("src/models/new/b.ts", "(globalThis as any).evaluated.push('b 2');"));
say([await load(project), evaluated()]);
await project.close();
`,
  );
  expect(said).toEqual([
    ["sql/b.sql"],
    ["sql/b.sql missing"],
    ["src/models/new/b.ts"],
    [["src/models/new/b.ts missing"], ["b"]],
    ["src/models/new/b.ts"],
    [["src/models/new/b.ts changed"], ["b 2"]],
  ]);
});
