/** `init`, `check`, `files` and `graph` as a user runs them: the built command, in a project's directory. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { MANIFESTS } from "../../src/manifest/find.js";
import { copyFixture, makeApp, repository } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { openPage } from "./helpers/chromium.js";
import { isMissing } from "./helpers/programs.js";
import { runCommand } from "./helpers/run-command.js";

function used(app: TestApp): TestApp {
  onTestFinished(() => {
    app.remove();
  });
  return app;
}

const lines = (text: string): string[] => text.trimEnd().split("\n");

describe("the built command", () => {
  test("writes a manifest that loads, checks clean and lists what it listed before", async () => {
    const app = used(copyFixture("express-app"));
    rmSync(app.path("prefork.config.ts"), { force: true });
    const before = await runCommand(app, "files", "src/server.ts");
    expect(before.stderr).toBe("");
    const init = await runCommand(app, "init");
    expect(init).toMatchObject({ code: 0, stderr: "" });
    const check = await runCommand(app, "check");
    expect(check).toEqual({
      ...{ code: 0, stderr: "" },
      stdout: "✓ prefork.config.ts says what the imports say\n",
    });
    const files = await runCommand(app, "files");
    expect(files).toEqual(before);
    expect(await runCommand(app, "init")).toMatchObject({ code: 1 });
    expect(app.leftovers()).toEqual([]);
  });

  test("checks and mends a manifest that imports the library", async () => {
    const app = used(
      makeApp({
        "src/a.ts": "export const a = 1;",
        "src/server.ts": 'import "./a.js";',
        "prefork.config.ts": `import { defineProject } from "prefork-dev";
export default defineProject({ entry: "src/server.ts", sources: ["src/a.ts", "src/server.ts", "src/a.ts"] });
`,
      }),
    );
    const found = await runCommand(app, "check");
    expect(found.code).toBe(1);
    expect(lines(found.stdout)[0]).toBe(
      'prefork.config.ts: duplicate: sources[2] "src/a.ts" is listed already by sources[0] "src/a.ts", so this entry does nothing. Remove it.',
    );
    expect(await runCommand(app, "check", "--fix")).toMatchObject({ code: 0 });
    expect(await runCommand(app, "check")).toMatchObject({ code: 0 });
  });
});

describe("our own fixtures", () => {
  const names = readdirSync(path.join(repository, "fixtures")).filter((name) =>
    MANIFESTS.some((manifest) =>
      existsSync(path.join(repository, "fixtures", name, manifest)),
    ),
  );

  test.each(names)("%s has a manifest that checks clean", async (name) => {
    const app = used(copyFixture(name));
    const isList = name === "two-projects";
    for (const target of isList ? ["shop", "admin"] : ["."]) {
      const { code, stdout } = await runCommand(app, "check", target);
      expect(stdout).toMatch(/^✓ prefork\.config\.\w+ says/);
      expect(code).toBe(0);
    }
  });

  test("are looked at", () => {
    expect(names).toContain("express-app");
    expect(names).toContain("two-projects");
  });
});

describe("an interrupted check --fix", () => {
  // What is edited can't be evaluated: `check` waits for it, for as long as the test wants.
  const MANIFEST = `
if (import.meta.filename.includes(".draft-")) await new Promise((resolve) => setTimeout(resolve, 600_000));
export default { entry: "src/server.ts", sources: ["src/a.ts", "src/server.ts", "src/a.ts"] };
`;

  test.each(["SIGINT", "SIGTERM"] as const)(
    "by %s leaves nothing beside the manifest; what a killed one left goes with the next",
    async (signal) => {
      const app = used(
        makeApp({
          "src/a.ts": "export const a = 1;",
          "src/server.ts": 'import "./a.js";',
          "prefork.config.ts": MANIFEST,
        }),
      );
      const drafts = (): string[] =>
        readdirSync(app.directory).filter((name) => name.startsWith(".draft-"));
      const ended = async (by: NodeJS.Signals): Promise<unknown> => {
        const child = spawn(
          process.execPath,
          [path.join(repository, "bin/prefork-dev.js"), "check", "--fix"],
          {
            cwd: app.directory,
            env: { ...process.env, TMPDIR: app.temporary },
            stdio: "ignore",
          },
        );
        const exited = once(child, "exit");
        const watcher = watch(app.directory);
        try {
          while (!drafts().some((name) => name.includes(`-${child.pid}-`)))
            await once(watcher, "change", {
              signal: AbortSignal.timeout(30_000),
            });
        } finally {
          watcher.close();
          child.kill(by);
        }
        return (await exited)[1];
      };
      expect(await ended(signal)).toBe(signal);
      expect(drafts()).toEqual([]);
      expect(app.path("prefork.config.ts")).toSatisfy(
        (file: string) => readFileSync(file, "utf8") === MANIFEST,
      );

      expect(await ended("SIGKILL")).toBe("SIGKILL");
      expect(drafts()).toHaveLength(1);
      const manifest = MANIFEST.replace(/^if .*$/m, "");
      app.write("prefork.config.ts", manifest);
      // It's no manifest, and no source.
      expect(await runCommand(app, "files")).toMatchObject({
        stdout: "src/a.ts\nsrc/server.ts\n",
      });
      expect(await runCommand(app, "check", "--fix")).toMatchObject({
        code: 0,
      });
      expect(drafts()).toEqual([]);
    },
  );
});

/** Layers of modules; each imports some of the next layer, two import each other, one has a name to be escaped. */
function largeProject(modules: number): TestApp {
  const name = (index: number): string =>
    index === 7 ? "src/<img src=x onerror=alert(1)>.ts" : `src/m${index}.ts`;
  const files: Record<string, string> = {};
  for (let index = 0; index < modules; index++) {
    const imports = [1, 2, 3]
      .map((child) => index * 3 + child)
      .filter((child) => child < modules);
    if (index === 5) imports.push(1);
    files[name(index)] = imports
      .map((child) => `import ".${name(child).slice(3).replace(/ts$/, "js")}";`)
      .join("\n");
  }
  return makeApp(files);
}

