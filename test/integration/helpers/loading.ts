/** Scripts that load a project into their own process, run by plain Node with the built package. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { makeApp } from "./app.js";
import type { TestApp } from "./app.js";

const execute = promisify(execFile);
const DEADLINE_MS = 60_000;

/** What every script has: it writes the app's files, notes what is evaluated, and says what was loaded. */
const PRELUDE = `
import fs from "node:fs";
import path from "node:path";
import { once } from "node:events";
import { openProject, PreforkError } from "prefork-dev";

globalThis.evaluated = [];
const results = [];
const say = (value) => results.push(value);
const write = (file, text) => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
};
/** In one step: who watches sees one change. */
const replace = (file, text) => {
  write(file + "~", text);
  fs.renameSync(file + "~", file);
};
const relative = (file) => path.relative(fs.realpathSync("."), file);
/** The sources evaluated since it was last called. */
const evaluated = () => globalThis.evaluated.splice(0);
const text = ({ path, reason, because }) =>
  relative(path) + " " + [reason, ...because.map(relative)].join(" ");
const load = async (project, options) => (await project.load(options)).map(text);
const failure = async (promise) => {
  try {
    await promise;
    return "no failure";
  } catch (error) {
    return { code: error instanceof PreforkError ? error.code : "none", message: error.message };
  }
};
process.on("exit", () => console.log(JSON.stringify(results)));
`;

/** A source that says when it is evaluated. */
export function source(name: string, imports: readonly string[] = []): string {
  const statements = imports.map((each) => `import "./${each}";\n`).join("");
  return `${statements}(globalThis as any).evaluated.push("${name}");\n`;
}

/** An app that is gone after the test. */
export function loadable(files: Readonly<Record<string, string>>): TestApp {
  const app = makeApp(files);
  onTestFinished(() => app.remove());
  return app;
}

/**
 * Runs a script in an app's directory; it must end by itself.
 *
 * @param code - with {@link PRELUDE} before it
 * @returns what it said
 */
export async function run(app: TestApp, code: string): Promise<unknown[]> {
  app.write("script.mjs", PRELUDE + code);
  const { stdout } = await runFile(app, "script.mjs");
  return JSON.parse(stdout) as unknown[];
}

/** Runs a file of an app with Node. */
export async function runFile(
  app: TestApp,
  file: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return await execute(process.execPath, [file], {
    cwd: app.directory,
    env: { ...process.env, TMPDIR: app.temporary, NO_COLOR: "1" },
    timeout: DEADLINE_MS,
  });
}
