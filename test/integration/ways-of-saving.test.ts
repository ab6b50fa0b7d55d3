/** Every way in which editors and tools save is seen, and is one reload. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const server = `
import http from "node:http";
import { version } from "./version.ts";
http.createServer((_request, response) => response.end(version)).listen(3000);
`;

const versionApp = (): TestApp =>
  makeApp({ "src/server.ts": server, "src/version.ts": versionModule("v0") });

/** Each saves `text` to `path`, as some program does. */
const ways: Record<string, (path: string, text: string) => void> = {
  "in place": (path, text) => fs.writeFileSync(path, text),
  "write beside and rename over (JetBrains, VS Code with atomic save)": (
    path,
    text,
  ) => {
    fs.writeFileSync(`${path}.tmp`, text);
    fs.renameSync(`${path}.tmp`, path);
  },
  "rename away, create anew, remove the backup (vim)": (path, text) => {
    fs.renameSync(path, `${path}~`);
    fs.writeFileSync(path, text);
    fs.rmSync(`${path}~`);
  },
  "delete and create": (path, text) => {
    fs.rmSync(path);
    fs.writeFileSync(path, text);
  },
  "truncate, then write in pieces": (path, text) => {
    const file = fs.openSync(path, "w");
    for (const character of text) fs.writeSync(file, character);
    fs.closeSync(file);
  },
};

describe.each([
  ["with the system's events", []],
  ["by polling", ["--poll", "50"]],
])("%s", (_name, args) => {
  test("each way of saving is live after one reload", async () => {
    const app = versionApp();
    const { cli, port } = await startSession(app, { args });
    let last = 0;
    for (const save of Object.values(ways)) {
      const from = cli.lines.length;
      const version = `v${++last}`;
      save(app.path("src/version.ts"), versionModule(version));
      await reloaded(cli, "done", from);
      expect((await get(port)).text).toBe(version);
    }
  });
});

test("a bare touch counts as a change", async () => {
  const app = versionApp();
  const { cli } = await startSession(app);
  const from = cli.lines.length;
  const now = new Date();
  fs.utimesSync(app.path("src/version.ts"), now, now);
  const outcome = await reloaded(cli, "done", from);
  expect(outcome["changed"]).toEqual([app.path("src/version.ts")]);
});

test("a change of a file that is no source is no reload", async () => {
  const app = versionApp();
  const { cli, port } = await startSession(app);
  const from = cli.lines.length;
  app.write("src/unrelated.ts", "export {};\n");
  app.write("src/notes.md", "notes\n");
  app.write("src/version.ts", versionModule("v1"));
  const outcome = await reloaded(cli, "done", from);
  expect(outcome["generation"]).toBe(2);
  expect((await get(port)).text).toBe("v1");
});

test("switching a branch that differs in 300 files is one batch and one roll", async () => {
  const names = Array.from({ length: 300 }, (_, index) => `m${index}`);
  const files = (branch: string): Record<string, string> => ({
    "src/version.ts": `${names.map((name) => `import { value as ${name} } from "./parts/${name}.ts";`).join("\n")}
export const version: string = [${names.join(", ")}].every((value) => value === ${JSON.stringify(branch)}) ? ${JSON.stringify(branch)} : "mixed";
`,
    ...Object.fromEntries(
      names.map((name) => [
        `src/parts/${name}.ts`,
        `export const value: string = ${JSON.stringify(branch)};\n`,
      ]),
    ),
  });
  const app = makeApp({
    ...files("main"),
    "src/server.ts": server,
    ".gitignore": "node_modules\n",
  });
  const git = (...args: string[]): void => {
    execFileSync(
      "git",
      ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args],
      {
        cwd: app.directory,
        stdio: "pipe",
      },
    );
  };
  git("init", "--quiet", "--initial-branch", "main");
  git("add", ".");
  git("commit", "--quiet", "--message", "main");
  git("checkout", "--quiet", "-b", "feature");
  for (const [file, text] of Object.entries(files("feature")))
    app.write(file, text);
  git("commit", "--quiet", "--all", "--message", "feature");
  git("checkout", "--quiet", "main");

  const { cli, port } = await startSession(app);
  expect((await get(port)).text).toBe("main");
  for (const branch of ["feature", "main"]) {
    const from = cli.lines.length;
    git("checkout", "--quiet", branch);
    const outcome = await reloaded(cli, "any", from);
    expect(outcome).toMatchObject({ outcome: "done" });
    expect(outcome["changed"]).toHaveLength(301);
    expect((await get(port)).text).toBe(branch);
  }
  expect(cli.lines.filter(({ event }) => event === "reload")).toHaveLength(3);
});

test("a save in the middle of a roll supersedes it", async () => {
  const app = versionApp();
  // Cold boots: activating standbys, the roll would be over before the second save is noticed.
  const { cli, port } = await startSession(app, {
    workers: 3,
    args: ["--standby", "0"],
  });
  const from = cli.lines.length;
  app.write("src/version.ts", versionModule("v1"));
  // Worker 0 runs v1, worker 1 is being replaced.
  await cli.waitFor(
    "the second process of generation 2",
    ({ event, what, generation, worker }) =>
      event === "process" &&
      what === "forked" &&
      generation === 2 &&
      worker === 1,
    { from },
  );
  app.write("src/version.ts", versionModule("v2"));
  expect(await reloaded(cli, "any", from)).toMatchObject({
    outcome: "superseded",
    generation: 2,
  });
  expect(await reloaded(cli, "done", from)).toMatchObject({ generation: 3 });
  expect((await get(port)).text).toBe("v2");
  for (const { port: own, pid } of processesOf(cli.lines)) {
    expect((await get(own)).text, `worker process ${pid}`).toBe("v2");
  }
});

/** The newest ready process of each worker, by its own port. */
function processesOf(
  lines: readonly Readonly<Record<string, unknown>>[],
): { port: number; pid: number }[] {
  const byPort = new Map<number, number>();
  for (const line of lines) {
    if (line["event"] === "process" && line["what"] === "ready") {
      byPort.set(line["port"] as number, line["pid"] as number);
    }
  }
  return Array.from(byPort, ([port, pid]) => ({ port, pid }));
}