describe.skipIf(isMissing("chromium"))("the page of graph, in Chromium", () => {
  test("shows 1,000 sources; a click tells closure and path; search and cycles work", async () => {
    const app = used(largeProject(1_000));
    const made = await runCommand(
      ...([app, "graph", "src/m0.ts"] as const),
      ...["--format", "html", "--output", "graph.html"],
    );
    expect(made).toEqual({
      ...{ code: 0, stderr: "" },
      stdout: "graph.html: 1000 sources\n",
    });
    const page = await openPage(pathToFileURL(app.path("graph.html")).href);
    const texts = async (selector: string): Promise<unknown> =>
      await page.evaluate(
        `[...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => each.textContent)`,
      );
    const click = async (expression: string): Promise<void> => {
      await page.evaluate(
        `${expression}.dispatchEvent(new MouseEvent("click", { bubbles: true }))`,
      );
    };
    expect(await page.evaluate("document.images.length")).toBe(0);
    expect(
      await page.evaluate('document.querySelectorAll("#list li").length'),
    ).toBe(1_000);
    expect(
      await page.evaluate('document.querySelectorAll("#picture g").length'),
    ).toBe(1_000);
    expect(await texts("#count")).toEqual([
      "1000 of 1000 sources, in load order; cycles: 1",
    ]);

    // m1 imports m5, which imports m1.
    expect(await texts("#list button.cycle")).toEqual([
      ...["src/m5.ts", "src/m1.ts"],
    ]);

    // A click on a leaf of the picture: 0 -> 2 -> 7 -> 22.
    await click(
      `[...document.querySelectorAll("#picture g")].find((each) => each.textContent.includes("src/m22.ts"))`,
    );
    const odd = "src/<img src=x onerror=alert(1)>.ts";
    expect(await texts("#selected")).toEqual(["src/m22.ts"]);
    expect(await texts("#closure button")).toEqual([
      ...["src/m22.ts", odd, "src/m2.ts", "src/m0.ts"],
    ]);
    expect(await texts("#way button")).toEqual([
      ...[odd, "src/m2.ts", "src/m0.ts"],
    ]);
    expect(await texts("#way .why")).toEqual([
      `${odd} imports "./m22.js"`,
      `src/m2.ts imports "./<img src=x onerror=alert(1)>.js"`,
      'src/m0.ts imports "./m2.js"',
    ]);
    expect(
      await page.evaluate(
        'document.querySelectorAll("#picture path.way").length',
      ),
    ).toBe(3);
    const screenshot = process.env["PREFORK_TEST_SCREENSHOT"];
    if (screenshot !== undefined)
      writeFileSync(screenshot, await page.screenshot());

    // Search, and Enter.
    await page.evaluate(`{
      const search = document.getElementById("search");
      search.value = "M99";
      search.dispatchEvent(new Event("input"));
      search.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    }`);
    const found = await texts("#list li:not([hidden])");
    expect(new Set(found as string[])).toEqual(
      new Set(
        ["", ...Array.from({ length: 10 }, (_, index) => index)].map(
          (end) => `src/m99${end}.ts`,
        ),
      ),
    );
    expect(await texts("#selected")).toEqual([(found as string[])[0]]);
    expect(page.faults).toEqual([]);
    expect(page.requested.map((url) => new URL(url).protocol)).toEqual([
      "file:",
    ]);
  });
});
