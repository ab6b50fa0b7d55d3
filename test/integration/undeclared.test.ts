/** Sources that are loaded and that the manifest doesn't list: through imports, and through packages that load files by their paths. */
import { expect, onTestFinished, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { autoloaders } from "./helpers/autoload.js";
import { startCli } from "./helpers/cli.js";
import type { Cli } from "./helpers/cli.js";
import type { LogLine } from "./helpers/log.js";
import { runCommand } from "./helpers/run-command.js";
import { get, reloaded } from "./helpers/session.js";

const manifest = (sources: string, server = ""): string =>
  `export default { entry: "src/server.ts", sources: [${sources}], server: { workers: 2, port: 0, standbys: 0, ${server} } };\n`;

/** A route, which counts itself in a module that the program has, too. */
const route = (text: string): string =>
  `import { shared } from "../shared";\nshared.count += 1;\nexport default (): string => "${text}";\n`;

const SHARED = `export const shared = { count: 0 };\n`;

const serve = `http.createServer((_request, response) => {
  response.setHeader("x-flags", String(process.execArgv));
  response.end([shared.count, ...routes.map((route) => route())].join(" "));
}).listen(3000);`;

/** The same program, as ES modules and as CommonJS; the packages' code is JavaScript, the routes aren't. */
const PROGRAMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  esm: {
    "package.json": `{ "private": true, "type": "module" }`,
    "src/server.ts": `import http from "node:http";
import { autoload } from "autoload-esm";
import { shared } from "./shared.js";
const routes: (() => string)[] = await autoload(import.meta.dirname + "/routes");
${serve}`,
  },
  cjs: {
    "package.json": `{ "private": true }`,
    "src/server.ts": `import http from "node:http";
import { autoload } from "autoload-cjs";
import { shared } from "./shared";
const routes: (() => string)[] = autoload(__dirname + "/routes");
${serve}`,
  },
};

function program(kind: string, config: string): TestApp {
  const app = makeApp({
    ...autoloaders,
    ...PROGRAMS[kind],
    "prefork.config.ts": config,
    "src/shared.ts": SHARED,
    "src/routes/a.ts": route("a0"),
    "src/routes/b.ts": route("b0"),
  });
  onTestFinished(() => app.remove());
  return app;
}

interface Started {
  readonly cli: Cli;
  readonly port: number;
}

/** Starts the command in the app's directory, until it serves and watches. */
async function start(app: TestApp): Promise<Started> {
  const cli = startCli({ app, args: ["."] });
  onTestFinished(() => cli.close());
  await reloaded(cli, "done");
  await cli.waitFor("the watcher", ({ event }) => event === "watching");
  const listening = await cli.waitFor(
    "the ports",
    ({ event }) => event === "listening",
  );
  return { cli, port: listening["port"] as number };
}

const isUndeclared = ({ event }: LogLine): boolean => event === "undeclared";

async function undeclared(cli: Cli, from = 0): Promise<unknown> {
  const line = await cli.waitFor("undeclared sources", isUndeclared, { from });
  return line["paths"];
}

async function undeclaredInStatus(app: TestApp): Promise<unknown> {
  const { stdout } = await runCommand(app, "status", "--json");
  return (JSON.parse(stdout) as { undeclared: unknown }).undeclared;
}

test.each(["esm", "cjs"])(
  "what a package loads by its path (%s) is the program's own module, is told in one line, watched, and found by check, after a restart too",
  async (kind) => {
    const listed = `"src/shared.ts", "src/server.ts"`;
    const app = program(kind, manifest(listed));
    const routes = ["src/routes/a.ts", "src/routes/b.ts"].map((file) =>
      app.path(file),
    );
    const first = await start(app);
    expect(await undeclared(first.cli)).toEqual(routes);
    // Compiled, and in the same process as the program's.
    const { text: answer, headers } = await get(first.port);
    expect(answer).toBe("2 a0 b0");
    // Nothing of how that is done goes on to processes that the app forks.
    expect(headers["x-flags"]).toBe("");
    expect(await undeclaredInStatus(app)).toEqual(routes);
    const text = await runCommand(app, "status");
    expect(text.stdout).toContain(
      "not listed in the manifest: src/routes/a.ts, src/routes/b.ts",
    );

    let from = first.cli.lines.length;
    app.write("src/routes/a.ts", route("a1"));
    const saved = await reloaded(first.cli, "done", from);
    expect(saved["closure"]).toEqual(
      expect.arrayContaining([routes[0], app.path("src/server.ts")]),
    );
    expect((await get(first.port)).text).toBe("2 a1 b0");
    expect(await undeclaredInStatus(app)).toEqual(routes);
    await first.cli.stop();
    expect(first.cli.lines.filter(isUndeclared)).toHaveLength(1);

    const check = await runCommand(app, "check");
    expect(check.code).toBe(1);
    expect(check.stdout).toContain(
      `unlisted: src/routes/b.ts was loaded at run time by its path, by a package that src/server.ts uses, but isn't listed. Add "src/routes/b.ts" to sources`,
    );

    const second = await start(app);
    expect(await undeclared(second.cli)).toEqual(routes);
    from = second.cli.lines.length;
    app.write(
      "prefork.config.ts",
      manifest(`"src/shared.ts", "src/routes/*.ts", "src/server.ts"`),
    );
    await reloaded(second.cli, "any", from);
    expect(await undeclaredInStatus(app)).toEqual([]);
    expect(await runCommand(app, "check")).toMatchObject({ code: 0 });

    // Unlisted once more, they're told once more.
    from = second.cli.lines.length;
    app.write("prefork.config.ts", manifest(listed));
    await reloaded(second.cli, "any", from);
    expect(await undeclared(second.cli, from)).toEqual(routes);
  },
);

