/** The command line: flags, env file, manifest, wrong usage, exit codes. */
import fs from "node:fs";
import { spawn } from "node:child_process";
import net from "node:net";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { copyFixture, makeApp, repository } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const plainApp = (): TestApp =>
  makeApp({
    "src/version.ts": versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { version } from "./version.ts";
http.createServer((_request, response) => response.end(version + " " + (process.env.FROM_FILE ?? "unset"))).listen(3000);
`,
  });

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** Runs the command to its end. */
async function runToEnd(
  app: TestApp,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  onTestFinished(() => app.remove());
  const child = spawn(
    process.execPath,
    [path.join(repository, "bin/prefork-dev.js"), ...args],
    {
      cwd: app.directory,
      env: { ...process.env, NO_COLOR: "1", TMPDIR: app.temporary, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  }
  const code = await new Promise<number | null>((resolve) =>
    child.once("close", resolve),
  );
  expect(app.leftovers()).toEqual([]);
  return { code, text };
}

describe("wrong usage ends with 2 and says what to do", () => {
  test.each([
    [["--port", "http"], {}, /--port.*'http'.*whole number from 0 to 65535/],
    [["--workers", "0"], {}, /--workers.*whole number from 1/],
    [["--consistency", "maybe"], {}, /fresh, available/],
    [["--no-such-flag"], {}, /unknown option '--no-such-flag'/],
    [["a.ts", "b.ts"], {}, /too many arguments/],
    [["--json", "--quiet"], {}, /cannot be used with/],
    [["src/server.ts"], { PORT: "http" }, /PORT is "http".*--port/],
  ])("%j %j", async (args, env, message) => {
    const { code, text } = await runToEnd(plainApp(), args, env);
    expect(text).toMatch(message);
    expect(code).toBe(2);
  });
});

describe("what can't start ends with 1 and says why", () => {
  test("no such target", async () => {
    const { code, text } = await runToEnd(plainApp(), ["src/sever.ts"]);
    expect(text).toMatch(/src\/sever\.ts/);
    expect(code).toBe(1);
  });

  test("a directory without a manifest: the entry is suggested", async () => {
    const { code, text } = await runToEnd(plainApp(), []);
    expect(text).toMatch(/prefork-dev src\/server\.ts/);
    expect(code).toBe(1);
  });

  test("a manifest with a missing source", async () => {
    const app = plainApp();
    app.write(
      "prefork.config.ts",
      `import { defineProject } from "prefork-dev";
export default defineProject({ entry: "src/server.ts", sources: ["src/versoin.ts"] });`,
    );
    const { code, text } = await runToEnd(app, []);
    expect(text).toMatch(/prefork\.config\.ts/);
    expect(text).toMatch(/src\/versoin\.ts/);
    expect(text).toMatch(/version\.ts/);
    expect(code).toBe(1);
  });

  test("a port that is taken", async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) =>
      server.listen(0, "127.0.0.1", resolve),
    );
    onTestFinished(() => void server.close());
    const { port } = server.address() as net.AddressInfo;
    const { code, text } = await runToEnd(plainApp(), [
      "src/server.ts",
      "--port",
      String(port),
    ]);
    expect(text).toMatch(new RegExp(`${port}.*--port`, "s"));
    expect(code).toBe(1);
    const workers = await runToEnd(plainApp(), [
      "src/server.ts",
      "-p",
      "0",
      "--worker-port",
      String(port),
    ]);
    expect(workers.text).toMatch(
      new RegExp(`worker port ${port}.*EADDRINUSE.*--worker-port`, "s"),
    );
    expect(workers.code).toBe(1);
  });

  test("an env file that was asked for and isn't there", async () => {
    const { code, text } = await runToEnd(plainApp(), [
      "src/server.ts",
      "--env-file",
      "no.env",
    ]);
    expect(text).toMatch(/no\.env/);
    // Node 20 looks for the flag in a script's own arguments, too, and ends with 9 before we start.
    const isOurs = !process.version.startsWith("v20.");
    if (isOurs) expect(text).toMatch(/give another with --env-file/);
    expect(code).toBe(isOurs ? 1 : 9);
  });
});

test("--help and --version end with 0", async () => {
  const help = await runToEnd(plainApp(), ["--help"]);
  expect(help).toMatchObject({
    code: 0,
    text: expect.stringContaining("--consistency <mode>") as string,
  });
  const { version } = JSON.parse(
    fs.readFileSync(path.join(repository, "package.json"), "utf8"),
  ) as { version: string };
  expect(await runToEnd(plainApp(), ["--version"])).toEqual({
    code: 0,
    text: `${version}\n`,
  });
});

test("the env file is read at each generation and watched; the environment wins", async () => {
  const app = plainApp();
  app.write(".env", "FROM_FILE=one\nHOME_OF=file\n");
  const { cli, port } = await startSession(app);
  expect((await get(port)).text).toBe("v0 one");
  let from = cli.lines.length;
  app.write(".env", "FROM_FILE='two words'\n");
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v0 two words");
  from = cli.lines.length;
  fs.rmSync(app.path(".env"));
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v0 unset");
});

test("--no-front: worker i on --port + i, no request lost while they are replaced", async () => {
  const app = plainApp();
  const { cli, workerPorts } = await startSession(app, {
    args: ["--no-front"],
  });
  expect(workerPorts).toHaveLength(2);
  const from = cli.lines.length;
  app.write("src/version.ts", versionModule("v1"));
  await reloaded(cli, "done", from);
  for (const port of workerPorts)
    expect((await get(port)).text).toBe("v1 unset");
});

test("--no-watch: nothing reloads by itself, SIGHUP does", async () => {
  const app = plainApp();
  const { cli, port } = await startSession(app, { args: ["--no-watch"] });
  const from = cli.lines.length;
  app.write("src/version.ts", versionModule("v1"));
  cli.signal("SIGHUP");
  expect(await reloaded(cli, "done", from)).toMatchObject({
    generation: 2,
    changed: [],
  });
  expect((await get(port)).text).toBe("v1 unset");
});

test("a manifest: its needs reload what imports don't show, and it is read again when it's saved", async () => {
  const app = copyFixture("express-app");
  const { cli, port } = await startSession(app, { target: "." });
  let from = cli.lines.length;
  app.write("views/home.html", "<h1>new template</h1>");
  const outcome = await reloaded(cli, "done", from);
  expect(outcome["closure"]).toContain(app.path("src/routes/home.ts"));
  expect((await get(port)).text).toContain("new template");

  // A broken manifest is a report; the old one stays in force.
  from = cli.lines.length;
  const manifest = fs.readFileSync(app.path("prefork.config.ts"), "utf8");
  app.write(
    "prefork.config.ts",
    manifest.replace("src/routes/home.ts", "src/routes/hom.ts"),
  );
  expect(await reloaded(cli, "failed", from)).toMatchObject({
    phase: "project",
    serving: 2,
  });
  app.write("src/version.ts", versionModule("v1"));
  await reloaded(cli, "done", from);

  from = cli.lines.length;
  app.write("notes.sql", "select 1");
  app.write(
    "prefork.config.ts",
    manifest.replace(
      "sources: [",
      `changes: { "notes.sql": ["src/version.ts"] },\n  sources: ["notes.sql",`,
    ),
  );
  await cli.waitFor(
    "the new manifest's reload",
    ({ event, outcome: ended }) => event === "reload" && ended !== "failed",
    { from },
  );
  from = cli.lines.length;
  app.write("notes.sql", "select 2");
  expect((await reloaded(cli, "done", from))["closure"]).toContain(
    app.path("src/version.ts"),
  );
});
