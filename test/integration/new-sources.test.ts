/** Files that the manifest's globs match, and that come and go while the command runs. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { startCli } from "./helpers/cli.js";
import type { LogLine } from "./helpers/log.js";
import { get, reloaded, startServing } from "./helpers/session.js";
import type { Listening } from "./helpers/session.js";

const SERVER = { workers: 1, port: 0, standbys: 0 };

const manifest = (sources: string): string =>
  `export default { entry: "src/server.ts", sources: [${sources}], server: ${JSON.stringify(SERVER)} };\n`;

/** Answers with the names of all routes and templates, read when it's loaded. */
const APP = {
  "src/server.ts": `import http from "node:http";
import { views } from "./views.js";
import fs from "node:fs";
const routes: string[] = [];
for (const name of fs.readdirSync(import.meta.dirname + "/routes", { recursive: true }).map(String).sort())
  if (name.endsWith(".ts")) routes.push((await import("./routes/" + name)).default);
http.createServer((_request, response) => response.end([...routes, ...views].join(" "))).listen(3000);
`,
  "src/views.ts": `import fs from "node:fs";
export const views = fs.readdirSync("views", { recursive: true }).map(String).filter((name) => name.endsWith(".html")).sort();
`,
  "src/routes/a.ts": `export default "a";\n`,
  "views/home.html": "",
};

const SOURCES = `"views/**/*.html", { file: "src/views.ts", needs: ["views/**/*.html"] }, "src/routes/**/*.ts", "src/server.ts"`;

async function start(sources: string): Promise<Listening> {
  return await startApp(
    makeApp({ ...APP, "prefork.config.ts": manifest(sources) }),
  );
}

const startApp = (app: TestApp): Promise<Listening> =>
  startServing(app, { args: ["."] });

/** Writes a file in one step: a watcher sees all of it, or nothing. */
function put(app: TestApp, file: string, text = ""): void {
  const draft = path.join(app.temporary, "draft");
  writeFileSync(draft, text);
  mkdirSync(path.dirname(app.path(file)), { recursive: true });
  renameSync(draft, app.path(file));
}

/**
 * Acts, and waits until the new code answers.
 *
 * @returns the reload's line in the log, the first one after the action
 */
async function after({ cli }: Listening, action: () => void): Promise<LogLine> {
  const from = cli.lines.length;
  action();
  return await reloaded(cli, "any", from);
}

/** What a reload that was good was about. */
const done = ({ app }: Listening, ...changed: string[]): LogLine => ({
  outcome: "done",
  changed: changed.map((file) => app.path(file)),
});

test("a file that a glob matches counts at once, in new directories too, and so does its end; another one does nothing", async () => {
  const started = await start(SOURCES);
  const { app, cli, port } = started;
  expect((await get(port)).text).toBe("a home.html");

  // A route that the program finds by itself.
  const route = await after(started, () => {
    put(app, "src/routes/b.ts", `export default "b";\n`);
  });
  expect(route).toMatchObject(done(started, "src/routes/b.ts"));
  expect((await get(port)).text).toBe("a b home.html");

  // A template, which reloads who needs the glob.
  put(app, "views/notes.txt", "nobody's business");
  const template = await after(started, () => put(app, "views/mail.html"));
  expect(template).toMatchObject(done(started, "views/mail.html"));
  expect(template["closure"]).toEqual(
    ["views/mail.html", "src/views.ts", "src/server.ts"].map((file) =>
      app.path(file),
    ),
  );
  expect((await get(port)).text).toBe("a b home.html mail.html");

  // Directories, moved here and made here.
  put(app, "aside/deep/c.ts", `export default "c";\n`);
  const moved = await after(started, () => {
    renameSync(app.path("aside"), app.path("src/routes/more"));
  });
  expect(moved).toMatchObject(done(started, "src/routes/more/deep/c.ts"));
  mkdirSync(app.path("views/new/empty"), { recursive: true });
  const deep = await after(started, () => put(app, "views/new/empty/d.html"));
  expect(deep).toMatchObject(done(started, "views/new/empty/d.html"));
  expect((await get(port)).text).toBe(
    "a b c home.html mail.html new/empty/d.html",
  );

  // From now on they are sources like the others.
  const saved = await after(started, () => {
    put(app, "src/routes/more/deep/c.ts", `export default "C";\n`);
  });
  expect(saved).toMatchObject(done(started, "src/routes/more/deep/c.ts"));
  expect((await get(port)).text).toBe(
    "a b C home.html mail.html new/empty/d.html",
  );
  const removed = await after(started, () => {
    rmSync(app.path("src/routes/more"), { recursive: true });
  });
  expect(removed).toMatchObject(done(started, "src/routes/more/deep/c.ts"));
  const gone = await after(started, () => {
    rmSync(app.path("views/mail.html"));
  });
  expect(gone).toMatchObject(done(started, "views/mail.html"));
  expect((await get(port)).text).toBe("a b home.html new/empty/d.html");

  // One that was forgotten counts again when it's back.
  const back = await after(started, () => put(app, "views/mail.html"));
  expect(back).toMatchObject(done(started, "views/mail.html"));
  expect((await get(port)).text).toBe(
    "a b home.html mail.html new/empty/d.html",
  );
  const told = cli.lines.flatMap(({ changed }) => changed ?? []);
  expect(told).not.toContain(app.path("views/notes.txt"));
});