test("a new file that a package loads is told by itself; globs that cover everything leave nothing to tell", async () => {
  const app = program(
    "esm",
    manifest(`"src/shared.ts", "src/routes/[ab].ts", "src/server.ts"`),
  );
  const { cli, port } = await start(app);
  let from = cli.lines.length;
  app.write("src/routes/c.ts", route("c0"));
  // No glob matches it, and nobody knows that a package reads the directory.
  app.write("src/shared.ts", `${SHARED}// saved\n`);
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("3 a0 b0 c0");
  expect(await undeclared(cli, from)).toEqual([app.path("src/routes/c.ts")]);
  expect(cli.lines.filter(isUndeclared)).toHaveLength(1);

  from = cli.lines.length;
  app.write("prefork.config.ts", manifest(`"src/**/*.ts"`));
  await reloaded(cli, "any", from);
  expect(await undeclaredInStatus(app)).toEqual([]);
});

test("imports that lead to unlisted sources are told once, further ones by themselves; what is outside, package.json and packages aren't", async () => {
  const app = makeApp({
    "outside/package.json": `{ "name": "outside", "type": "module", "exports": "./index.ts" }`,
    "outside/index.ts": `export const outside = 1;`,
    "app/package.json": `{ "private": true, "type": "module" }`,
    "app/prefork.config.ts": manifest(`"src/server.ts"`),
    "app/data.json": `{ "a": 1 }`,
    "app/src/helper.ts": `export const helper: string = "h0";`,
    "app/src/lazy.ts": `export const lazy: string = "l0";`,
    "app/src/server.ts": `import http from "node:http";
import { outside } from "../../outside/index.js";
import data from "../data.json" with { type: "json" };
import own from "../package.json" with { type: "json" };
import picocolors from "picocolors";
import { helper } from "./helper.js";
http.createServer(async (request, response) => {
  const name = request.url === "/" ? "helper" : "lazy";
  const module = await import(\`./\${name}.ts\`);
  response.end([outside, data.a, own.type, typeof picocolors, helper, module.lazy].join(" "));
}).listen(3000);`,
  });
  onTestFinished(() => app.remove());
  const inApp = { ...app, directory: app.path("app") };
  const { cli, port } = await start(inApp);
  expect(await undeclared(cli)).toEqual([
    ...[app.path("app/data.json"), app.path("app/src/helper.ts")],
  ]);

  let from = cli.lines.length;
  app.write("app/src/helper.ts", `export const helper: string = "h1";`);
  await reloaded(cli, "done", from);
  from = cli.lines.length;
  // Only now somebody asks for it.
  expect((await get(port, "/lazy")).text).toBe("1 1 module object h1 l0");
  expect(await undeclared(cli, from)).toEqual([app.path("app/src/lazy.ts")]);
  expect(cli.lines.filter(isUndeclared)).toHaveLength(2);
});

test("a manifest without a list has nothing undeclared", async () => {
  const app = program(
    "cjs",
    `export default { entry: "src/server.ts", server: { workers: 1, port: 0, standbys: 0 } };\n`,
  );
  const { cli } = await start(app);
  const from = cli.lines.length;
  app.write("src/routes/a.ts", route("a1"));
  await reloaded(cli, "done", from);
  expect(await undeclaredInStatus(app)).toEqual([]);
  await cli.stop();
  expect(cli.lines.filter(isUndeclared)).toEqual([]);
});

test("a standby doesn't keep what a package has loaded for a source: that source isn't evaluated ahead", async () => {
  const app = makeApp({
    ...autoloaders,
    "package.json": `{ "private": true }`,
    "prefork.config.ts": `export default { entry: "src/server.ts", server: { workers: 1, port: 0, standbys: 1 } };\n`,
    "src/shared.ts": SHARED,
    "src/routes/a.ts": route("a0"),
    "src/routes.ts": `import { autoload } from "autoload-cjs";
export const routes: (() => string)[] = autoload(__dirname + "/routes");`,
    "src/server.ts": `import http from "node:http";
import { shared } from "./shared";
import { routes } from "./routes";
${serve}`,
  });
  onTestFinished(() => app.remove());
  const { cli, port } = await start(app);
  const barred = await cli.waitFor(
    "the source that isn't evaluated ahead",
    ({ event, what }) => event === "standby" && what === "barred",
  );
  expect(barred).toMatchObject({
    path: app.path("src/routes.ts"),
    reason: "has a package load sources by their paths",
  });
  let from = cli.lines.indexOf(barred);
  for (const version of ["a1", "a2", "a3"]) {
    await cli.waitFor(
      "a standby",
      ({ event, what }) => event === "standby" && what === "ready",
      { from },
    );
    from = cli.lines.length;
    app.write("src/routes/a.ts", route(version));
    await reloaded(cli, "done", from);
    expect((await get(port)).text).toBe(`1 ${version}`);
  }
});
