/** Broken code: one report with place and code frame, the last good generation serves on, mending it recovers. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { makeApp, repository } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const server = `
import http from "node:http";
import { answer } from "./answer.ts";
http.createServer((request, response) => response.end(answer(request.url ?? ""))).listen(3000);
`;

/** Line 6, column 9 is the first `throw`. */
const answer = (broken = ""): string => `import { version } from "./version.ts";
${broken}
interface Unused { readonly field: string }

export function answer(url: string): string {
  if (url === "/stack") return new Error("for its stack").stack ?? "";
  if (url === "/crash") setImmediate(() => { throw new TypeError("nobody catches this"); });
  return version;
}
`;

const app = (): TestApp =>
  makeApp({
    "src/server.ts": server,
    "src/answer.ts": answer(),
    "src/version.ts": versionModule("v0"),
  });

describe("a failed reload says what, where, and shows the original source", () => {
  test.each([
    [
      "a syntax error",
      "const a = ;",
      "compile",
      { line: 2, column: 11 },
      /Unexpected ";"/,
    ],
    [
      "a missing file",
      `import "./nowhere.ts";`,
      "compile",
      { line: 2 },
      /\.\/nowhere\.ts/,
    ],
    [
      "a missing package",
      `import "no-such-package";`,
      "compile",
      { line: 2 },
      /no-such-package/,
    ],
    [
      "a throw at load",
      `throw new RangeError("at load");`,
      "boot",
      { line: 2, column: 7 },
      /RangeError: at load/,
    ],
    [
      "a missing export",
      `import { nothing } from "./version.ts"; nothing();`,
      "boot",
      { line: 2 },
      /does not provide an export named 'nothing'/,
    ],
    [
      "an undefined name",
      `undefinedName();`,
      "boot",
      { line: 2, column: 1 },
      /undefinedName is not defined/,
    ],
  ])("%s", async (_name, broken, phase, position, message) => {
    const project = app();
    const { cli, port } = await startSession(project, { workers: 1 });
    const from = cli.lines.length;
    project.write("src/answer.ts", answer(broken));
    const outcome = await reloaded(cli, "failed", from);
    expect(outcome).toMatchObject({
      phase,
      serving: 1,
      changed: [project.path("src/answer.ts")],
    });
    const [diagnostic] = outcome["diagnostics"] as Record<string, unknown>[];
    expect(diagnostic).toMatchObject({
      file: project.path("src/answer.ts"),
      ...position,
    });
    expect(diagnostic?.["message"]).toMatch(message);
    expect(diagnostic?.["frame"]).toContain(`> 2 | ${broken}`);
    expect((await get(port)).text).toBe("v0");

    const mended = cli.lines.length;
    project.write("src/answer.ts", answer());
    project.write("src/version.ts", versionModule("v1"));
    await reloaded(cli, "done", mended);
    expect((await get(port)).text).toBe("v1");
  });

  test("process.exit() while loading", async () => {
    const project = app();
    const { cli, port } = await startSession(project, { workers: 1 });
    const from = cli.lines.length;
    project.write(
      "src/answer.ts",
      answer(`console.error("giving up"); process.exit(3);`),
    );
    const { diagnostics } = (await reloaded(cli, "failed", from)) as {
      diagnostics: { message: string; stack: string }[];
    };
    expect(diagnostics[0]?.message).toMatch(
      /exited with code 3 before it was ready/,
    );
    expect(diagnostics[0]?.stack).toBe("giving up");
    expect((await get(port)).text).toBe("v0");
  });

  test("creating the file that was missing mends it without touching the importer", async () => {
    const project = app();
    const { cli, port } = await startSession(project, { workers: 1 });
    let from = cli.lines.length;
    project.write("src/answer.ts", answer(`import "./new/part.ts";`));
    await reloaded(cli, "failed", from);
    from = cli.lines.length;
    project.write("src/new/part.ts", `console.log("part loaded");`);
    await reloaded(cli, "done", from);
    expect((await get(port)).text).toBe("v0");
  });
});

test("code that is broken from the start: requests wait, and are answered when it's mended", async () => {
  const project = app();
  project.write("src/answer.ts", answer("const a = ;"));
  const { cli, port } = await startSession(project, { untilReady: false });
  await reloaded(cli, "failed");
  await cli.waitFor("the watcher", ({ event }) => event === "watching");
  const waiting = get(port);
  project.write("src/answer.ts", answer());
  expect((await waiting).text).toBe("v0");
});

test("stack traces show the original positions", async () => {
  const project = app();
  const { port } = await startSession(project, { workers: 1 });
  const { text } = await get(port, "/stack");
  expect(text).toContain(`${project.path("src/answer.ts")}:6:32`);
  expect(text).toContain(project.path("src/server.ts"));
  expect(text).not.toContain(".cache");
});

test("an exception that nobody catches is reported with its frame, and the worker is replaced", async () => {
  const project = app();
  const { cli, port } = await startSession(project, { workers: 1 });
  await get(port, "/crash").catch(() => undefined);
  const died = await cli.waitFor("the death", ({ what }) => what === "died");
  expect(died).toMatchObject({
    code: 1,
    diagnostic: {
      message: "TypeError: nobody catches this",
      file: project.path("src/answer.ts"),
      line: 7,
      frame: expect.stringContaining("> 7 | ") as string,
    },
  });
  expect((await get(port)).text).toBe("v0");
});

test("the terminal shows a failure once, with place, frame and what serves", async () => {
  const project = app();
  onTestFinished(() => project.remove());
  project.write("src/answer.ts", answer("const a = ;"));
  const child = spawn(
    process.execPath,
    [
      path.join(repository, "bin/prefork-dev.js"),
      "src/server.ts",
      "-p",
      "0",
      "-w",
      "1",
    ],
    {
      cwd: project.directory,
      env: { ...process.env, NO_COLOR: "1", TMPDIR: project.temporary },
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  const seen = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!pattern.test(text)) return;
        child.off("text", look);
        resolve();
      };
      child.on("text", look);
      look();
    });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      child.emit("text");
    });
  }
  await seen(/2 \| const a = ;/);
  child.kill("SIGHUP");
  child.kill("SIGTERM");
  await once(child, "close");
  expect(text).toMatch(/Compile error — requests wait until it's mended/);
  expect(text).toMatch(/src\/answer\.ts:2:11/);
  expect(text).toContain("> 2 | const a = ;\n      |           ^");
  expect(text.match(/Compile error/g)).toHaveLength(1);
});