test("files that appear while the manifest is saved, and others are, are all there in the end", async () => {
  const started = await start(
    `"src/views.ts", "src/routes/a.ts", "src/server.ts"`,
  );
  const { app, cli, port } = started;
  let from = cli.lines.length;
  put(app, "src/routes/b.ts", `export default "b";\n`);
  put(app, "prefork.config.ts", manifest(SOURCES));
  put(app, "src/routes/a.ts", `export default "A";\n`);
  put(app, "views/late.html");
  // In one batch or in several; after the last one all is there.
  let text = "";
  while (text !== "A b home.html late.html") {
    const line = await reloaded(cli, "done", from);
    from = cli.lines.indexOf(line) + 1;
    ({ text } = await get(port));
  }
});

test("a glob that matches nothing is a report, and the first file that it matches mends it", async () => {
  const started = await start(SOURCES);
  const { app, cli, port } = started;
  let from = cli.lines.length;
  put(app, "prefork.config.ts", manifest(`${SOURCES}, "sql/**/*.sql"`));
  const failed = await reloaded(cli, "failed", from);
  expect(failed["phase"]).toBe("project");
  from = cli.lines.length;
  put(app, "sql/deep/schema.sql");
  await reloaded(cli, "done", from);
  from = cli.lines.length;
  put(app, "sql/deep/schema.sql", "select 1;");
  const line = await reloaded(cli, "done", from);
  expect(line["closure"]).toEqual([app.path("sql/deep/schema.sql")]);
  expect((await get(port)).status).toBe(200);
});

test("a standby that has read the directory ahead doesn't keep a new file out", async () => {
  const app = makeApp({
    "package.json": `{ "private": true }`,
    "prefork.config.ts": `export default { entry: "src/server.ts", sources: ["src/routes/*.ts", "src/routes.ts", "src/server.ts"], server: { workers: 1, port: 0, standbys: 1 } };\n`,
    "src/routes/a.ts": `module.exports = "a";\n`,
    "src/routes.ts": `import fs from "node:fs";
export const routes: string[] = fs.readdirSync(__dirname + "/routes").sort().map((name) => require("./routes/" + name));
`,
    "src/server.ts": `import http from "node:http";
import { routes } from "./routes";
http.createServer((_request, response) => response.end(routes.join(" "))).listen(3000);
`,
  });
  // From the second run on it's known what the program loads by computed names, which says nothing of what it may find.
  const first = startCli({ app, args: ["."] });
  try {
    await reloaded(first, "done");
  } finally {
    await first.close();
  }
  const started = await startApp(app);
  await started.cli.waitFor(
    "a standby that has evaluated the routes",
    ({ event, what, evaluated }) =>
      event === "standby" && what === "ready" && Number(evaluated) > 0,
  );
  const line = await after(started, () => {
    put(app, "src/routes/b.ts", `module.exports = "b";\n`);
  });
  expect(line).toMatchObject(done(started, "src/routes/b.ts"));
  expect((await get(started.port)).text).toBe("a b");
});
