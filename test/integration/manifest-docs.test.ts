/**
 * The examples of docs/manifest.md, which are fixtures: each runs under the real command, a file that is no code is saved, and only what
 * should is loaded again. What was evaluated is counted by the modules themselves, in a process that loads the project twice.
 */
import { readdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fixtureBlocks } from "../fixture-blocks.js";
import { copyFixture, makeApp, repository } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { loadable, run } from "./helpers/loading.js";
import { runCommand } from "./helpers/run-command.js";
import { get, reloaded, startSession } from "./helpers/session.js";
import type { Session } from "./helpers/session.js";

const page = readFileSync(path.join(repository, "docs/manifest.md"), "utf8");

/** A save in an example, and what comes of it. */
interface Example {
  readonly fixture: string;
  /** Default: the directory. */
  readonly target?: string;
  readonly saved: string;
  readonly from: string;
  readonly to: string;
  /** Where the difference is seen. */
  readonly asked: string;
  readonly before: string;
  readonly after: string;
  /** What is loaded again, in load order, the file itself first. */
  readonly closure: readonly string[];
}

const examples: readonly Example[] = [
  {
    fixture: "shop",
    ...{ saved: "views/home.html", from: "h1", to: "h2", asked: "/" },
    ...{ before: "<h1>Tea: 3 EUR", after: "<h2>Tea: 3 EUR" },
    closure: [
      "views/home.html",
      "src/routes/countries.ts",
      "src/routes/home.ts",
      "src/server.ts",
    ],
  },
  {
    fixture: "templates",
    ...{ saved: "views/home.html", from: "Welcome", to: "Hello", asked: "/" },
    ...{ before: "<p>Welcome, Ada.</p>", after: "<p>Hello, Ada.</p>" },
    closure: ["views/home.html", "src/pages/home.ts", "src/server.ts"],
  },
  {
    fixture: "templates",
    ...{ saved: "views/layout.html", from: "main", to: "body" },
    ...{ asked: "/about", before: "<main><p>About", after: "<body><p>About" },
    closure: [
      "views/layout.html",
      "src/templates.ts",
      "src/pages/about.ts",
      "src/pages/home.ts",
      "src/server.ts",
    ],
  },
  {
    fixture: "routes-dsl",
    ...{ saved: "routes.dsl", from: "/hello ", to: "/hi    " },
    ...{ asked: "/hi", before: "Not found", after: "Hello" },
    closure: ["routes.dsl", "src/router.ts", "src/sitemap.ts", "src/server.ts"],
  },
  {
    fixture: "translations",
    ...{ saved: "locales/de.yaml", from: "Guten Tag", to: "Moin" },
    ...{ asked: "/de", before: "Guten Tag", after: "Moin" },
    closure: ["locales/de.yaml", "src/messages.ts", "src/server.ts"],
  },
  {
    fixture: "workspace",
    ...{ saved: "packages/greeting/phrases.txt", from: "Hello", to: "Welcome" },
    ...{ asked: "/", before: "Hello, Ada! v0", after: "Welcome, Ada! v0" },
    closure: [
      "packages/greeting/phrases.txt",
      "packages/greeting/src/phrases.ts",
      "packages/greeting/src/index.ts",
      "packages/web/src/server.ts",
    ],
  },
  {
    fixture: "workspace",
    saved: "packages/greeting/src/index.ts",
    ...{ from: "}!`", to: "}?`", asked: "/" },
    ...{ before: "Hello, Ada! v0", after: "Hello, Ada? v0" },
    closure: ["packages/greeting/src/index.ts", "packages/web/src/server.ts"],
  },
  {
    fixture: "two-projects",
    target: "admin",
    ...{ saved: "shared/products.csv", from: "Tea,3", to: "Tea,5", asked: "/" },
    ...{ before: "2 products, 7 EUR", after: "2 products, 9 EUR" },
    closure: [
      "shared/products.csv",
      "shared/products.ts",
      "apps/admin/server.ts",
    ],
  },
];

function edited(app: TestApp, { saved, from, to }: Example): string {
  const text = readFileSync(app.path(saved), "utf8");
  expect(text).toContain(from);
  return text.replace(from, to);
}

/** The modules of a fixture, without the manifest. */
function modulesOf(fixture: string): string[] {
  const directory = path.join(repository, "fixtures", fixture);
  return readdirSync(directory, { recursive: true })
    .map((file) => String(file).split(path.sep).join("/"))
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules/"))
    .filter((file) => path.basename(file) !== "prefork.config.ts")
    .sort();
}

/** Saves a file, in one step so that it's one change, and waits for what comes of it. */
async function save(
  { app, cli }: Session,
  file: string,
  text: string,
): ReturnType<typeof reloaded> {
  const from = cli.lines.length;
  app.write(`${file}~`, text);
  renameSync(app.path(`${file}~`), app.path(file));
  return await reloaded(cli, "any", from);
}

test("every fixture that the page shows runs below, or where steps are tested", () => {
  const shown = fixtureBlocks(page).map(({ file }) => file.split("/")[1]);
  const run = examples.map(({ fixture }) => fixture);
  expect(new Set([...run, "graphql-codegen"])).toEqual(new Set(shown));
});

