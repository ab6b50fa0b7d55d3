/** The manifest as the command meets it: the server's options in it, several projects, `reload: false`; and saved while the server runs. */
import { rmSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { startCli } from "./helpers/cli.js";
import type { Cli } from "./helpers/cli.js";
import type { LogLine } from "./helpers/log.js";
import { runCommand } from "./helpers/run-command.js";
import {
  get,
  reloaded,
  startServing,
  versionModule,
} from "./helpers/session.js";
import type { Listening } from "./helpers/session.js";

const SERVER = `
import http from "node:http";
import { readFileSync } from "node:fs";
import { version } from "./version.ts";
const view = readFileSync("views/a.txt", "utf8");
http
  .createServer((_request, response) =>
    response.end([version, view, process.env["GREETING"] ?? "none"].join(" ")))
  .listen(3000);
`;

const SOURCES = `["src/server.ts"]`;
const NEEDS = `["views/a.txt", { file: "src/server.ts", needs: ["views/a.txt"] }]`;
const QUICK = `port: 0, standbys: 0`;

const manifest = (sources: string, server: string): string =>
  `export default { entry: "src/server.ts", sources: ${sources}, server: { ${server} } };\n`;

function shop(config: string): TestApp {
  return makeApp({
    "prefork.config.ts": config,
    "src/server.ts": SERVER,
    "src/version.ts": versionModule("v0"),
    "views/a.txt": "a0",
  });
}

const start = (
  app: TestApp,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Listening> => startServing(app, { args, env });

const workersOf = ({ listening }: Listening): number =>
  (listening["workers"] as unknown[]).length;

const warning = (cli: Cli, text: string, from: number): Promise<LogLine> =>
  cli.waitFor(
    `the warning "${text}"`,
    ({ event, ...line }) =>
      event === "warning" && String(line["message"]).includes(text),
    { from },
  );

test("the server's options: the manifest's over the environment's", async () => {
  const server = `workers: 3, front: false, env: { GREETING: "hello" }, ${QUICK}`;
  const started = await start(shop(manifest(SOURCES, server)), ["."], {
    // Nobody may listen there; nobody is to try.
    PORT: "1",
    GREETING: "environment",
  });
  expect(workersOf(started)).toBe(3);
  const answer = await get(started.port);
  expect(answer.text).toBe("v0 a0 hello");
  expect(answer.headers["x-prefork-generation"]).toBeUndefined();
});

test("the server's options: a flag wins over the manifest's", async () => {
  const server = `workers: 3, front: false, port: 1, standbys: 0`;
  const started = await start(shop(manifest(SOURCES, server)), [
    ...[".", "--workers", "1", "--front", "--port", "0"],
  ]);
  expect(workersOf(started)).toBe(1);
  const { headers } = await get(started.port);
  expect(headers["x-prefork-generation"]).toBe("1");
});

test("an option that is wrong is an error that names the field", async () => {
  const app = shop(manifest(SOURCES, "workers: 0"));
  onTestFinished(() => app.remove());
  const cli = startCli({ app, args: ["."] });
  onTestFinished(() => cli.close());
  const fatal = await cli.waitFor("its end", ({ event }) => event === "fatal");
  expect(fatal["message"]).toBe(
    "prefork.config.ts: server.workers is 0. It must be a whole number from 1 to 1024.",
  );
  expect((await cli.exited).code).toBe(1);
});

test("a project of several runs by its name, which sub-commands know too", async () => {
  const app = shop(`
import { defineProject } from "prefork-dev";
const server = { ${QUICK}, workers: 1 };
export default [
  defineProject({ name: "shop", entry: "src/server.ts", server }),
  defineProject({ name: "admin", entry: "src/server.ts", server: { ...server, workers: 2 } }),
];`);
  const started = await start(app, ["admin"]);
  expect(started.listening["name"]).toBe("admin");
  expect(workersOf(started)).toBe(2);
  // The only one that runs needn't be named.
  const alone = await runCommand(app, "status", "--json");
  expect(JSON.parse(alone.stdout)).toMatchObject({ name: "admin" });
  const other = await runCommand(app, "status", "--project", "shop");
  expect(other.code).toBe(1);
  expect(other.stderr).toContain("prefork.config.ts#admin");
  const asked = await runCommand(
    app,
    ...["status", "--json", "--project", "admin"],
  );
  expect(JSON.parse(asked.stdout)).toMatchObject({
    name: "admin",
    target: `${app.path("prefork.config.ts")}#admin`,
  });
});

test("saved with other sources and needs: new ones are watched, removed ones forgotten", async () => {
  const server = `workers: 1, ${QUICK}`;
  const { app, cli, port } = await start(shop(manifest(SOURCES, server)));
  let from = cli.lines.length;
  app.write("prefork.config.ts", manifest(NEEDS, server));
  await reloaded(cli, "done", from);

  from = cli.lines.length;
  app.write("views/a.txt", "a1");
  const line = await reloaded(cli, "done", from);
  expect(line["changed"]).toEqual([app.path("views/a.txt")]);
  expect(line["closure"]).toEqual(
    ["views/a.txt", "src/server.ts"].map((file) => app.path(file)),
  );
  expect((await get(port)).text).toBe("v0 a1 none");

  from = cli.lines.length;
  app.write("prefork.config.ts", manifest(SOURCES, server));
  const { generation } = await reloaded(cli, "done", from);
  from = cli.lines.length;
  app.write("views/a.txt", "a2");
  app.write("src/version.ts", versionModule("v1"));
  const last = await reloaded(cli, "done", from);
  expect(last["closure"]).toEqual(
    ["src/version.ts", "src/server.ts"].map((file) => app.path(file)),
  );
  expect(last["generation"]).toBe(Number(generation) + 1);
});

test("saved with other options of the server: those that can take effect do, for the rest a restart is asked for", async () => {
  const { app, cli, port } = await start(
    shop(manifest(SOURCES, `workers: 1, ${QUICK}`)),
  );
  let from = cli.lines.length;
  const more = `workers: 2, port: 1, standbys: 0, host: "127.0.0.1"`;
  app.write("prefork.config.ts", manifest(SOURCES, more));
  await warning(cli, "server.port, server.host", from);
  await cli.waitFor(
    "the second worker",
    ({ event, what, worker }) =>
      event === "process" && what === "ready" && worker === 1,
    { from },
  );

  from = cli.lines.length;
  const greeting = `${more}, env: { GREETING: "hello" }`;
  app.write("prefork.config.ts", manifest(SOURCES, greeting));
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v0 a0 hello");

  from = cli.lines.length;
  app.write("prefork.config.ts", manifest(SOURCES, `workers: 1, ${QUICK}`));
  await cli.waitFor(
    "the second worker's end",
    ({ event, what, worker }) =>
      event === "worker" && what === "unregistered" && worker === 1,
    { from },
  );
});

test("saved broken: the old one stays in force, what was saved with it isn't lost, and mending what it imports is enough", async () => {
  const server = `workers: 1, ${QUICK}`;
  const { app, cli, port } = await start(shop(manifest(SOURCES, server)));
  let from = cli.lines.length;
  app.write("conf/more.ts", "export const workers = ;\n");
  app.write("src/version.ts", versionModule("v1"));
  app.write(
    "prefork.config.ts",
    `import { workers } from "./conf/more.js";\n${manifest(SOURCES, `workers, ${QUICK}`)}`,
  );
  // They may be one batch, or two.
  const failure = await reloaded(cli, "failed", from);
  expect(failure["phase"]).toBe("project");
  expect(failure["diagnostics"]).toMatchObject([
    { message: expect.stringContaining("conf/more.ts:1:24") as string },
  ]);

  from = cli.lines.length;
  app.write("src/server.ts", `${SERVER}// saved\n`);
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v1 a0 none");

  from = cli.lines.length;
  app.write("conf/more.ts", "export const workers = 2;\n");
  await cli.waitFor(
    "the second worker",
    ({ event, what, worker }) =>
      event === "process" && what === "ready" && worker === 1,
    { from },
  );
});

test("a source that the manifest lists and that is missing is waited for", async () => {
  const server = `workers: 1, ${QUICK}`;
  const { app, cli, port } = await start(shop(manifest(SOURCES, server)));
  let from = cli.lines.length;
  const more = `["views/new.txt", { file: "src/server.ts", needs: ["views/new.txt"] }]`;
  app.write("prefork.config.ts", manifest(more, server));
  expect((await reloaded(cli, "failed", from))["phase"]).toBe("project");
  from = cli.lines.length;
  app.write("views/new.txt", "");
  await reloaded(cli, "done", from);
  expect((await get(port)).status).toBe(200);
});

test("a source that a glob listed is deleted: forgotten; one listed by name: a report that says where, until it's back", async () => {
  const all = `["views/*.txt", { file: "src/server.ts", needs: ["views/*.txt"] }, "extra.sql"]`;
  const app = shop(manifest(all, `workers: 1, ${QUICK}`));
  app.write("views/b.txt", "");
  app.write("extra.sql", "");
  const { cli, port } = await start(app);
  let from = cli.lines.length;
  rmSync(app.path("views/b.txt"));
  expect((await reloaded(cli, "any", from))["outcome"]).toBe("done");

  from = cli.lines.length;
  rmSync(app.path("extra.sql"));
  const failure = await reloaded(cli, "any", from);
  expect(failure).toMatchObject({
    outcome: "failed",
    phase: "project",
    diagnostics: [
      {
        message: expect.stringContaining(
          'sources[2] "extra.sql" doesn\'t exist.',
        ) as string,
      },
    ],
  });

  from = cli.lines.length;
  app.write("extra.sql", "");
  expect(["done", "unchanged"]).toContain(
    (await reloaded(cli, "any", from))["outcome"],
  );
  from = cli.lines.length;
  app.write("src/version.ts", versionModule("v1"));
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v1 a0 none");
});

test("`reload: false`: told, but nothing is reloaded, until somebody asks for it", async () => {
  const sources = `[{ file: "src/data.ts", reload: false }, "src/server.ts"]`;
  const app = makeApp({
    "prefork.config.ts": manifest(sources, `workers: 1, ${QUICK}`),
    "src/data.ts": `export const data = "d0";\n`,
    "src/server.ts": `
import http from "node:http";
import { data } from "./data.ts";
http.createServer((_request, response) => response.end("v0 " + data)).listen(3000);
`,
  });
  const { cli, port } = await start(app);
  let from = cli.lines.length;
  app.write("src/data.ts", `export const data = "d1";\n`);
  const told = await cli.waitFor(
    "the change",
    ({ event }) => event === "unreloaded",
    { from },
  );
  expect(told["paths"]).toEqual([app.path("src/data.ts")]);

  app.write(
    "src/server.ts",
    `
import http from "node:http";
import { data } from "./data.ts";
http.createServer((_request, response) => response.end("v1 " + data)).listen(3000);
`,
  );
  const line = await reloaded(cli, "any", from);
  expect(line).toMatchObject({
    outcome: "done",
    generation: 2,
    changed: [app.path("src/server.ts")],
    closure: [app.path("src/server.ts")],
  });
  expect((await get(port)).text).toBe("v1 d0");

  from = cli.lines.length;
  cli.signal("SIGHUP");
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v1 d1");

  from = cli.lines.length;
  app.write("src/data.ts", `export const data = "d2";\n`);
  await cli.waitFor("the change", ({ event }) => event === "unreloaded", {
    from,
  });
  const all = `["src/data.ts", "src/server.ts"]`;
  app.write("prefork.config.ts", manifest(all, `workers: 1, ${QUICK}`));
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v1 d2");
});