describe.each(examples)("$fixture: a save of $saved", (example) => {
  const { fixture, target = ".", saved, asked, closure } = example;

  test("is answered with, and loads again what needs it", async () => {
    const session = await startSession(copyFixture(fixture), { target });
    const { app, port } = session;
    const original = readFileSync(app.path(saved), "utf8");
    expect((await get(port, asked)).text).toContain(example.before);

    const files = closure.map((file) => app.path(file));
    const changed = [app.path(saved)];
    const line = await save(session, saved, edited(app, example));
    const common = { outcome: "done", changed, closure: files };
    expect(line).toMatchObject({ ...common, generation: 2 });
    expect((await get(port, asked)).text).toContain(example.after);

    // And back: one save was one reload.
    const back = await save(session, saved, original);
    expect(back).toMatchObject({ ...common, generation: 3 });
    const answer = await get(port, asked);
    expect(answer.text).toContain(example.before);
    expect(answer.headers["x-prefork-generation"]).toBe("3");

    expect(await runCommand(app, "check", target)).toMatchObject({
      ...{ code: 0, stderr: "" },
      stdout: expect.stringContaining("says what the imports say") as string,
    });
  });

  test("evaluates no other module again, as the modules count", async () => {
    const app = copyFixture(fixture);
    onTestFinished(() => app.remove());
    const modules = modulesOf(fixture);
    for (const file of modules) {
      const text = readFileSync(app.path(file), "utf8");
      app.write(
        file,
        `${text}(globalThis as any).evaluated.push("${file}");\n`,
      );
    }
    const text = JSON.stringify(edited(app, example));
    const said = await run(
      app,
      `
process.env.PORT = "0";
const project = await openProject(${JSON.stringify(target)});
await project.load();
say(evaluated());
replace(${JSON.stringify(saved)}, ${text});
say((await project.load()).map(({ path }) => relative(path)));
say(evaluated());
// Its server listens.
process.exit();
`,
    );
    const [first, loaded, again] = said as [string[], string[], string[]];
    const isModule = (file: string): boolean => file.endsWith(".ts");
    // The other project's server isn't this one's.
    const others = target === "admin" ? ["apps/shop/server.ts"] : [];
    expect([...first, ...others].sort()).toEqual(modules);
    expect(loaded).toEqual(closure);
    expect(again).toEqual(closure.filter(isModule));
  });
});

test("`reload: false` in the shop: told, nothing is loaded again", async () => {
  const session = await startSession(copyFixture("shop"), { target: "." });
  const { app, cli, port } = session;
  const from = cli.lines.length;
  app.write("data/countries.json", '["Chile"]\n');
  const { paths } = await cli.waitFor(
    "the change",
    ({ event }) => event === "unreloaded",
    { from },
  );
  expect(paths).toEqual([app.path("data/countries.json")]);
  expect((await get(port, "/countries")).text).toBe("Austria, Belgium");
  // A reload of something else comes next, and is the first.
  const view = readFileSync(app.path("views/home.html"), "utf8");
  const line = await save(session, "views/home.html", `${view}<hr />\n`);
  expect(line).toMatchObject({ outcome: "done", generation: 2 });
  expect((await get(port, "/countries")).text).toBe("Austria, Belgium");
});

test("a mistake in routes.dsl: the last good routes serve, and the mended ones are taken up", async () => {
  const session = await startSession(copyFixture("routes-dsl"), {
    target: ".",
  });
  const { app, port } = session;
  const routes = readFileSync(app.path("routes.dsl"), "utf8");
  const line = await save(session, "routes.dsl", `${routes}/new nobody\n`);
  expect(line).toMatchObject({ outcome: "failed", phase: "boot" });
  expect(JSON.stringify(line["diagnostics"])).toContain(
    "routes.dsl: there is no handler",
  );
  expect((await get(port, "/hello")).text).toBe("Hello");
  const mended = await save(session, "routes.dsl", `${routes}/new home\n`);
  expect(mended).toMatchObject({ outcome: "done" });
  expect((await get(port, "/new")).text).toBe("Home");
  expect((await get(port, "/sitemap.txt")).text).toBe("/\n/hello\n/new\n");
});

test("two projects at once: what they share reloads both, what is one's own only that", async () => {
  const app = copyFixture("two-projects");
  const other = makeApp({});
  // One directory, but each server's temporary files by themselves.
  const shop = await startSession(app, { target: "shop" });
  const admin = await startSession(
    {
      ...app,
      temporary: other.temporary,
      leftovers: () => other.leftovers(),
      remove: () => other.remove(),
    },
    { target: "admin" },
  );
  expect((await get(shop.port)).text).toBe("Tea, Coffee");

  const server = readFileSync(app.path("apps/shop/server.ts"), "utf8");
  const own = await save(shop, "apps/shop/server.ts", `${server}// saved\n`);
  expect(own).toMatchObject({ outcome: "done", generation: 2 });

  const ofAdmin = admin.cli.lines.length;
  const csv = "Tea,3\nCocoa,6\n";
  const both = await save(shop, "shared/products.csv", csv);
  expect(both).toMatchObject({ outcome: "done", generation: 3 });
  // Its second: what was saved before was none of its business.
  const line = await reloaded(admin.cli, "any", ofAdmin);
  expect(line).toMatchObject({ outcome: "done", generation: 2 });
  expect((await get(shop.port)).text).toBe("Tea, Cocoa");
  expect((await get(admin.port)).text).toBe("2 products, 9 EUR");
});

test("both ways of writing an entry give the same", async () => {
  const [, text = ""] = /```ts\n(file\("src\/routes[^]*?)```/.exec(page) ?? [];
  const statements = text.split(/;\n/).map((each) => each.trim());
  const values = statements.filter((each) => each !== "");
  expect(values.length).toBe(4);
  const app = loadable({});
  const [pairs] = await run(
    app,
    `
const { directory, file } = await import("prefork-dev");
say([${values.join(", ")}]);
`,
  );
  const [fileCall, fileObject, directoryCall, directoryObject] =
    pairs as unknown[];
  expect(fileCall).toEqual(fileObject);
  expect(directoryCall).toEqual(directoryObject);
  expect([fileCall, directoryCall]).toMatchObject([
    { file: "src/routes/*.ts" },
    { directory: "src/models" },
  ]);
});
